"""Attention, alone, with several heads, and in transformers."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from nn.functional import scaled_dot_product_attention as attend
from tests.nn.rows._joined import flat

SMALL: dict[str, Any] = {"dim_feedforward": 8, "dropout": 0.0}


def draw(rng: np.random.Generator, *shape: int) -> Any:
    return ag.tensor(rng.normal(size=shape), requires_grad=True)


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    a, b = (x.detach().numpy() for x in (a, b))
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# One head


def test_attention_is_a_mean_of_values_weighted_by_products(rng: np.random.Generator) -> None:
    q, k, v = (rng.normal(size=shape) for shape in ((3, 4), (5, 4), (5, 6)))
    weights = np.exp(q @ k.T / 2.0)
    weights /= weights.sum(1, keepdims=True)
    found = attend(ag.tensor(q), ag.tensor(k), ag.tensor(v))
    np.testing.assert_allclose(found.numpy(), weights @ v, rtol=1e-13)
    even = attend(ag.tensor(q), ag.tensor(k), ag.tensor(v), scale=0.0)
    np.testing.assert_allclose(even.numpy(), np.tile(v.mean(0), (3, 1)), rtol=1e-13)


def test_a_causal_query_sees_the_keys_up_to_its_own_place(rng: np.random.Generator) -> None:
    q, k, v = draw(rng, 3, 4), draw(rng, 5, 4), draw(rng, 5, 2)
    y = attend(q, k, v, is_causal=True)
    close(y[0], v[0])
    for i in range(3):
        close(y[i], attend(q[i : i + 1], k[: i + 1], v[: i + 1])[0])
    close(y, attend(q, k, v, ag.ones(3, 5, dtype=ag.bool).tril()))


def test_a_query_that_sees_nothing_gets_zeros_and_no_gradient(rng: np.random.Generator) -> None:
    mask = ag.tensor([[True, False, True], [False] * 3])
    for given in (mask, ag.zeros(2, 3, dtype=ag.float64).masked_fill(~mask, -math.inf)):
        q, k, v = draw(rng, 2, 4), draw(rng, 3, 4), draw(rng, 3, 2)
        y = attend(q, k, v, given)
        assert y[1].tolist() == [0.0, 0.0]
        y.sum().backward()
        assert q.grad[1].tolist() == [0.0] * 4
        assert k.grad[1].tolist() == [0.0] * 4
        assert v.grad[1].tolist() == [0.0] * 2
        assert np.isfinite(q.grad.numpy()).all()


def test_shared_heads_are_repeated_heads(rng: np.random.Generator) -> None:
    q, k, v = draw(rng, 2, 6, 3, 4), draw(rng, 2, 2, 5, 4), draw(rng, 2, 3, 5, 4)
    y = attend(q, k, v, enable_gqa=True)
    for head in range(6):
        close(y[:, head], attend(q[:, head], k[:, head // 3], v[:, head // 2]))


def test_dropout_leaves_out_weights_and_makes_up_for_them() -> None:
    q, k, v = ag.zeros(200, 4), ag.zeros(10, 4), ag.ones(10, 1)
    y = attend(q, k, v, dropout_p=0.5)
    kept = y.numpy() * 5.0  # each weight is 0 or 2 / 10
    np.testing.assert_allclose(kept, kept.round(), atol=1e-5)
    assert set(kept.round().ravel()) > {4.0, 5.0, 6.0}
    assert y.mean().item() == pytest.approx(1.0, abs=4 * 0.5 * 2 / math.sqrt(2000))


@pytest.mark.parametrize("masked", [False, True])
def test_attention_has_second_derivatives(masked: bool, rng: np.random.Generator) -> None:
    inputs = [draw(rng, 2, 2), draw(rng, 3, 2), draw(rng, 3, 2)]
    mask = ag.tensor([[True, False, True], [False] * 3]) if masked else None
    assert ag.autograd.gradgradcheck(lambda q, k, v: attend(q, k, v, mask), inputs)


ZEROS = [(3, 4), (5, 4), (5, 6)]
TRUTHS = ag.ones(3, 5, dtype=ag.bool)


@pytest.mark.parametrize(
    ("shapes", "settings", "kind", "message"),
    [
        ([(4,), (5, 4), (5, 6)], {}, ag.ShapeError, r"query \(4,\), .* needs \(..., L, E\)"),
        ([(3, 4), (5, 3), (5, 6)], {}, ag.ShapeError, r"key \(5, 3\) and value \(5, 6\): it needs"),
        ([(3, 4), (5, 4), (4, 6)], {}, ag.ShapeError, r"value \(4, 6\): it needs"),
        ([(2, 3, 4), (3, 5, 4), (5, 6)], {}, ag.ShapeError, "leading axes do not broadcast"),
        (ZEROS, {"attn_mask": TRUTHS, "is_causal": True}, ValueError, "it takes one of them"),
        (ZEROS, {"attn_mask": TRUTHS[:2]}, ag.ShapeError, r"\(2, 5\): it must broadcast to \(3, 5"),
        (ZEROS, {"attn_mask": TRUTHS[None]}, ag.ShapeError, r"\(1, 3, 5\): it must broadcast to"),
        (ZEROS, {"attn_mask": TRUTHS.long()}, ag.DtypeError, "int64: it must be bool or float32"),
        (ZEROS, {"attn_mask": TRUTHS.double()}, ag.DtypeError, "float64: it must be bool or float"),
        (ZEROS, {"dropout_p": 1.5}, ValueError, "p=1.5"),
        (ZEROS, {"enable_gqa": True}, ag.ShapeError, "heads of the key, at axis -3, must divide"),
    ],
)
def test_what_does_not_fit_is_refused(
    shapes: list[tuple[int, ...]], settings: dict[str, Any], kind: Any, message: str
) -> None:
    query, key, value = (ag.zeros(*shape) for shape in shapes)
    with pytest.raises(kind, match=message):
        attend(query, key, value, **settings)


# Several heads


def test_heads_are_attention_on_parts_of_the_projections(rng: np.random.Generator) -> None:
    layer = nn.MultiheadAttention(4, 2).double()
    x, y = draw(rng, 3, 4), draw(rng, 5, 4)
    found, weights = layer(x, y, y, average_attn_weights=False)
    w_q, w_k, w_v = layer.in_proj_weight.chunk(3)
    heads = [attend(x @ w_q[h].T, y @ w_k[h].T, y @ w_v[h].T) for h in (slice(0, 2), slice(2, 4))]
    close(found, ag.cat(heads, -1) @ layer.out_proj.weight.T)
    assert weights.shape == (2, 3, 5)
    close(weights.sum(-1), ag.ones(2, 3, dtype=ag.float64))
    mean = layer(x, y, y)[1]
    close(mean, weights.mean(0))


def test_attention_starts_from_glorot_s_numbers() -> None:
    layer = nn.MultiheadAttention(32, 4, add_bias_kv=True, generator=ag.Generator().manual_seed(0))
    bound = math.sqrt(6 / (32 + 3 * 32))
    assert 0.98 * bound < layer.in_proj_weight.abs().max().item() <= bound
    assert layer.in_proj_bias.tolist() == [0.0] * 96
    assert layer.out_proj.bias.tolist() == [0.0] * 32
    assert layer.bias_k.std().item() == pytest.approx(math.sqrt(2 / 64), rel=0.5)
    parts = nn.MultiheadAttention(32, 4, kdim=64, generator=ag.Generator().manual_seed(0))
    assert parts.in_proj_weight is None
    bound = math.sqrt(6 / (32 + 64))
    assert 0.98 * bound < parts.k_proj_weight.abs().max().item() <= bound


def test_one_tensor_for_query_key_and_value_gives_what_three_give(
    rng: np.random.Generator,
) -> None:
    layer = nn.MultiheadAttention(4, 2, batch_first=True).double()
    x = draw(rng, 2, 3, 4)
    one, three = layer(x, x, x), layer(x, x.clone(), x.clone())
    for a, b in zip(one, three, strict=True):
        close(a, b)
    graph = ag.trace_graph(one[0])
    assert sum(node.op == "linear" for node in graph.nodes) == 2


def test_what_the_masks_leave_out_has_no_influence(rng: np.random.Generator) -> None:
    layer = nn.MultiheadAttention(4, 2).double()
    padding = ag.tensor([[False, False, True], [False, True, True]])
    for need_weights in (True, False):
        x = draw(rng, 3, 2, 4)
        layer(x[:1], x, x, padding, need_weights)[0].sum().backward()
        assert x.grad[2].tolist() == [[0.0] * 4, [0.0] * 4]
        assert x.grad[1, 1].tolist() == [0.0] * 4
        assert x.grad[1, 0].numpy().all()


def test_a_head_that_sees_nothing_gives_nan_weights_or_zeros() -> None:
    layer = nn.MultiheadAttention(4, 2)
    x, padding = ag.ones(3, 2, 4), ag.tensor([[True] * 3, [False] * 3])
    y, weights = layer(x, x, x, padding)
    assert y.isnan().any(-1)[:, 0].all()
    assert weights.isnan()[0].all()
    assert not y[:, 1].isnan().any()
    quiet, none = layer(x, x, x, padding, need_weights=False)
    assert none is None
    assert quiet[:, 0].tolist() == [[0.0] * 4] * 3


def test_a_hint_that_the_mask_is_causal_changes_nothing(rng: np.random.Generator) -> None:
    layer = nn.MultiheadAttention(4, 2).double()
    x = draw(rng, 3, 2, 4)
    mask = ag.ones(3, 3, dtype=ag.bool).triu(1)
    for need_weights in (True, False):
        plain = layer(x, x, x, need_weights=need_weights, attn_mask=mask)
        hinted = layer(x, x, x, need_weights=need_weights, attn_mask=mask, is_causal=True)
        close(plain[0], hinted[0])


def test_dropout_of_weights_is_for_training_only() -> None:
    layer = nn.MultiheadAttention(4, 2, dropout=1.0)
    x = ag.ones(3, 2, 4)
    assert layer(x, x, x)[1].abs().sum().item() == 0.0
    layer.eval()
    close(layer(x, x, x)[1], ag.full((2, 3, 3), 1 / 3), 1e-6)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"num_heads": 3}, ag.ShapeError, "embed_dim=4 and num_heads=3: the heads must divide"),
        ({"num_heads": 0}, ValueError, "MultiheadAttention got num_heads=0: it must be at least 1"),
        ({"num_heads": 2, "kdim": 0}, ValueError, "got kdim=0: it must be at least 1"),
        ({"num_heads": 2, "dropout": -0.5}, ValueError, r"dropout=-0.5: it must be in \[0, 1\]"),
    ],
)
def test_arguments_out_of_range_are_refused(
    settings: dict[str, Any], kind: Any, message: str
) -> None:
    with pytest.raises(kind, match=message):
        nn.MultiheadAttention(4, **settings)


X = ag.zeros(3, 2, 4)
PADDING = ag.zeros(2, 3, dtype=ag.bool)


@pytest.mark.parametrize(
    ("inputs", "settings", "kind", "message"),
    [
        ((X, X[:2], X), {}, ag.ShapeError, r"key \(2, 2, 4\) and value \(3, 2, 4\): it needs \(L"),
        ((X, X[:, :1], X[:, :1]), {}, ag.ShapeError, r"it needs \(L, N, 4\), \(S, N, kdim\)"),
        ((X[..., :3], X, X), {}, ag.ShapeError, r"MultiheadAttention\(4, 2\)"),
        ((X[0, 0], X, X), {}, ag.ShapeError, "or all without N"),
        ((X[:, 0], X, X), {}, ag.ShapeError, "or all without N"),
        ((X, X, X), {"key_padding_mask": PADDING[:1]}, ag.ShapeError, r"it must be \(2, 3\)"),
        ((X[:, 0],) * 3, {"key_padding_mask": PADDING}, ag.ShapeError, r"it must be \(3,\)"),
        ((X, X, X), {"attn_mask": ag.zeros(3, 4)}, ag.ShapeError, r"be \(3, 3\) or \(4, 3, 3\)"),
        ((X, X, X), {"attn_mask": ag.zeros(3, 3, 3)}, ag.ShapeError, r"attn_mask of shape \(3, 3,"),
        ((X, X, X), {"key_padding_mask": PADDING.long()}, ag.DtypeError, "key_padding_mask of dty"),
        ((X, X, X), {"attn_mask": ag.zeros(3, 3).double()}, ag.DtypeError, "must be bool or float"),
        ((X, X, X), {"is_causal": True}, ValueError, "no attn_mask: it needs the causal mask"),
    ],
)
def test_inputs_and_masks_that_do_not_fit_are_refused(
    inputs: Any, settings: dict[str, Any], kind: Any, message: str
) -> None:
    with pytest.raises(kind, match=message):
        nn.MultiheadAttention(4, 2)(*inputs, **settings)


def call_function(**given: Any) -> Any:
    """Call the function on X with weights that fit, but for what is given."""
    arguments: dict[str, Any] = {
        "in_proj_weight": ag.zeros(12, 4),
        "in_proj_bias": None,
        "bias_k": None,
        "bias_v": None,
        "add_zero_attn": False,
        "dropout_p": 0.0,
        "out_proj_weight": ag.zeros(4, 4),
        "out_proj_bias": None,
    }
    heads = given.pop("num_heads", 2)
    return F.multi_head_attention_forward(X, X, X, 4, heads, **(arguments | given))


def test_the_function_refuses_weights_that_are_missing_or_do_not_fit() -> None:
    with pytest.raises(ValueError, match="no weights to project with"):
        call_function(in_proj_weight=None)
    with pytest.raises(ValueError, match="no weights to project with"):
        call_function(use_separate_proj_weight=True, q_proj_weight=ag.zeros(4, 4))
    with pytest.raises(ag.ShapeError, match="got 3 heads: they must divide 4 features"):
        call_function(num_heads=3)
    with pytest.raises(ag.ShapeError, match=r"static tensor of shape \(3, 5, 2\): it must be \(4,"):
        call_function(static_k=ag.zeros(3, 5, 2))
    both = {"static_k": ag.zeros(4, 5, 2), "bias_k": ag.zeros(1, 1, 4)}
    with pytest.raises(ValueError, match="static keys and a bias for them"):
        call_function(**both)


# Transformers


def test_a_causal_mask_hides_what_comes_later(rng: np.random.Generator) -> None:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **SMALL), 2).double()
    x = draw(rng, 5, 2, 4)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=ag.float64)
    assert mask.tolist()[1] == [0.0, 0.0, -math.inf, -math.inf, -math.inf]
    (model(x, mask, is_causal=True)[2] * draw(rng, 2, 4)).sum().backward()
    assert x.grad[:3].abs().numpy().min() > 0
    assert x.grad[3:].abs().sum().item() == 0.0


def test_padding_has_no_influence_on_the_rest(rng: np.random.Generator) -> None:
    model = nn.Transformer(4, 2, 1, 1, batch_first=True, **SMALL).double()
    src, tgt = draw(rng, 2, 5, 4), draw(rng, 2, 3, 4)
    padding = ag.tensor([[False] * 5, [False, False, True, True, True]])
    y = model(src, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    close(y[1], model(src[1, :2], tgt[1]))


def test_copies_of_a_layer_begin_alike_and_learn_apart() -> None:
    layer = nn.TransformerDecoderLayer(4, 2, **SMALL)
    stack = nn.TransformerDecoder(layer, 2)
    first, second = stack.layers
    assert first.linear1.weight is not second.linear1.weight
    assert first.linear1.weight.tolist() == second.linear1.weight.tolist()
    assert len(list(stack.parameters())) == 2 * len(list(layer.parameters()))


def test_an_activation_is_a_name_or_a_function() -> None:
    x = ag.randn(3, 2, 4)
    named = nn.TransformerEncoderLayer(4, 2, activation="gelu", **SMALL)
    given = nn.TransformerEncoderLayer(4, 2, activation=F.gelu, **SMALL)
    given.load_state_dict(named.state_dict())
    close(named(x), given(x))
    layer = nn.TransformerEncoderLayer(4, 2, activation=nn.ReLU(), **SMALL)
    assert [name for name, _ in layer.named_children()][-1] == "activation"
    with pytest.raises(ValueError, match="activation='swish': it must be 'relu' or 'gelu'"):
        nn.TransformerEncoderLayer(4, 2, activation="swish")


def test_dropout_of_a_transformer_is_for_training_only() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, dim_feedforward=8, dropout=0.5)
    x = ag.randn(3, 2, 4)
    assert layer(x).tolist() != layer(x).tolist()
    layer.eval()
    assert layer(x).tolist() == layer(x).tolist()


def test_a_transformer_takes_an_encoder_and_a_decoder_of_one_s_own() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **SMALL), 1)
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **SMALL), 1)
    model = nn.Transformer(4, 2, custom_encoder=encoder, custom_decoder=decoder)
    assert model.encoder is encoder
    assert model.decoder is decoder
    assert model(ag.zeros(5, 2, 4), ag.zeros(3, 2, 4)).shape == (3, 2, 4)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("shapes", [((5, 2, 4), (5, 3, 4)), ((2, 5, 4), (3, 5, 3)), ((5, 4), (4,))])
def test_source_and_target_that_do_not_fit_are_refused(shapes: Any, batch_first: bool) -> None:
    model = nn.Transformer(4, 2, 1, 1, batch_first=batch_first, **SMALL)
    order = r"\(N, S, 4\) and \(N, T, 4\)" if batch_first else r"\(S, N, 4\) and \(T, N, 4\)"
    if shapes == ((5, 2, 4), (5, 3, 4)) and batch_first:
        assert model(*(ag.zeros(*shape) for shape in shapes)).shape == (5, 3, 4)
        return
    with pytest.raises(ag.ShapeError, match=f"it needs {order}, or both without N"):
        model(*(ag.zeros(*shape) for shape in shapes))


def test_an_error_inside_a_transformer_says_where() -> None:
    model = nn.Transformer(4, 2, 1, 1, **SMALL)
    where = r"Transformer\.encoder\.layers\.0\.self_attn \(MultiheadAttention\(4, 2\)\)"
    with pytest.raises(ag.ShapeError, match=where + ".* attn_mask of shape"):
        model(ag.zeros(5, 2, 4), ag.zeros(3, 2, 4), src_mask=ag.zeros(5, 4))


# PyTorch's numbers


@pytest.fixture(scope="module")
def torch() -> Any:
    """PyTorch on one thread: the work here is too small for more."""
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


def twins(name: str, torch: Any, *args: Any, **settings: Any) -> tuple[Any, Any]:
    ours = getattr(nn, name)(*args, **settings).double()
    theirs = getattr(torch.nn, name)(*args, **settings).double()
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    with ag.no_grad():
        for parameter in ours.parameters():
            parameter.add_(0.1 * ag.randn(*parameter.shape, dtype=ag.float64))
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    return ours, theirs


def agree(torch: Any, pair: Any, arrays: list[Any], masks: dict[str, Any]) -> None:
    """Compare results and gradients, of the inputs and of all parameters."""
    results: list[list[Any]] = []
    for layer, library in zip(pair, (ag, torch), strict=True):
        inputs = [library.tensor(x, requires_grad=True) for x in arrays]
        layer.zero_grad()
        y = flat(layer(*inputs, **{k: as_mask(library, m) for k, m in masks.items()}))
        total: Any = sum((part**3).sum() for part in y)
        total.backward()
        results.append([*y, *(x.grad for x in [*inputs, *layer.parameters()])])
    for a, b in zip(*results, strict=True):
        close(a, b, 1e-10)


def as_mask(library: Any, x: Any) -> Any:
    return library.tensor(x) if isinstance(x, np.ndarray) else x


@pytest.mark.torch
def test_attention_agrees_with_pytorch(torch: Any, rng: np.random.Generator) -> None:
    truths = rng.random((3, 5)) > 0.5
    truths[1] = False
    masks: list[dict[str, Any]] = [
        {},
        {"attn_mask": truths},
        {"attn_mask": rng.normal(size=(2, 3, 5))},
        {"is_causal": True, "scale": 0.3},
        {"attn_mask": truths, "enable_gqa": True},
    ]
    for settings in masks:
        heads = 6 if "enable_gqa" in settings else 2
        shapes = [(heads, 3, 4), (2, 5, 4), (2, 5, 6)]
        arrays = [rng.normal(size=(1, *s) if heads == 6 else s) for s in shapes]
        results: list[list[Any]] = []
        for library, functions in ((ag, F), (torch, torch.nn.functional)):
            inputs = [library.tensor(x, requires_grad=True) for x in arrays]
            given = {k: as_mask(library, m) for k, m in settings.items()}
            y = functions.scaled_dot_product_attention(*inputs, **given)
            firsts = library.autograd.grad((y**3).sum(), inputs, create_graph=True)
            seconds = library.autograd.grad(sum((g**2).sum() for g in firsts), inputs)
            results.append([y, *firsts, *seconds])
        for a, b in zip(*results, strict=True):
            close(a, b, 1e-10)


SETTINGS = list(product((False, True), repeat=5))


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning")
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: "".join(str(int(x)) for x in s))
def test_heads_agree_with_pytorch(torch: Any, setting: Any, rng: np.random.Generator) -> None:
    bias, extra, zero, batch_first, separate = setting
    kdim, vdim = (3, 6) if separate else (4, 4)
    pair = twins(
        "MultiheadAttention", torch, 4, 2, bias=bias, add_bias_kv=extra, add_zero_attn=zero,
        kdim=kdim, vdim=vdim, batch_first=batch_first,
    )  # fmt: skip
    truths, padding = rng.random((3, 5)) > 0.7, rng.random((2, 5)) > 0.6
    truths[:, 0] = padding[:, 0] = False
    masks: list[dict[str, Any]] = [
        {"attn_mask": truths, "need_weights": False},
        {"key_padding_mask": padding, "average_attn_weights": False},
        {"key_padding_mask": padding, "attn_mask": rng.normal(size=(4, 3, 5))},
        {"key_padding_mask": np.where(padding, -np.inf, 0.0), "need_weights": False},
    ]
    for given in masks:
        shapes = [(3, 2, 4), (5, 2, kdim), (5, 2, vdim)]
        order = (1, 0, 2) if batch_first else (0, 1, 2)
        agree(torch, pair, [rng.normal(size=s).transpose(order) for s in shapes], given)
    alone = {"key_padding_mask": padding[1], "attn_mask": truths}
    agree(torch, pair, [rng.normal(size=(n, d)) for n, d in ((3, 4), (5, kdim), (5, vdim))], alone)


@pytest.mark.torch
def test_static_keys_and_values_agree_with_pytorch(torch: Any, rng: np.random.Generator) -> None:
    x, w, out = (rng.normal(size=shape) for shape in ((3, 2, 4), (12, 4), (4, 4)))
    static = [rng.normal(size=(4, 3, 2)) for _ in range(2)]
    results: list[list[Any]] = []
    for library, functions in ((ag, F), (torch, torch.nn.functional)):
        q, weight, last, k, v = (
            library.tensor(a, requires_grad=True) for a in (x, w, out, *static)
        )
        y, weights = functions.multi_head_attention_forward(
            q, q, q, 4, 2, weight, None, None, None, False, 0.0, last, None, static_k=k, static_v=v
        )
        ((y**2).sum() + (weights**2).sum()).backward()
        results.append([y, weights, q.grad, k.grad, v.grad, last.grad])
    for a, b in zip(*results, strict=True):
        close(a, b)


@pytest.mark.torch
@pytest.mark.parametrize("setting", list(product((False, True), repeat=3)), ids=str)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
def test_transformers_agree_with_pytorch(
    torch: Any, setting: Any, rng: np.random.Generator
) -> None:
    batch_first, norm_first, bias = setting
    settings = {"batch_first": batch_first, "norm_first": norm_first, "bias": bias, **SMALL}
    order = (1, 0, 2) if batch_first else (0, 1, 2)
    src, tgt = (rng.normal(size=(n, 2, 4)).transpose(order) for n in (5, 3))
    padding = np.array([[False] * 5, [False, False, True, True, True]])
    square = np.triu(np.full((5, 5), -np.inf), 1)
    small = np.triu(np.ones((3, 3), bool), 1)

    pair = twins("TransformerEncoderLayer", torch, 4, 2, activation="gelu", **settings)
    agree(torch, pair, [src], {"src_mask": square, "is_causal": True})
    agree(torch, pair, [src], {"src_key_padding_mask": padding})
    pair = twins("TransformerDecoderLayer", torch, 4, 2, **settings)
    agree(torch, pair, [tgt, src], {"tgt_mask": small, "tgt_is_causal": True})
    agree(torch, pair, [tgt, src], {"memory_key_padding_mask": padding})
    pair = twins("Transformer", torch, 4, 2, 1, 2, layer_norm_eps=1e-3, **settings)
    masks = {"memory_key_padding_mask": padding, "src_key_padding_mask": padding}
    agree(torch, pair, [src, tgt], {"tgt_mask": small, **masks})
    agree(torch, pair, [src, tgt], {"memory_mask": rng.normal(size=(3, 5))})


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("MultiheadAttention", (4, 2, 0.5, False, True, True, 3, 5, True)),
        ("TransformerEncoderLayer", (4, 2, 8, 0.5, "gelu", 1e-3, True, True, False)),
        ("TransformerDecoderLayer", (4, 2, 8, 0.5, "gelu", 1e-3, True, True, False)),
        ("Transformer", (4, 2, 1, 1, 8, 0.5, "gelu", None, None, 1e-3, True, True, False)),
    ],
)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
def test_arguments_have_pytorch_s_order(torch: Any, name: str, args: tuple[Any, ...]) -> None:
    ours, theirs = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
    assert repr(ours) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")
    assert list(ours.state_dict()) == list(theirs.state_dict())
