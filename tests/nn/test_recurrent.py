"""Recurrent cells and layers, and packed sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn.utils import rnn as packing
from tests.nn.rows._joined import flat

LAYERS = ("RNN", "LSTM", "GRU")
CELLS = ("RNNCell", "LSTMCell", "GRUCell")
SETTINGS: list[dict[str, Any]] = [{}, {"num_layers": 2, "bidirectional": True}]
FLOAT: Any = 4.0
ONE: Any = 1

every_layer = pytest.mark.parametrize("name", LAYERS)
every_cell = pytest.mark.parametrize("name", CELLS)
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def state_of(x: Any) -> Any:
    """Return h of (h, c)."""
    return x[0] if isinstance(x, tuple) else x


def draw(rng: np.random.Generator, *shape: int) -> Any:
    return ag.tensor(rng.normal(size=shape), requires_grad=True)


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    a, b = (x.detach().numpy() for x in (a, b))
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# Cells


def test_an_lstm_cell_is_its_equations(rng: np.random.Generator) -> None:
    cell = nn.LSTMCell(3, 2).double()
    x, h, c = (rng.normal(size=(4, n)) for n in (3, 2, 2))
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    z = x @ w_ih.T + b_ih + h @ w_hh.T + b_hh
    i, f, n, o = z[:, 0:2], z[:, 2:4], z[:, 4:6], z[:, 6:8]
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    new = f * c + i * np.tanh(n)
    h_1, c_1 = cell(ag.tensor(x), (ag.tensor(h), ag.tensor(c)))
    np.testing.assert_allclose(c_1.detach().numpy(), new, rtol=1e-14)
    np.testing.assert_allclose(h_1.detach().numpy(), o * np.tanh(new), rtol=1e-14)


def test_a_gru_cell_resets_after_the_product(rng: np.random.Generator) -> None:
    cell = nn.GRUCell(3, 2).double()
    x, h = (rng.normal(size=(4, n)) for n in (3, 2))
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    r, z = (1 / (1 + np.exp(-(a[:, k : k + 2] + b[:, k : k + 2]))) for k in (0, 2))
    n = np.tanh(a[:, 4:] + r * b[:, 4:])
    found = cell(ag.tensor(x), ag.tensor(h)).detach().numpy()
    np.testing.assert_allclose(found, (1 - z) * n + z * h, rtol=1e-13)


@every_cell
def test_a_cell_starts_from_zeros(name: str, rng: np.random.Generator) -> None:
    cell = getattr(nn, name)(3, 2).double()
    x, zero = draw(rng, 4, 3), ag.zeros(4, 2, dtype=ag.float64)
    given = (zero, zero) if name == "LSTMCell" else zero
    close(state_of(cell(x)), state_of(cell(x, given)))
    close(state_of(cell(x[1])), state_of(cell(x))[1])


@every_cell
def test_a_cell_has_second_derivatives(name: str, rng: np.random.Generator) -> None:
    cell = getattr(nn, name)(2, 2).double()
    names = [name for name, _ in cell.named_parameters()]
    x, h, c = draw(rng, 1, 2), draw(rng, 1, 2), draw(rng, 1, 2)

    def function(x: Any, h: Any, c: Any, *weights: Any) -> Any:
        given = (h, c) if name == "LSTMCell" else h + c
        weighed = dict(zip(names, weights, strict=True))
        return tuple(flat(ag.func.functional_call(cell, weighed, (x, given))))

    assert ag.autograd.gradgradcheck(function, (x, h, c, *cell.parameters()))


@pytest.mark.parametrize("name", [*CELLS, *LAYERS])
def test_parameters_are_uniform_up_to_one_over_the_root_of_the_width(name: str) -> None:
    layer = getattr(nn, name)(20, 100, generator=ag.Generator().manual_seed(1))
    for parameter in layer.parameters():
        drawn = parameter.detach().numpy()
        assert 0.095 < np.abs(drawn).max() <= 0.1
        assert abs(drawn.mean()) < 4 * (0.1 / math.sqrt(3)) / math.sqrt(drawn.size)
    again = getattr(nn, name)(20, 100, generator=ag.Generator().manual_seed(1))
    for p, q in zip(layer.parameters(), again.parameters(), strict=True):
        assert p.tolist() == q.tolist()


# Layers


@every_layer
def test_a_layer_is_its_cell_step_by_step(name: str, rng: np.random.Generator) -> None:
    layer = getattr(nn, name)(3, 4).double()
    cell = getattr(nn, name + "Cell")(3, 4).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = draw(rng, 5, 2, 3)
    y, last = layer(x)
    state: Any = None
    for t in range(5):
        state = cell(x[t], state)
        close(y[t], state_of(state))
    close(state_of(last)[0], state_of(state))


@every_layer
def test_backwards_is_forwards_on_the_reversed_sequence(
    name: str, rng: np.random.Generator
) -> None:
    both, one = getattr(nn, name)(3, 4, bidirectional=True), getattr(nn, name)(3, 4)
    both, one = both.double(), one.double()
    named = both.state_dict()
    one.load_state_dict({k: named[f"{k}_reverse"] for k in one.state_dict()})
    x = draw(rng, 5, 2, 3)
    (y, last), (turned, end) = both(x), one(x.flip(0))
    close(y[..., 4:], turned.flip(0))
    close(state_of(last)[1], state_of(end)[0])


@every_layer
@every_setting
def test_batch_first_and_no_batch_only_move_axes(
    name: str, settings: dict[str, Any], rng: np.random.Generator
) -> None:
    layer = getattr(nn, name)(3, 4, **settings).double()
    x = draw(rng, 5, 2, 3)
    y, last = layer(x)
    layer.batch_first = True
    turned, same = layer(x.transpose(0, 1))
    close(turned.transpose(0, 1), y)
    for a, b in zip(flat(same), flat(last), strict=True):
        close(a, b)
    alone, end = layer(x[:, 1])
    close(alone, y[:, 1])
    for a, b in zip(flat(end), flat(last), strict=True):
        close(a, b[:, 1])


def test_dropout_stands_between_layers_and_only_in_training() -> None:
    lstm = nn.LSTM(3, 4, num_layers=2, dropout=1.0)
    x = ag.randn(5, 2, 3)
    first = nn.LSTM(3, 4)
    named = lstm.state_dict()
    first.load_state_dict({k: named[k] for k in first.state_dict()})
    y, (h, _) = lstm(x)
    close(h[0], first(x)[1][0][0])  # the first layer's state saw no dropout
    assert (y[:, 0] == y[:, 1]).all()  # the second layer saw zeros
    lstm.eval()
    assert not (lstm(x)[0][:, 0] == lstm(x)[0][:, 1]).all()
    with pytest.warns(UserWarning, match="GRU got dropout=0.5 and num_layers=1: dropout stands"):
        nn.GRU(3, 4, dropout=0.5)


def test_a_batch_of_nothing_gives_nothing() -> None:
    y, (h, c) = nn.LSTM(3, 4)(ag.zeros(5, 0, 3))
    assert (y.shape, h.shape, c.shape) == ((5, 0, 4), (1, 0, 4), (1, 0, 4))


def test_weights_are_listed_by_cell() -> None:
    lstm = nn.LSTM(3, 4, 2, proj_size=2, bidirectional=True)
    lstm.flatten_parameters()
    listed = [p for cell in lstm.all_weights for p in cell]
    assert [id(p) for p in listed] == [id(p) for p in lstm.parameters()]
    assert [len(cell) for cell in lstm.all_weights] == [5, 5, 5, 5]
    assert tuple(lstm.weight_ih_l1_reverse.shape) == (16, 4)


@every_layer
def test_a_gradient_reaches_the_first_input_through_many_steps(
    name: str, rng: np.random.Generator
) -> None:
    layer = getattr(nn, name)(1, 3).double()
    x = draw(rng, 200, 1, 1)
    layer(x)[0][-1].sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert x.grad.numpy()[-5:].all()


# Packed sequences


@every_layer
@every_setting
@pytest.mark.parametrize("lengths", [[5, 3, 3, 1], [2, 5, 1, 4]], ids=str)
def test_packed_sequences_give_what_each_gives_alone(
    name: str, settings: dict[str, Any], lengths: list[int], rng: np.random.Generator
) -> None:
    layer = getattr(nn, name)(3, 2, **settings).double()
    rows = 2 * layer.num_layers if layer.bidirectional else layer.num_layers
    sequences: list[Any] = [draw(rng, n, 3) for n in lengths]
    states = [draw(rng, rows, len(lengths), 2) for _ in range(2)]
    given: Any = tuple(states) if name == "LSTM" else states[0]
    packed = packing.pack_sequence(sequences, enforce_sorted=lengths == sorted(lengths)[::-1])
    y, last = layer(packed, given)
    assert isinstance(y, packing.PackedSequence)
    outputs = packing.unpack_sequence(y)
    together: Any = sum((out**2).sum() for out in outputs) + sum((s**3).sum() for s in flat(last))
    together.backward()
    found = [x.grad.numpy().copy() for x in sequences]
    for k, sequence in enumerate(sequences):
        x: Any = sequence.detach().requires_grad_()
        hx = tuple(s[:, k] for s in flat(given))
        alone, end = layer(x, hx if name == "LSTM" else hx[0])
        close(outputs[k], alone)
        for a, b in zip(flat(last), flat(end), strict=True):
            close(a[:, k], b)
        total = (alone**2).sum() + sum((s**3).sum() for s in flat(end))
        total.backward()
        np.testing.assert_allclose(found[k], x.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_packing_keeps_a_row_for_each_running_sequence() -> None:
    x = ag.tensor([[[1.0], [5.0]], [[2.0], [6.0]], [[3.0], [0.0]], [[4.0], [0.0]]])
    packed = packing.pack_padded_sequence(x, [4, 2])
    assert packed.data.flatten().tolist() == [1, 5, 2, 6, 3, 4]
    assert packed.batch_sizes.tolist() == [2, 2, 1, 1]
    assert packed.sorted_indices is None
    turned = packing.pack_padded_sequence(
        x.flip(1).transpose(0, 1), ag.tensor([2, 4]), batch_first=True, enforce_sorted=False
    )
    assert turned.data.flatten().tolist() == [1, 5, 2, 6, 3, 4]
    assert turned.sorted_indices.tolist() == turned.unsorted_indices.tolist() == [1, 0]


def test_padding_a_packed_batch_undoes_packing(rng: np.random.Generator) -> None:
    x = draw(rng, 5, 3, 2)
    packed = packing.pack_padded_sequence(x, [2, 4, 3], enforce_sorted=False)
    padded, lengths = packing.pad_packed_sequence(packed, padding_value=-1.0, total_length=6)
    assert lengths.tolist() == [2, 4, 3]
    assert padded.shape == (6, 3, 2)
    for k, n in enumerate((2, 4, 3)):
        close(padded[:n, k], x[:n, k])
        assert (padded[n:, k] == -1.0).all()
    first, _ = packing.pad_packed_sequence(packed, batch_first=True)
    assert first.shape == (3, 4, 2)
    padded.sum().backward()
    counts = x.grad.numpy().sum((0, 2)).tolist()
    assert counts == [4.0, 8.0, 6.0]


@pytest.mark.parametrize(("side", "rows"), [("right", [1, 2, 0]), ("left", [0, 1, 2])])
def test_sequences_are_padded_on_either_side(side: str, rows: list[int]) -> None:
    short, long = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0, 5.0])
    padded = packing.pad_sequence([short, long], batch_first=True, padding_side=side)
    assert padded.tolist() == [rows, [3, 4, 5]]
    turned = packing.pad_sequence([short, long], padding_value=9.0)
    assert turned.tolist() == [[1, 3], [2, 4], [9, 5]]
    back = packing.unpad_sequence(turned, ag.tensor([2, 3]))
    assert [x.tolist() for x in back] == [[1, 2], [3, 4, 5]]


def test_a_packed_sequence_changes_its_dtype() -> None:
    packed = packing.pack_sequence([ag.ones(2, 3), ag.ones(1, 3)])
    assert packed.double().data.dtype == ag.float64
    assert packed.to(ag.float16).float().data.dtype == ag.float32
    assert packed.double().batch_sizes.dtype == ag.int64
    assert packed.cpu() is packed


# What is refused


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: nn.RNN(3, 4, nonlinearity="elu"), ValueError, "RNN got nonlinearity='elu': it"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="elu"), ValueError, "RNNCell got nonlinearity="),
        (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size=4: it must be at least 0 and"),
        (lambda: nn.LSTM(0, 4), ValueError, "LSTM got input_size=0: it must be at least 1"),
        (lambda: nn.GRUCell(3, 0), ValueError, "GRUCell got hidden_size=0: it must be at least 1"),
        (lambda: nn.GRU(3, 4, num_layers=0), ValueError, "num_layers=0: it must be at least 1"),
        (lambda: nn.GRU(3, FLOAT), TypeError, "GRU got hidden_size=4.0: it must be an int"),
        (lambda: nn.GRU(3, 4, bias=ONE), TypeError, "GRU got bias=1: it must be a bool"),
        (lambda: nn.GRU(3, 4, 2, dropout=1.5), ValueError, r"dropout=1.5: it must be in \[0, 1\]"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (nn.LSTM(3, 4), [(5,)], r"input of shape \(5,\): it must be \(T, N, features\) or \(T"),
        (nn.GRU(3, 4, batch_first=True), [(1, 5, 2, 3)], r"it must be \(N, T, features\) or"),
        (
            nn.LSTM(3, 4),
            [(5, 2, 4)],
            r"LSTM\(3, 4\) got input of shape .*: its last axis must be 3",
        ),
        (nn.RNN(3, 4), [(0, 2, 3)], "it needs at least one time step"),
        (nn.GRU(3, 4), [(5, 2, 3), (2, 4)], r"first state of shape \(2, 4\): .* be \(1, 2, 4\)"),
        (nn.GRU(3, 4), [(5, 3), (1, 2, 4)], r"first state of shape .* it must be \(1, 4\)"),
        (nn.GRUCell(3, 4), [(2, 4)], r"GRUCell\(3, 4\) got input of .* be \(N, 3\) or \(3\)"),
        (nn.GRUCell(3, 4), [(2, 3), (3, 4)], r"a state of shape \(3, 4\): .* must be \(2, 4\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    layer: nn.Module, shapes: list[tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ag.ShapeError, match=message):
        layer(*(ag.zeros(*shape) for shape in shapes))


def test_a_state_of_another_kind_is_refused() -> None:
    x, h = ag.zeros(5, 2, 3), ag.zeros(1, 2, 4)
    with pytest.raises(TypeError, match=r"must be two tensors, \(h_0, c_0\), not a Tensor"):
        nn.LSTM(3, 4)(x, h)
    with pytest.raises(TypeError, match=r"two tensors, \(h_0, c_0\), not 3 of them"):
        nn.LSTM(3, 4)(x, (h, h, h))
    with pytest.raises(TypeError, match="must be a tensor, not 2 of them"):
        nn.GRU(3, 4)(x, (h, h))
    with pytest.raises(ag.DtypeError, match="dtypes float64 and float32 and float32 differ"):
        nn.GRU(3, 4)(x.double())


def test_packed_rows_of_another_width_are_refused() -> None:
    packed = packing.pack_sequence([ag.zeros(2, 4)])
    with pytest.raises(ag.ShapeError, match=r"input of shape \(2, 4\): its last axis must be 3"):
        nn.LSTM(3, 4)(packed)
    with pytest.raises(ag.ShapeError, match=r"must be packed rows \(rows, features\)"):
        nn.LSTM(3, 4)(packing.pack_sequence([ag.zeros(2, 4, 3)]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: packing.pack_padded_sequence(x, [2, 4]), r"lengths \[2, 4\]: they must not inc"),
        (lambda x: packing.pack_padded_sequence(x, [4, 0]), "needs 2 whole numbers from 1 to 4"),
        (lambda x: packing.pack_padded_sequence(x, [5, 1]), "needs 2 whole numbers from 1 to 4"),
        (lambda x: packing.pack_padded_sequence(x, [3]), r"got lengths \[3\]: it needs 2 whole"),
        (lambda x: packing.pack_padded_sequence(x[0, 0], [3]), "it needs 2 axes or more"),
        (lambda x: packing.unpad_sequence(x, [5, 1]), "unpad_sequence got lengths .* from 0 to 4"),
        (lambda x: packing.pad_sequence([x, x[:, :1]]), "that agree in all axes but the first"),
        (lambda x: packing.pad_sequence([]), r"pad_sequence got shapes \[\]: it needs sequences"),
        (lambda x: packing.PackedSequence(x, ag.tensor([2, 1])), "must add up to the rows"),
        (lambda x: packing.pad_packed_sequence(packing.pack_padded_sequence(x, [3, 2]),
                                               total_length=2), "longest sequence has 3 time"),
    ],
)  # fmt: skip
def test_lengths_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ag.ShapeError, match=message):
        call(ag.zeros(4, 2, 3))


def test_an_unknown_side_of_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="padding_side='top': it must be 'left' or 'right'"):
        packing.pad_sequence([ag.zeros(2)], padding_side="top")


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
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    return ours, theirs


@pytest.mark.torch
@every_layer
@every_setting
@pytest.mark.parametrize("enforce_sorted", [True, False])
def test_packed_sequences_agree_with_pytorch(
    torch: Any, name: str, settings: dict[str, Any], enforce_sorted: bool, rng: np.random.Generator
) -> None:
    ours, theirs = twins(name, torch, 3, 2, **settings)
    x, lengths = rng.normal(size=(5, 4, 3)), [5, 3, 3, 1] if enforce_sorted else [1, 3, 5, 2]
    results: list[list[Any]] = []
    for layer, library, rnn in ((ours, ag, packing), (theirs, torch, torch.nn.utils.rnn)):
        input = library.tensor(x, requires_grad=True)
        packed = rnn.pack_padded_sequence(input, lengths, enforce_sorted=enforce_sorted)
        y, last = layer(packed)
        padded, counts = rnn.pad_packed_sequence(y)
        (padded**2).sum().backward()
        numbers = [y.data, y.batch_sizes, padded, counts, *flat(last), input.grad]
        results.append(numbers + [p.grad for p in layer.parameters()])
    for a, b in zip(*results, strict=True):
        close(a, b)


@pytest.mark.torch
@every_cell
def test_second_derivatives_of_cells_agree_with_pytorch(
    torch: Any, name: str, rng: np.random.Generator
) -> None:
    ours, theirs = twins(name, torch, 3, 2)
    x = rng.normal(size=(4, 3))
    results: list[list[Any]] = []
    for layer, library in ((ours, ag), (theirs, torch)):
        input = library.tensor(x, requires_grad=True)
        total = sum((part**3).sum() for part in flat(layer(input)))
        leaves = [input, *layer.parameters()]
        firsts = library.autograd.grad(total, leaves, create_graph=True)
        slopes = sum((g**2).sum() for g in firsts)
        results.append(list(library.autograd.grad(slopes, leaves)))
    for a, b in zip(*results, strict=True):
        close(a, b)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("RNN", (3, 4, 2, "relu", False, True, 0.5, True)),
        ("LSTM", (3, 4, 2, False, True, 0.5, True, 2)),
        ("GRU", (3, 4, 2, False, True, 0.5, True)),
        ("RNNCell", (3, 4, False, "relu")),
    ],
)
def test_arguments_have_pytorch_s_order(torch: Any, name: str, args: tuple[Any, ...]) -> None:
    ours, theirs = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
