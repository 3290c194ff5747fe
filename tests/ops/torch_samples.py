"""What PyTorch's own samples are run on: the names, how ours is called, and what is left out."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from operator import methodcaller
from typing import Any

import pytest

import autograd_core as ag
import nn.functional as F

FAMILIES = {
    "elementwise": """
        __radd__ __rand__ __rdiv__ __rmatmul__ __rmod__ __rmul__ __ror__ __rpow__ __rsub__ __rxor__
        abs acos acosh add addcdiv addcmul allclose asin asinh atan atan2 atanh bitwise_and
        bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor ceil clamp
        clamp_max clamp_min clone copysign cos cosh deg2rad digamma div eq equal erf erfc erfinv exp
        exp2 expm1 float_power floor floor_divide fmax fmin fmod frac ge gt heaviside hypot isclose
        isfinite isinf isnan isneginf isposinf isreal ldexp le lerp lgamma log log10 log1p log2
        logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logit lt maximum minimum
        mul nan_to_num ne neg polygamma positive pow rad2deg reciprocal remainder round rsqrt rsub
        sgn sigmoid sign signbit sin sinc sinh sqrt square sub tan tanh true_divide trunc where
        xlogy
    """,
    "reduction": """
        all amax amin aminmax any argmax argmin count_nonzero cummax cummin cumprod cumsum
        cumulative_trapezoid diff dist log_softmax logcumsumexp logsumexp max mean median min mode
        nanmean nanmedian nanquantile nansum norm prod quantile renorm softmax std std_mean sum
        trapezoid trapz var var_mean
    """,
    "sorting": """
        argsort bincount bucketize histc histogram isin kthvalue msort searchsorted sort topk unique
        unique_consecutive
    """,
    "shape": """
        T as_strided atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors broadcast_to
        cartesian_prod cat chunk column_stack combinations diag diag_embed diagflat diagonal dsplit
        H dstack expand expand_as flatten flip fliplr flipud hsplit hstack kron mT meshgrid movedim
        narrow nn.functional.pad permute ravel repeat repeat_interleave reshape reshape_as roll
        rot90 select split split_with_sizes squeeze stack t tensor_split tile transpose tril triu
        unbind unflatten unfold unsqueeze view view_as vsplit vstack
    """,
    "indexing": """
        __getitem__ argwhere gather index_add index_copy index_fill index_put index_select
        masked_fill masked_scatter masked_select nn.functional.one_hot nonzero put scatter
        scatter_add scatter_reduce take take_along_dim
    """,
    "products": """
        addbmm addmm addmv addr baddbmm bmm cdist corrcoef cov cross dot einsum inner matmul mm mv
        outer tensordot trace vdot
    """,
    "linalg": """
        cholesky_inverse cholesky_solve linalg.cholesky linalg.cond linalg.cross linalg.det
        linalg.diagonal linalg.eigh linalg.eigvalsh linalg.inv linalg.lstsq linalg.matrix_norm
        linalg.matrix_power linalg.matrix_rank linalg.multi_dot linalg.norm linalg.pinv linalg.qr
        linalg.slogdet linalg.solve linalg.solve_triangular linalg.svd linalg.svdvals linalg.vecdot
        linalg.vector_norm logdet matrix_exp pinverse
    """,
    "activations": """
        nn.functional.celu nn.functional.elu nn.functional.gelu nn.functional.glu
        nn.functional.hardshrink nn.functional.hardsigmoid nn.functional.hardswish
        nn.functional.hardtanh nn.functional.leaky_relu nn.functional.logsigmoid nn.functional.mish
        nn.functional.prelu nn.functional.relu6 nn.functional.rrelu nn.functional.selu
        nn.functional.silu nn.functional.softmin nn.functional.softplus nn.functional.softshrink
        nn.functional.softsign nn.functional.tanhshrink nn.functional.threshold
    """,
    "images": """
        nn.functional.adaptive_avg_pool1d nn.functional.adaptive_avg_pool2d
        nn.functional.adaptive_avg_pool3d nn.functional.adaptive_max_pool1d
        nn.functional.adaptive_max_pool2d nn.functional.adaptive_max_pool3d
        nn.functional.avg_pool1d nn.functional.avg_pool2d nn.functional.avg_pool3d
        nn.functional.batch_norm nn.functional.channel_shuffle nn.functional.conv1d
        nn.functional.conv2d nn.functional.conv3d nn.functional.conv_transpose1d
        nn.functional.conv_transpose2d nn.functional.conv_transpose3d
        nn.functional.group_norm nn.functional.instance_norm nn.functional.interpolate
        nn.functional.layer_norm nn.functional.local_response_norm nn.functional.max_pool1d
        nn.functional.max_pool2d nn.functional.max_pool3d nn.functional.max_unpool1d
        nn.functional.max_unpool2d nn.functional.max_unpool3d nn.functional.normalize
        nn.functional.pixel_shuffle nn.functional.pixel_unshuffle nn.functional.rms_norm
        nn.functional.unfold nn.functional.upsample_bilinear nn.functional.upsample_nearest
    """,
    "lookups": """
        nn.functional.bilinear nn.functional.embedding nn.functional.embedding_bag
    """,
    "losses": """
        nn.functional.binary_cross_entropy nn.functional.binary_cross_entropy_with_logits
        nn.functional.cosine_embedding_loss nn.functional.cosine_similarity nn.functional.ctc_loss
        nn.functional.gaussian_nll_loss nn.functional.hinge_embedding_loss nn.functional.huber_loss
        nn.functional.kl_div nn.functional.l1_loss nn.functional.margin_ranking_loss
        nn.functional.multi_margin_loss nn.functional.multilabel_margin_loss
        nn.functional.multilabel_soft_margin_loss nn.functional.pairwise_distance
        nn.functional.pdist nn.functional.poisson_nll_loss nn.functional.smooth_l1_loss
        nn.functional.soft_margin_loss nn.functional.triplet_margin_loss
        nn.functional.triplet_margin_with_distance_loss
    """,
    "creation": """
        arange bool byte char contiguous double eye float full full_like half int item linspace
        logspace long new_full new_ones new_zeros ones ones_like short tril_indices triu_indices
        zero_ zeros zeros_like
    """,
    "networks": """
        nn.functional.cross_entropy nn.functional.linear nn.functional.mse_loss
        nn.functional.nll_loss nn.functional.relu
    """,
}
# Ours that cannot be compared: the numbers are not determined, or the samples are all about
# devices and memory formats.
UNDETERMINED = """
    bernoulli empty empty_like multinomial new_empty normal rand_like randint randint_like randn
    randn_like to nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d
    nn.functional.alpha_dropout nn.functional.feature_alpha_dropout
    nn.functional.multi_head_attention_forward nn.functional.scaled_dot_product_attention
"""
NAMES = [name for names in FAMILIES.values() for name in names.split()]

# What PyTorch has and this library does without, and why.
WITHOUT = {
    "Tensor.as_strided_": "memory is reached through views, not by numbers of bytes",
    **dict.fromkeys(("group_norm", "layer_norm", "rms_norm"), "they are in nn.functional"),
}

OURS: Any = ag  # with names that type checkers learn later
BAD = "refused"  # in place of a dtype
DIMS = 64  # NumPy has no more

# Samples are called as PyTorch's table calls them, which is not always as users do.
CALLS: dict[str, Callable[..., Any]] = {
    # PyTorch's samples have the weight first.
    "nn.functional.embedding": lambda w, i, **names: F.embedding(i, w, **names),
    "nn.functional.embedding_bag": lambda w, i, **names: F.embedding_bag(i, w, **names),
    "__radd__": lambda x, y: y + x,
    "__rand__": lambda x, y: y & x,
    "__rdiv__": lambda x, y: y / x,
    "__rmatmul__": lambda x, y: y @ x,
    "__rmod__": lambda x, y: y % x,
    "__rmul__": lambda x, y: y * x,
    "__ror__": lambda x, y: y | x,
    "__rpow__": lambda x, y: y**x,
    "__rsub__": lambda x, y: y - x,
    "__rxor__": lambda x, y: y ^ x,
    "T": lambda x: x.T,
    "H": lambda x: x.H,
    "mT": lambda x: x.mT,
    **{
        name: methodcaller(name)
        for name in ("bool", "byte", "char", "double", "float", "half", "int", "long", "short")
    },
    "einsum": lambda tensors, equation: OURS.einsum(equation, *tensors),
    "polygamma": lambda x, n: OURS.polygamma(n, x),
    "zero_": lambda x: x.clone().zero_(),
    "where": lambda x, condition, other: OURS.where(condition, x, other),
    "nn.functional.triplet_margin_with_distance_loss": lambda *args, **options: (
        OURS.nn.functional.triplet_margin_with_distance_loss(
            *args, **{**options, "distance_function": OURS.nn.PairwiseDistance()}
        )
    ),
    "linalg.lstsq.grad_oriented": lambda a, b, driver: OURS.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv.singular": lambda a, b: OURS.linalg.pinv(a @ b.mT),
}


def on_symmetric(call: Callable[..., Any]) -> Callable[..., Any]:
    """Make what reads one half of a symmetric matrix a function of all its elements."""
    return lambda x, *args, **kwargs: call(x + x.mT, *args, **kwargs)


def on_triangle(call: Callable[..., Any]) -> Callable[..., Any]:
    """Keep derivatives out of the half of the last matrix that is not read."""

    def triangular(*args: Any, upper: bool = False) -> Any:
        *others, x = args
        return call(*others, x.triu() if upper else x.tril(), upper=upper)

    return triangular


def on_log_probabilities(call: Callable[..., Any]) -> Callable[..., Any]:
    """Normalise first: PyTorch's gradient of ctc_loss takes for granted that someone did."""
    return lambda x, *args, **kwargs: call(x.log_softmax(-1), *args, **kwargs)


def unheard(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let both sides warn in vain."""

    def quietly(*args: Any, **kwargs: Any) -> Any:
        with quiet():
            return call(*args, **kwargs)

    return quietly


def on_copies(call: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the running statistics alone, which PyTorch's samples share."""

    def on_clones(x: Any, *running: Any, **kwargs: Any) -> Any:
        return call(x, *[s if s is None else s.clone() for s in running], **kwargs)

    return on_clones


# Of both sides, where PyTorch's own checks of gradients do the like.
WRAPPERS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "linalg.cholesky": on_symmetric,
    "linalg.eigh": on_symmetric,
    "linalg.eigvalsh": on_symmetric,
    "linalg.pinv.hermitian": on_symmetric,
    "cholesky_inverse": on_triangle,
    "cholesky_solve": on_triangle,
    "nn.functional.batch_norm": on_copies,
    "nn.functional.batch_norm.without_cudnn": on_copies,
    "nn.functional.ctc_loss": on_log_probabilities,
    "nn.functional.kl_div": unheard,
}


@dataclass(frozen=True)
class LeftOut:
    """Samples of one entry of PyTorch's table that are not compared in some checks, and why."""

    name: str  # of the entry, with its variant: "linalg.pinv.singular"
    checks: tuple[str, ...]
    why: str
    when: Callable[[Any], bool] = lambda sample: True


def numbers(sample: Any) -> bool:
    """Tell whether a number stands where PyTorch wants a tensor."""
    return any(isinstance(x, (int, float)) for x in (sample.input, *sample.args))


def whole(sample: Any) -> bool:
    """Tell whether the sample is one of integers or truths, of which many are equal."""
    return not sample.input.is_floating_point()


def truths(sample: Any) -> bool:
    """Tell whether the sample is one of truths."""
    return str(sample.input.dtype) == "torch.bool"


def alone(sample: Any) -> bool:
    """Tell whether the first operand has one element only."""
    return sample.input.numel() == 1


def far_apart(sample: Any) -> bool:
    """Tell whether a sample of float32 has numbers of quite different sizes."""
    return str(sample.input.dtype) == "torch.float32" and sample.input.max() > 1e3


def other_dtype(sample: Any) -> bool:
    """Tell whether what is scattered has a dtype of its own."""
    return sample.args[2].dtype != sample.input.dtype


def on_an_edge(sample: Any) -> bool:
    """Tell whether the middle of the bins is the only number, as float32 has it."""
    return alone(sample) and str(sample.input.dtype) == "torch.float32"


def no_axes(sample: Any) -> bool:
    """Tell whether the first operand has no axes."""
    return sample.input.ndim == 0


def one_axis(sample: Any) -> bool:
    """Tell whether the first operand has one axis only."""
    return sample.input.ndim == 1


def from_a_truth(sample: Any) -> bool:
    """Tell whether a narrowing starts at a truth."""
    start = sample.args[1]
    return hasattr(start, "dtype") and str(start.dtype) == "torch.bool"


def out_of_range(sample: Any) -> bool:
    """Tell whether a place along an axis is not there."""
    dim, index, *_ = sample.args
    return index.max() >= sample.input.shape[dim]


def double(sample: Any) -> bool:
    """Tell whether a sample is of float64."""
    return str(sample.input.dtype) == "torch.float64"


def no_channels(sample: Any) -> bool:
    """Tell whether there is an axis of samples only."""
    return sample.input.ndim == 1


def found_twice(sample: Any) -> bool:
    """Tell whether two values of a channel belong in one place."""
    x, places = sample.input, sample.args[0]
    axes = places.ndim - 2
    if x.ndim < 3 or not places.numel():
        return False
    rows = places.flatten(-axes).sort(-1)[0]
    return bool((rows.diff(dim=-1) == 0).any())


def at_random(sample: Any) -> bool:
    """Tell whether slopes are drawn."""
    return bool(sample.kwargs.get("training"))


def no_sign(sample: Any) -> bool:
    """Tell whether a target is neither 1 nor -1."""
    return bool((sample.args[0].abs() != 1).any())


TAKES_NUMBERS = """
    __radd__ __rand__ __rdiv__ __rmod__ __rmul__ __ror__ __rpow__ __rsub__ __rxor__ atan2
    bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor clamp_max clamp_min
    copysign eq float_power fmax fmin fmod ge gt heaviside hypot isclose ldexp le logaddexp
    logical_and logical_or logical_xor lt max.binary maximum min.binary minimum ne pow remainder
    rsub xlogy
"""
ANY_OF_EQUALS = "kthvalue median mode nanmedian topk"

LEFT_OUT = [
    *[
        LeftOut(name, ("refusals",), "numbers will do in place of tensors", numbers)
        for name in TAKES_NUMBERS.split()
    ],
    *[
        LeftOut(name, ("results",), "which of equal elements comes first is left open", whole)
        for name in ANY_OF_EQUALS.split()
    ],
    *[
        LeftOut(name, ("results",), "the order of equal elements is open, unless stable", truths)
        for name in ("argsort", "sort")
    ],
    LeftOut(
        "__rpow__",
        ("results",),
        "negative powers of integers raise here; PyTorch makes them 0, 1 or -1",
        whole,
    ),
    *[
        LeftOut(name, ("refusals",), "an index out of range is an IndexError here", out_of_range)
        for name in ("gather", "scatter", "scatter_add")
    ],
    LeftOut(
        "addbmm", ("in-place forms",), "PyTorch gives the tensor another shape in place", alone
    ),
    LeftOut(
        "as_strided.partial_views",
        ("results", "gradients", "second derivatives", "methods"),
        "reaches for memory outside of the sample, which does not come along",
    ),
    LeftOut("histogram", ("results",), "rounding decides on which side it falls", on_an_edge),
    LeftOut(
        "linalg.norm.subgradients_at_zero",
        ("second derivatives",),
        "there is none at 0; PyTorch's is NaN",
    ),
    LeftOut(
        "logcumsumexp",
        ("gradients",),
        "PyTorch's loses three digits beside numbers of 1e4; ours does not",
        far_apart,
    ),
    *[
        LeftOut(f"nn.functional.{name}", ("results",), "as mean: of integers it raises", whole)
        for name in ("avg_pool1d", "avg_pool2d", "avg_pool3d", "local_response_norm")
    ],
    *[
        LeftOut(
            f"nn.functional.{name}",
            ("results", "gradients", "second derivatives"),
            "there are no channels without their axis",
            no_channels,
        )
        for name in ("batch_norm", "batch_norm.without_cudnn")
    ],
    *[
        LeftOut(
            f"nn.functional.max_unpool{axes}d",
            ("gradients", "second derivatives"),
            "of values put in one place the last alone has a gradient; PyTorch gives it to all",
            found_twice,
        )
        for axes in (1, 2, 3)
    ],
    LeftOut("narrow", ("refusals",), "a missing axis is an IndexError here", no_axes),
    LeftOut("narrow", ("refusals",), "a truth will do as a start", from_a_truth),
    LeftOut(
        "nn.functional.hardsigmoid",
        ("gradients", "in-place forms"),
        "PyTorch has the slope 1/6 in single precision",
        double,
    ),
    LeftOut(
        "nn.functional.rrelu",
        ("results", "gradients", "second derivatives"),
        "slopes are drawn from another stream",
        at_random,
    ),
    LeftOut(
        "nn.functional.hinge_embedding_loss",
        ("results", "gradients", "second derivatives"),
        "targets other than 1 and -1 raise here",
        no_sign,
    ),
    LeftOut("rot90", ("refusals",), "a missing axis is an IndexError here", one_axis),
    LeftOut("scatter", ("refusals",), "a source of another dtype is cast", other_dtype),
    LeftOut("scatter_add", ("refusals",), "a source of another dtype is cast", other_dtype),
    LeftOut(
        "scatter_reduce.mean",
        ("results",),
        "the mean of integers raises here, as mean does; PyTorch rounds it down",
        whole,
    ),
    LeftOut("square", ("results",), "the square of a truth is int8 in NumPy", truths),
]


@cache
def pytorch() -> Any:
    """PyTorch on one thread, where it is installed."""
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


@cache
def table() -> dict[str, list[Any]]:
    """PyTorch's table of operators: a name's entries are its variants."""
    pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")
    with quiet():
        module = import_module("torch.testing._internal.common_methods_invocations")
    found: dict[str, list[Any]] = {}
    for entry in module.op_db:
        found.setdefault(entry.name, []).append(entry)
    return found


def quiet() -> Any:
    """Let PyTorch warn unheard: of what it will remove, of what is not its best."""
    return warnings.catch_warnings(action="ignore")


@dataclass
class Twins:
    """One sample on both sides; `leaves` pairs the tensors that require grad."""

    entry: Any
    dtype: str
    sample: Any
    number: int
    error: Any = None  # what PyTorch raises
    leaves: list[tuple[Any, Any]] = field(default_factory=list[tuple[Any, Any]])

    def __post_init__(self) -> None:
        self.theirs = (self.sample.input, *self.sample.args), self.sample.kwargs
        self.ours = self.translated(self.theirs[0]), self.translated(self.theirs[1])

    def translated(self, x: Any) -> Any:
        """Return the same for ours: tensors and dtypes, in whatever they stand."""
        if isinstance(x, pytorch().Tensor):
            twin = ag.Tensor._wrap(x.detach().numpy().copy(order="K"), x.requires_grad)
            if x.requires_grad:
                self.leaves.append((x, twin))
            return twin
        if isinstance(x, pytorch().dtype):
            return getattr(ag, str(x).removeprefix("torch."))
        if isinstance(x, dict):
            return {key: self.translated(value) for key, value in x.items()}
        if isinstance(x, (list, tuple)):
            return (list if isinstance(x, list) else tuple)(map(self.translated, x))
        return x

    def __str__(self) -> str:
        args, kwargs = self.theirs
        given = [text(x) for x in args] + [f"{k}={text(x)}" for k, x in kwargs.items()]
        return f"{self.entry.full_name}, {self.dtype} {self.number}: ({', '.join(given)})"


def text(x: Any) -> str:
    """Return an argument as a reader wants it: a tensor as its shape."""
    if hasattr(x, "dtype"):
        return f"{str(x.dtype).removeprefix('torch.')}{list(x.shape)}"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(text, x))}]"
    return str(x)


def samples(entry: Any, dtype: str) -> Iterator[Twins]:
    """Draw the samples of an entry, the same ones every time."""
    pytorch().manual_seed(0)
    random.seed(0)
    with quiet():
        if dtype == BAD:
            drawn = entry.error_inputs_func(entry, "cpu") if entry.error_inputs_func else []
            drawn = [(bad.sample_input, bad.error_type) for bad in drawn]
        else:
            kind = getattr(pytorch(), dtype)
            tracked = entry.supports_autograd and kind.is_floating_point
            known = kind in entry.dtypes
            drawn = entry.sample_inputs_func(entry, "cpu", kind, tracked) if known else []
            drawn = [(sample, None) for sample in drawn]
    for number, (sample, error) in enumerate(drawn):
        if not beyond(sample):
            yield Twins(entry, dtype, sample, number, error)


def beyond(sample: Any) -> bool:
    """Tell whether a sample is about what does not exist here: out=, memory formats, ...."""
    found: list[Any] = [sample.input, *sample.args, *sample.kwargs.values()]
    for x in found:  # it grows meanwhile
        found.extend(x if isinstance(x, (list, tuple)) else ())
    return bool({"out", "memory_format"} & set(sample.kwargs)) or any(map(is_beyond, found))


def is_beyond(x: Any) -> bool:
    """Tell it of one argument: complex numbers, sparse tensors, more axes than NumPy has."""
    if isinstance(x, pytorch().Tensor):
        return x.is_complex() or x.is_sparse or x.ndim > DIMS
    return isinstance(x, complex) or (isinstance(x, pytorch().dtype) and x.is_complex)
