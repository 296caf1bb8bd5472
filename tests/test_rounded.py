"""Formulas in float64: every number once, whatever the layout, and one rounding."""

from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from numpycnn.kernels import rounded


@st.composite
def arrays(draw):
    """Draw an array of float32 in any layout, with gaps, backwards, or of no numbers."""
    shape = draw(st.lists(st.integers(0, 5), max_size=4))
    order = draw(st.permutations(range(len(shape))))
    numbers = np.random.default_rng(draw(st.integers(0, 99))).standard_normal([2 * shape[axis] for axis in order])
    return numbers.astype(np.float32)[
        tuple(slice(None, None, draw(st.sampled_from([2, -2]))) for _ in order)
    ].transpose(np.argsort(order))


@given(arrays(), st.integers(1, 30))
def test_slabs_are_small_and_cover_everything_once(x, most):
    counts = np.zeros(x.shape, int)
    with mock.patch.object(rounded, "SLAB", most):
        for slab in rounded._slabs(x):
            counts[slab] += 1
            assert x[slab].size <= most
    assert (counts == 1).all()


@given(arrays(), st.integers(1, 30))
def test_formulas_are_rounded_once(x, most):
    other, wide = -x[..., ::-1] if x.ndim else -x, x.astype(float)
    with mock.patch.object(rounded, "SLAB", most):
        y = rounded.rounded_once(lambda a, b: (a / 3 + 1) * b, x, other)
        np.testing.assert_array_equal(y, ((wide / 3 + 1) * other).astype(np.float32), strict=True)
