"""The error function, which NumPy has not: two quotients of polynomials, one near 0 and one further out.

Near 0 they are those of fdlibm's erf (Sun Microsystems, 1993, s_erf.c), further out those of
Cody (1969, "Rational Chebyshev approximations for the error function", and netlib.org/specfun/erf).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layout import blocks
from .window import Array

NEAR = 0.84375  # up to here: erf(x) = x + x P(x^2) / Q(x^2); all coefficients have the highest power first
P_NEAR = (
    -2.37630166566501626084e-05,
    -5.77027029648944159157e-03,
    -2.84817495755985104766e-02,
    -3.25042107247001499370e-01,
    1.28379167095512558561e-01,
)
Q_NEAR = (
    -3.96022827877536812320e-06,
    1.32494738004321644526e-04,
    5.08130628187576562776e-03,
    6.50222499887672944485e-02,
    3.97917223959155352819e-01,
    1.0,
)

FAR = 6.0  # up to here: erf(x) = 1 - exp(-x^2) P(x) / Q(x); beyond, it is 1 in float64
P_FAR = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e00,
    6.61191906371416295e01,
    2.98635138197400131e02,
    8.81952221241769090e02,
    1.71204761263407058e03,
    2.05107837782607147e03,
    1.23033935479799725e03,
)
Q_FAR = (
    1.0,
    1.57449261107098347e01,
    1.17693950891312499e02,
    5.37181101862009858e02,
    1.62138957456669019e03,
    3.29079923573345963e03,
    4.36261909014324716e03,
    3.43936767414372164e03,
    1.23033935480374942e03,
)


def erf(x: Array) -> Array:
    """Return ``2 / sqrt(pi) * integral from 0 to x of exp(-t^2) dt``, elementwise, right to two ulps.

    What stands between is as large as x a dozen times; so a block of x at a time, which stays in the cache.
    """
    y = np.empty_like(x)
    if x.strides != y.strides:
        return _erf(x)
    for block, result in zip(blocks(x), blocks(y), strict=True):
        result[...] = _erf(block)
    return y


def _erf(x: Array) -> Array:
    size = np.minimum(np.abs(x), FAR)
    signed = np.copysign(size, x)
    square = size * size
    near = signed + signed * (_polynomial(P_NEAR, square) / _polynomial(Q_NEAR, square))
    far = 1 - np.exp(-square) * (_polynomial(P_FAR, size) / _polynomial(Q_FAR, size))
    return np.where(size < NEAR, near, np.copysign(far, x))


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Evaluate a polynomial, highest power first, by Horner's rule."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value
