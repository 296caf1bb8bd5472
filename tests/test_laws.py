"""Every law on every row of the registry."""

import pytest
from hypothesis import given

from parity import laws, registry


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("pair", registry.ROWS.values(), ids=lambda pair: pair.name)
def test_law(pair, law):
    @given(pair.cases)
    def holds(case):
        laws.check(law, pair, case)

    holds()


@pytest.mark.parametrize(
    "pair", [pair for pair in registry.ROWS.values() if pair.wild is not None], ids=lambda pair: pair.name
)
def test_both_sides_refuse_the_same(pair):
    @given(pair.wild)
    def holds(case):
        laws.check(laws.refusals, pair, case)

    holds()
