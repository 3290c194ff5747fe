"""Functions of each element and their gradients, each in one pass over memory.

A kernel is made from a function of one element (see vector_math): `each` puts the loop around it.
Gradients are named f_vjp: g times the slope of f, at x, or at y where that is simpler.
"""

from __future__ import annotations

import math

from . import vector_math
from .templates import each
from .vector_math import chosen

# The twins run in float64, and limit what they hand to math.exp, which raises where it overflows.


def exp_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = math.inf if v > 709.78 else math.exp(v)


@each(exp_naive, rtol=2e-7)
def exp(x):
    """e to the power x."""
    return vector_math.exp(x)


def log_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = math.log(v) if v > 0.0 else -math.inf if v == 0.0 else math.nan


@each(log_naive, rtol=2e-7)
def log(x):
    """Natural logarithm; -inf at 0, NaN below."""
    return vector_math.log(x)


def erf_naive(x, out):
    for i in range(x.size):
        out[i] = math.erf(x[i])


@each(erf_naive, rtol=4e-7)
def erf(x):
    """2/√π times the integral of exp(-t²) from 0 to x."""
    return vector_math.erf(x)


def tanh_naive(x, out):
    for i in range(x.size):
        out[i] = math.tanh(x[i])


@each(tanh_naive, rtol=4e-7)
def tanh(x):
    """Hyperbolic tangent."""
    return vector_math.tanh(x)


def tanh_vjp_naive(g, y, out):
    for i in range(g.size):
        out[i] = g[i] * (1.0 - y[i] * y[i])


@each(tanh_vjp_naive, arrays=2, rtol=4e-7, atol=1e-6)
def tanh_vjp(g, y):
    """g (1 - y²), where the twin rounds y² first, and loses digits near 1."""
    return g * (1.0 - y * y)


def sigmoid_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = 1.0 / (1.0 + math.exp(-v)) if v > -700.0 else math.exp(v)


@each(sigmoid_naive, rtol=4e-7)
def sigmoid(x):
    """1 / (1 + exp(-x)), keeping the digits of small results."""
    return vector_math.sigmoid(x)


def sigmoid_vjp_naive(g, y, out):
    for i in range(g.size):
        out[i] = g[i] * (y[i] * (1.0 - y[i]))


@each(sigmoid_vjp_naive, arrays=2, rtol=4e-7)
def sigmoid_vjp(g, y):
    """g y (1 - y)."""
    return g * (y * (1.0 - y))


def silu_naive(x, a, out):
    for i in range(x.size):
        v = a * float(x[i])
        out[i] = x[i] / (1.0 + math.exp(-v)) if v > -700.0 else x[i] * math.exp(v)


@each(silu_naive, params=1, rtol=4e-6)
def silu(x, a):
    """x σ(a x): SiLU for a = 1, an approximation of GELU for a = 1.702."""
    return x * vector_math.sigmoid(a * x)


def silu_vjp_naive(g, x, a, out):
    for i in range(g.size):
        v = a * float(x[i])
        y = 1.0 / (1.0 + math.exp(-v)) if v > -700.0 else math.exp(v)
        out[i] = g[i] * (y * (1.0 + v * (1.0 - y)))


@each(silu_vjp_naive, arrays=2, params=1, rtol=4e-6, atol=1e-7)
def silu_vjp(g, x, a):
    """g σ(v) (1 + v (1 - σ(v))) with v = a x."""
    v = a * x
    y = vector_math.sigmoid(v)
    return g * (y * (1.0 + v * (1.0 - y)))


PEAK = 1.0 / math.sqrt(2.0 * math.pi)  # of the normal density


def gelu_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = v * (0.5 * math.erfc(-v * math.sqrt(0.5)))


@each(gelu_naive, rtol=5e-6)
def gelu(x):
    """x Φ(x), with the normal distribution function Φ.

    Far below 0 the twin is the less exact one: it rounds x / √2.
    """
    return vector_math.gelu(x)


def gelu_vjp_naive(g, x, out):
    for i in range(g.size):
        v = float(x[i])
        bell = math.exp(-0.5 * v * v) / math.sqrt(2.0 * math.pi)
        out[i] = g[i] * (0.5 * math.erfc(-v * math.sqrt(0.5)) + v * bell)


@each(gelu_vjp_naive, arrays=2, rtol=1e-6, atol=1e-6)
def gelu_vjp(g, x):
    """g (Φ(x) + x φ(x)), with one exp for both: φ is the derivative of Φ."""
    phi, bell = vector_math.normal(x)
    return g * (phi + x * (PEAK * bell))


TWICE = 2.0 * math.sqrt(2.0 / math.pi)
CUBE = TWICE * 0.044715


def gelu_tanh_naive(x, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = 0.5 * v * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (v + 0.044715 * v**3)))


@each(gelu_tanh_naive, rtol=2e-6, atol=1e-7)
def gelu_tanh(x):
    """x (1 + tanh u) / 2 = x σ(2 u), u = √(2/π) (x + 0.044715 x³): the second does not cancel."""
    return x * vector_math.sigmoid(x * (TWICE + CUBE * (x * x)))


def gelu_tanh_vjp_naive(g, x, out):
    for i in range(g.size):
        v = float(x[i])
        y = math.tanh(math.sqrt(2.0 / math.pi) * (v + 0.044715 * v**3))
        slope = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * v * v)
        out[i] = g[i] * (0.5 * (1.0 + y) + 0.5 * v * ((1.0 - y * y) * slope))


@each(gelu_tanh_vjp_naive, arrays=2, rtol=2e-6, atol=1e-6)
def gelu_tanh_vjp(g, x):
    """g (σ + x σ (1 - σ) 2 u'), at 2 u."""
    z = x * x
    y = vector_math.sigmoid(x * (TWICE + CUBE * z))
    slope = TWICE + 3.0 * CUBE * z
    return g * (y * (1.0 + x * ((1.0 - y) * slope)))


def softplus_naive(x, beta, threshold, out):
    for i in range(x.size):
        v = beta * float(x[i])
        out[i] = x[i] if v > threshold else math.log1p(math.exp(v)) / beta


@each(softplus_naive, params=2, rtol=1e-6)
def softplus(x, beta, threshold):
    """log(1 + exp(beta x)) / beta, and x where beta x is above the threshold."""
    v = beta * x
    y = (chosen(v < 0.0, 0.0, v) + vector_math.log1p(vector_math.exp_below(-abs(v)))) / beta
    return chosen(v > threshold, x, y)


def softplus_vjp_naive(g, x, beta, threshold, out):
    for i in range(g.size):
        v = beta * float(x[i])
        out[i] = g[i] if v > threshold else g[i] * math.exp(v) / (1.0 + math.exp(v))


@each(softplus_vjp_naive, arrays=2, params=2, rtol=1e-6)
def softplus_vjp(g, x, beta, threshold):
    """g σ(beta x), and g where beta x is above the threshold."""
    v = beta * x
    y = g * vector_math.sigmoid(v)
    return chosen(v > threshold, g, y)


def elu_naive(x, a, s, b, out):
    for i in range(x.size):
        v = float(x[i])
        out[i] = s * (a * math.expm1(b * v) if v <= 0.0 else v)


@each(elu_naive, params=3, rtol=1e-6)
def elu(x, a, s, b):
    """s x above 0, s a (exp(b x) - 1) below: ELU has s = b = 1, SELU b = 1, CELU b = 1 / a."""
    y = a * vector_math.expm1(b * x)
    return s * chosen(x <= 0.0, y, x)


def elu_vjp_naive(g, x, a, s, b, out):
    for i in range(g.size):
        v = float(x[i])
        out[i] = s * g[i] * (a * b * math.exp(b * v) if v <= 0.0 else 1.0)


@each(elu_vjp_naive, arrays=2, params=3, rtol=1e-6)
def elu_vjp(g, x, a, s, b):
    """s g above 0, s g a b exp(b x) below."""
    y = a * b * vector_math.exp(b * x)
    return s * g * chosen(x <= 0.0, y, 1.0)


def relu_naive(x, out):
    for i in range(x.size):
        out[i] = 0.0 if x[i] <= 0.0 else x[i]


@each(relu_naive, rtol=0.0)
def relu(x):
    """max(x, 0); NaN stays."""
    return 0.0 if x <= 0.0 else x


def relu_vjp_naive(g, y, out):
    for i in range(g.size):
        out[i] = 0.0 if y[i] <= 0.0 else g[i]


@each(relu_vjp_naive, arrays=2, rtol=0.0)
def relu_vjp(g, y):
    """g where y > 0; y may be x."""
    return 0.0 if y <= 0.0 else g


def leaky_relu_naive(x, slope, out):
    for i in range(x.size):
        out[i] = x[i] if x[i] > 0.0 else slope * x[i]


@each(leaky_relu_naive, params=1, rtol=2e-7)
def leaky_relu(x, slope):
    """x above 0, slope x below."""
    below = slope * x
    return x if x > 0.0 else below


def leaky_relu_vjp_naive(g, x, slope, out):
    for i in range(g.size):
        out[i] = g[i] if x[i] > 0.0 else slope * g[i]


@each(leaky_relu_vjp_naive, arrays=2, params=1, rtol=2e-7)
def leaky_relu_vjp(g, x, slope):
    """g above 0, slope g below."""
    below = slope * g
    return g if x > 0.0 else below


def hardtanh_naive(x, low, high, out):
    for i in range(x.size):
        out[i] = low if x[i] < low else high if x[i] > high else x[i]


@each(hardtanh_naive, params=2, rtol=2e-7)
def hardtanh(x, low, high):
    """x within [low, high]; NaN stays."""
    x = low if x < low else x
    return high if x > high else x


def hardtanh_vjp_naive(g, x, low, high, out):
    for i in range(g.size):
        out[i] = 0.0 if x[i] <= low or x[i] >= high else g[i]


@each(hardtanh_vjp_naive, arrays=2, params=2, rtol=0.0)
def hardtanh_vjp(g, x, low, high):
    """g where x is strictly within (low, high)."""
    g = 0.0 if x <= low else g
    return 0.0 if x >= high else g


def threshold_naive(x, limit, value, out):
    for i in range(x.size):
        out[i] = value if x[i] <= limit else x[i]


@each(threshold_naive, params=2, rtol=2e-7)
def threshold(x, limit, value):
    """x above the limit, value elsewhere."""
    return value if x <= limit else x


def threshold_vjp_naive(g, x, limit, out):
    for i in range(g.size):
        out[i] = 0.0 if x[i] <= limit else g[i]


@each(threshold_vjp_naive, arrays=2, params=1, rtol=0.0)
def threshold_vjp(g, x, limit):
    """g where x is above the limit."""
    return 0.0 if x <= limit else g
