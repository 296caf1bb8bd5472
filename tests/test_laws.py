"""Every law on every row of the registry."""

import pytest
from hypothesis import given, settings

from parity import laws, registry


def hold(law, pair, cases):
    """Hold a pair to a law on as many cases as the profile says, and to those that see most on more."""

    @settings(max_examples=max(1, settings.default.max_examples * laws.MORE.get(law, 1) // pair.cost))
    @given(cases)
    def holds(case):
        laws.check(law, pair, case)

    holds()


def each(pairs):
    """Make one test of every row."""
    return pytest.mark.parametrize("pair", pairs, ids=lambda pair: pair.name)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@each(registry.ROWS.values())
def test_law(pair, law):
    hold(law, pair, pair.cases)


@each([pair for pair in registry.ROWS.values() if pair.wild is not None])
def test_both_sides_refuse_the_same(pair):
    hold(laws.refusals, pair, pair.wild)


@each(registry.OPTIMIZERS.values())
def test_optimizer(pair):
    hold(laws.steps, pair, pair.cases)


@each(registry.SCHEDULES.values())
def test_schedule(pair):
    hold(laws.rates, pair, pair.cases)
