"""Error and gamma functions of each element; float32 is computed in float64 and rounded once.

In float64 the relative error is at most 2e-15 for erfc and erfinv, and 1e-14 for polygamma.
lgamma, and digamma and polygamma of even n below 0, have zeros in places that cannot be
represented: there the error is 1e-14 of what cancels.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write


def each(dtype):
    return types.void(read(dtype), write(dtype))


# B2, B4, ... of Bernoulli: the sum over a function's values is its integral, plus these times
# its odd derivatives (Euler and Maclaurin).
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330, 854513 / 138, -236364091 / 2730,
)  # fmt: skip


def erfc_naive(x, out):
    for i in range(x.size):
        out[i] = math.erfc(x[i])


@twin_of(erfc_naive, signature=each, rtol=1e-15)
def erfc(x, out):
    """1 - erf x, without the cancellation."""
    for i in range(x.size):
        out[i] = math.erfc(np.float64(x[i]))


def erfinv_naive(x, out):
    for i in range(x.size):
        a = abs(float(x[i]))
        if not a < 1.0:
            out[i] = math.copysign(math.inf, x[i]) if a == 1.0 else math.nan
            continue
        low, high = 0.0, 6.0
        while low < (middle := 0.5 * (low + high)) < high:
            if (math.erf(middle) < a) if a < 0.5 else (math.erfc(middle) > 1.0 - a):
                low = middle
            else:
                high = middle
        out[i] = math.copysign(low, x[i])


# Of the power series of erfinv in √π/2 x.
_ERFINV = (1.0, 1 / 3, 7 / 30, 127 / 630, 4369 / 22680)


@twin_of(erfinv_naive, signature=each, rtol=2e-15)
def erfinv(x, out):
    """The y with erf y = x.

    Against the twin: two steps of Halley from an approximation good to three digits, each of
    which triples the digits; the twin halves an interval.
    """
    for i in range(x.size):
        a = abs(np.float64(x[i]))
        if not a < 1.0:
            out[i] = math.copysign(math.inf, x[i]) if a == 1.0 else math.nan
            continue
        if a < 0.5:
            t = 0.5 * math.sqrt(math.pi) * a
            y = 0.0
            for c in _ERFINV[::-1]:
                y = y * t * t + c
            y *= t
        else:  # Winitzki, A handy approximation for the error function and its inverse (2008)
            log = math.log1p(-a) + math.log1p(a)
            b = 2.0 / (0.147 * math.pi) + 0.5 * log
            y = math.sqrt(math.sqrt(b * b - log / 0.147) - b)
        for _ in range(2):
            # 1 - a is exact from 0.5 on.
            off = math.erf(y) - a if a < 0.5 else (1.0 - a) - math.erfc(y)
            step = 0.5 * math.sqrt(math.pi) * off * math.exp(y * y)
            y -= step / (1.0 + y * step)
        out[i] = math.copysign(y, x[i])


_LGAMMA_END = 2.5599833278516383e305  # it is inf from here on, which Python calls an error


def lgamma_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        pole = v <= 0.0 and v % 1.0 == 0.0
        out[i] = math.inf if pole or v > _LGAMMA_END else math.lgamma(v)


@twin_of(lgamma_naive, signature=each, rtol=1e-13, atol=1e-14)
def lgamma(x, out):
    """log |Γ(x)|; inf at 0, -1, -2, ..."""
    for i in range(x.size):
        v = np.float64(x[i])
        pole = v <= 0.0 and v == np.floor(v)
        out[i] = math.inf if pole or v > _LGAMMA_END else math.lgamma(v)


def digamma_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        if v == 0.0:
            out[i] = math.copysign(math.inf, -v)
            continue
        if math.isinf(v) or (v < 0.0 and v % 1.0 == 0.0):
            out[i] = math.inf if v > 0.0 else math.nan
            continue
        y = 0.0
        if v < 0.0:
            y = -math.pi / math.tan(math.pi * (v - round(v)))
            v = 1.0 - v
        while v < 200.0:
            y -= 1.0 / v
            v += 1.0
        z = 1.0 / v
        out[i] = y + math.log(v) - z / 2 - z**2 / 12 + z**4 / 120


# The zero of digamma, as a sum of two floats, and its power series there.
_ZERO = (1.4616321449683622, 9.549995429965697e-17)
_AROUND_ZERO = (
    0.0, 0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
    0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
    0.022597648232218104, -0.01542476590494896, 0.010538791616612175, -0.007204534386356869,
    0.004926781395729853, -0.003369801655439328, 0.002305126326734928, -0.0015769367714301972,
    0.0010788252019162967, -0.0007380709389960052, 0.000504953265834602, -0.0003454680251063077,
    0.00023635601564027053,
)  # fmt: skip


@twin_of(digamma_naive, signature=each, rtol=1e-13, atol=1e-13)
def digamma(x, out):
    """The slope of log Γ: -inf at 0, inf at -0, NaN at -1, -2, ...

    Against the twin: goes up to 10 instead of 200, with more terms of the asymptotic series, and
    uses a power series around the positive zero, where the twin loses digits.
    """
    for i in range(x.size):
        v = np.float64(x[i])
        if v == 0.0:
            out[i] = math.copysign(math.inf, -v)
            continue
        y = 0.0
        if v < 0.0:
            if v == np.floor(v):
                out[i] = math.nan
                continue
            y = -math.pi / math.tan(math.pi * (v - np.rint(v)))  # of the part that is exact
            v = 1.0 - v
        d = (v - _ZERO[0]) - _ZERO[1]
        if abs(d) < 0.25:
            series = 0.0
            for c in _AROUND_ZERO[::-1]:
                series = series * d + c
            out[i] = y + series
            continue
        while v < 10.0:
            y -= 1.0 / v
            v += 1.0
        z = 1.0 / (v * v)
        series = 0.0
        for k in range(8, 0, -1):
            series = (series + BERNOULLI[k - 1] / (2 * k)) * z
        out[i] = y + (math.log(v) - 0.5 / v - series)


def polygamma_naive(x, n, out):
    def zeta(v):  # the sum over k of (v + k)^-(n + 1), for v > 0
        try:
            total = v ** -(n + 1.0)
        except OverflowError:
            return math.inf
        for k in range(1, 1000):
            total += (v + k) ** -(n + 1.0)
        v += 1000.0
        return total + v**-n / n + v ** -(n + 1.0) / 2 + (n + 1) * v ** -(n + 2.0) / 12

    sign = 1.0 if n % 2 else -1.0
    for i in range(x.size):
        v = float(x[i])
        if not math.isfinite(v):
            y = 0.0 if v > 0.0 else math.nan
        elif v <= 0.0 and v % 1.0 == 0.0:
            y = math.inf
        elif v > 0.0:
            y = zeta(v)
        else:
            r = -v - math.floor(-v)
            y = zeta(1.0 - r) + sign * (zeta(r) - zeta(1.0 - v))
        out[i] = sign * math.factorial(n) * y


@compiled
def _hurwitz_zeta(n, v):
    """The sum over k of (v + k)^-(n + 1), for v > 0."""
    total = 0.0
    while v < n + 10.0:
        total += (1.0 / v) ** (n + 1)
        v += 1.0
    power = (1.0 / v) ** n
    total += power / n + 0.5 * power / v
    term = power  # n (n + 1) ... (n + 2j - 2) v^-(n + 2j - 1), over (2j)!
    for j in range(1, 13):
        term *= ((n + 2 * j - 2) * (n + 2 * j - 1) if j > 1 else (n + 1)) / (v * v)
        term /= (2 * j) * (2 * j - 1)
        total += BERNOULLI[j - 1] * term
    return total


def each_of_order(dtype):
    return types.void(read(dtype), types.int64, write(dtype))


@twin_of(polygamma_naive, signature=each_of_order, rtol=1e-12)
def polygamma(x, n, out):
    """Derivative n of digamma, n ≥ 1: (-1)^(n+1) n! times the sum over k of (x + k)^-(n+1).

    At 0, -1, -2, ... inf for odd n and -inf for even n; below 0 the sum is taken in three parts,
    each of them over positive numbers. Against the twin: goes up to n + 10 instead of 1000, with
    more terms of Euler and Maclaurin's formula.
    """
    sign = 1.0 if n % 2 else -1.0
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    for i in range(x.size):
        v = np.float64(x[i])
        if not math.isfinite(v):
            y = 0.0 if v > 0.0 else math.nan
        elif v <= 0.0 and v == np.floor(v):
            y = math.inf
        elif v > 0.0:
            y = _hurwitz_zeta(n, v)
        else:
            r = -v - np.floor(-v)
            ahead = _hurwitz_zeta(n, 1.0 - r)
            y = ahead + sign * (_hurwitz_zeta(n, r) - _hurwitz_zeta(n, 1.0 - v))
        out[i] = sign * factorial * y
