"""exp, log, tanh and their kind as arithmetic alone, so that loops over them become vector code.

Each function is written once, for numbers of either width: `Both` holds what differs, and float
literals take the width of x (write 1.0, not 1). Largest errors, in units in the last place:

    exp 1.0   log 0.8   log1p 1.4   tanh 2.4   sigmoid 2.3   erf 3.0   gelu 6.0 and 7.0

The last in float32 and float64; the others in both, and over all numbers, denormal ones too.

Polynomials are near the best of their degree on their interval, with the relative error far below
one unit: least squares at Chebyshev nodes, weighted anew until the errors are even (Lawson).
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types as numba_types
from numba.extending import intrinsic, overload

from .pair import FLAGS


class Both(NamedTuple):
    """What a function needs for float32, and the same for float64."""

    single: Any
    double: Any


def number(function: Callable[..., Any]) -> Any:
    """Make a function of floats one that compiled code, and Python, runs at the width of x."""
    forms = Both(*(_at_width(function, width) for width in (0, 1)))

    def call(x, *rest):
        return forms[isinstance(x, np.float64)](x, *rest)

    @overload(call, strict=False, jit_options={"forceinline": True})
    def choose(x, *rest):  # pyright: ignore[reportUnusedFunction]
        form = forms[x == numba_types.float64]
        return lambda x, *rest: form(x, *rest)

    call.forms = forms  # pyright: ignore[reportFunctionMemberAccess]
    call.__doc__ = function.__doc__
    return call


def _at_width(function: Callable[..., Any], width: int) -> Any:
    """Return the function with its constants, and the functions it calls, at one width."""
    real = (np.float32, np.float64)[width]

    def fit(x: Any) -> Any:
        if isinstance(x, Both):
            return fit(x[width])
        if isinstance(x, tuple):
            return tuple(map(fit, x))
        return real(x) if isinstance(x, float) else getattr(x, "forms", (x, x))[width]

    code = function.__code__.replace(co_consts=tuple(map(fit, function.__code__.co_consts)))
    known = function.__globals__
    used = {name: fit(known[name]) for name in code.co_names if name in known}
    name = f"{function.__name__}_{real.__name__}"
    fitted = types.FunctionType(code, known | used, name)
    fitted.__qualname__ = name  # which the cache goes by
    fitted.__module__ = function.__module__
    # A call that is left in a loop keeps it from becoming vector code.
    return numba.njit(fastmath={"contract"}, forceinline=True, **FLAGS)(fitted)


Real: Any = Both(np.float32, np.float64)
Whole: Any = Both(np.int32, np.int64)
FRACTION: Any = Both(23, 52)  # bits
BIAS: Any = Both(127, 1023)
LIFT: Any = Both(24, 64)  # powers of 2 that make denormal numbers normal
DROP: Any = Both(2.0**-24, 2.0**-64)
SIGN: Any = Both(-(1 << 31), -(1 << 63))
# Adding this and taking it away again rounds to whole numbers, which then are in the low bits.
ROUNDER: Any = Both(1.5 * 2.0**23, 1.5 * 2.0**52)
INVERSE_LN2 = 1.4426950408889634
# ln 2 in two parts: whole numbers that occur, times the first, are exact.
LN2: Any = Both(
    (0.693145751953125, 1.428606765330187e-06), (0.6931471803691238, 1.9082149292705877e-10)
)


@number
def of_type(x, c):
    """The number c in the type of x, so that a constant beside float32 does not widen it."""
    return Real(c)


def _horner(typingctx, x, coefficients):  # type: ignore
    """The polynomial with these coefficients, the highest power first.

    Unrolled here: the compiler leaves the longer ones as loops, and those around them scalar.
    """

    def codegen(context, builder, signature, args):  # type: ignore
        x, known = args
        y = builder.extract_value(known, 0)
        for k in range(1, len(coefficients)):
            y = builder.fmul(y, x, flags=("contract",))
            y = builder.fadd(y, builder.extract_value(known, k), flags=("contract",))
        return y

    return x(x, coefficients), codegen


horner: Any = intrinsic(_horner)


@number
def chosen(condition, x, y):
    """x if the condition holds, else y: both are there, so that there is nothing to jump over."""
    return x if condition else y


@number
def limited(x, low, high):
    """x within [low, high]; NaN stays."""
    x = low if x < low else x
    return high if x > high else x


# (exp(r) - 1 - r) / r² for |r| up to ln 2 / 2.
EXP: Any = Both(
    (
        0.0013814858393743634, 0.008368748240172863, 0.04166838526725769, 0.1666651964187622,
        0.4999999403953552,
    ),
    (
        2.0828337580560947e-09, 2.5112070165921075e-08, 2.755757622200767e-07,
        2.755723476915425e-06, 2.4801586933397733e-05, 0.00019841269896473765,
        0.001388888888911205, 0.008333333333316999, 0.0416666666666661, 0.16666666666666682, 0.5,
    ),
)  # fmt: skip
EXP_ENDS: Any = Both((-104.0, 100.0), (-745.5, 720.0))  # beyond them it is 0 and inf


@number
def power_of_2(k):
    """2 to the power of a whole number, where that is a normal number."""
    return Whole((k + BIAS) << FRACTION).view(Real)


@number
def halved(x, low):
    """(k, r) with x + low = k ln 2 + r and |r| ≤ ln 2 / 2; low is small beside x."""
    shifted = Real((x + low) * INVERSE_LN2 + ROUNDER)
    n = shifted - ROUNDER
    k = shifted.view(Whole) - Real(ROUNDER).view(Whole)
    return k, ((x - n * LN2[0]) + low) - n * LN2[1]


@number
def exp_parts(x, low):
    """(k, y) with exp(x + low) = 2^k y, where low is small beside x, and y from √½ to √2.

    x is within EXP_ENDS.
    """
    k, r = halved(x, low)
    return k, 1.0 + (r + r * r * horner(r, EXP))


@number
def exp(x):
    """e to the power x."""
    k, y = exp_parts(limited(x, EXP_ENDS[0], EXP_ENDS[1]), -0.0)
    # In two steps, each of which is a normal number: up to the largest result and down to the
    # smallest, which may be a denormal number.
    half = k >> 1
    return y * power_of_2(half) * power_of_2(k - half)


@number
def exp_of_sum_below(x, low):
    """exp(x + low) for x from EXP_ENDS[0] to 0, where low is small beside x."""
    k, y = exp_parts(x, low)
    return y * power_of_2(k + LIFT) * DROP


@number
def exp_below(x):
    """exp(x) for x up to 0, quicker than exp."""
    return exp_of_sum_below(chosen(x < EXP_ENDS[0], EXP_ENDS[0], x), -0.0)


@number
def expm1(x):
    """exp(x) - 1 for x up to 40, exact where that is small."""
    k, r = halved(limited(x, -40.0, 40.0), -0.0)
    power = power_of_2(k)
    return power * (r + r * r * horner(r, EXP)) + (power - 1.0)


@number
def with_sign(size, x):
    """Size, which is not negative, with the sign of x: of zeros, too."""
    sign = Real(x).view(Whole) & SIGN
    return Whole(Real(size).view(Whole) | sign).view(Real)


@number
def tanh(x):
    """Hyperbolic tangent: with t = exp(2 |x|) - 1 it is t / (t + 2), at the sign of x."""
    t = expm1(2.0 * limited(abs(x), 0.0, 20.0))
    return with_sign(t / (t + 2.0), x)


@number
def sigmoid(x):
    """1 / (1 + exp(-x)), of exp(-|x|) alone, which keeps the digits of both ends."""
    e = exp_below(-abs(x))
    return chosen(x < 0.0, e, 1.0) / (1.0 + e)


# (log((1 + s) / (1 - s)) - 2 s) / s³ in powers of s², for s up to 1/3.
LOG: Any = Both(
    (
        0.24301102757453918, 0.21427607536315918, 0.2861689031124115, 0.3999887704849243,
        0.6666667461395264,
    ),
    (
        0.16055690136366182, 0.0579778455516224, 0.10094186809018127, 0.10455696064502151,
        0.11770528760695012, 0.1333300672836864, 0.1538462782876389, 0.18181817866568445,
        0.2222222222729681, 0.28571428571380764, 0.40000000000000224, 0.6666666666666666,
    ),
)  # fmt: skip


@number
def log1p_part(f):
    """(h, c) with log(1 + f) = f - (h - c) for f from -0.3 to 1, c by the series of atanh."""
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    return h, s * (h + z * horner(z, LOG))


@number
def log1p(f):
    """log(1 + f) for f from 0 to 1."""
    h, c = log1p_part(f)
    return f - (h - c)


SMALLEST: Any = Both(2.0**-126, 2.0**-1022)  # normal number
HALF_ROOT: Any = Both(0x3F3504F3, 0x3FE6A09E667F3BCD)  # the bits of √½
INF, NAN = float("inf"), float("nan")


@number
def log(x):
    """Natural logarithm: x = 2^k (1 + f) with 1 + f from √½ to √2; -inf at 0, NaN below."""
    tiny = x < SMALLEST
    bits = Real(chosen(tiny, x / DROP, x)).view(Whole)
    k = Whole(Whole(bits - HALF_ROOT) >> FRACTION)
    f = Whole(bits - Whole(k << FRACTION)).view(Real) - 1.0
    n = Real(k - chosen(tiny, LIFT, 0))
    h, c = log1p_part(f)
    y = n * LN2[0] + (f - (h - (c + n * LN2[1])))
    y = chosen(x < INF, y, x)
    y = chosen(x < 0.0, NAN, y)
    return chosen(x == 0.0, -INF, y)


SIGN_BIT: Any = Both(31, 63)


@number
def ordered(x):
    """A whole number that stands to others as x does, NaN of positive sign above all.

    The compiler makes vector code of the maximum of whole numbers, and not of that of floats.
    """
    bits = Real(x).view(Whole)
    return Whole(bits ^ (Whole(bits >> SIGN_BIT) & ~SIGN))


@number
def unordered(x, bits):
    """The float whose `ordered` is bits; x is any number of its type."""
    return Whole(bits ^ (Whole(bits >> SIGN_BIT) & ~SIGN)).view(Real)


# (a + K) Φ(-a) exp(a²/2) in powers of (a - K) / (a + K): Mills' ratio, without its pole and its
# fall, in the variable of Shepherd and Laframboise, Chebyshev approximation of (1 + 2x) exp(x²)
# erfc x, Mathematics of Computation 36 (1981).
MIDDLE: Any = Both(2.5, 4.0)
MILLS: Any = Both(
    (
        -0.00015792748308740556, -0.0003129824181087315, 0.0006834060768596828,
        0.0025252392515540123, -0.0015996948350220919, -0.016386575996875763,
        0.009235545992851257, 0.13198702037334442, -0.43369197845458984, 0.7066566348075867,
    ),
    (
        -9.512991024047347e-10, 1.0768241006920988e-10, 1.390350496575988e-08,
        1.4468530167047007e-08, -7.63984192563988e-08, -1.5411646334002175e-07,
        2.637443650566312e-07, 1.019696831151206e-06, -6.25193110588506e-07,
        -5.91884478718702e-06, 7.15037346304297e-07, 3.514416799822778e-05,
        -1.9078762382182562e-06, -0.0002310948161145127, 0.0001333442557794809,
        0.0016308184416757216, -0.003479692362423222, -0.007540188965582072,
        0.06039657489070879, -0.1865218579596944, 0.3871374007422187, -0.6078966419718917,
        0.7552851304157515,
    ),
)  # fmt: skip
# erf(x) / x in powers of x², for |x| up to 1/2.
ERF: Any = Both(
    (
        0.004717984702438116, -0.02675718069076538, 0.11282822489738464, -0.37612608075141907,
        1.1283791065216064,
    ),
    (
        -1.461849435795902e-07, 1.6370961784257324e-06, -1.4922990561550691e-05,
        0.00012055285877514757, -0.0008548326505931243, 0.0052239776219753205,
        -0.02686617064499769, 0.11283791670954864, -0.3761263890318375, 1.1283791670955126,
    ),
)  # fmt: skip
# Where exp(-x²/2) is about to be 0.
FAR: Any = Both(14.4, 38.6)


def _square_rest(typingctx, x, square):  # type: ignore
    """What rounding has taken from x²: x x - square, rounded once."""

    def codegen(context, builder, signature, args):  # type: ignore
        x, square = args
        return builder.fma(x, x, builder.fneg(square))

    return x(x, x), codegen


square_rest: Any = intrinsic(_square_rest)


@number
def mills(a):
    """Φ(-a) exp(a²/2) for a from 0 to 38.6."""
    t = 1.0 / (a + MIDDLE)
    return t * horner(1.0 - 2.0 * MIDDLE * t, MILLS)


@number
def bell(a, half):
    """exp(-half a²), which would lose digits to the rounding of a² where that is large."""
    square = a * a
    return exp_of_sum_below(-half * square, -half * square_rest(a, square))


@number
def erf(x):
    """2/√π times the integral of exp(-t²) from 0 to x: a polynomial near 0, else 1 - erfc."""
    a = abs(x)
    a = chosen(a > 6.0, 6.0, a)
    near = a * horner(a * a, ERF)
    far = 1.0 - 2.0 * mills(1.4142135623730951 * a) * bell(a, 1.0)
    return with_sign(chosen(a < 0.5, near, far), x)


@number
def normal(x):
    """(Φ(x), exp(-x²/2)), Φ being the normal distribution function, exact where it is small."""
    a = abs(x)
    a = chosen(a > FAR, FAR, a)
    e = bell(a, 0.5)
    tail = mills(a) * e
    return chosen(x < 0.0, tail, 1.0 - tail), e


@number
def gelu(x):
    """x Φ(x): above 0 it is x less what it is at -x."""
    a = abs(x)
    a = chosen(a > FAR, FAR, a)
    return chosen(x < 0.0, 0.0, x) - a * mills(a) * bell(a, 0.5)
