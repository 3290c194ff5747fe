"""Models written as ONNX files give the same numbers in another runtime, or are refused by name."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.tree import leaves
from nn.export import ExportError
from nn.export.rules import RULES
from tests.ops.case import OpCase
from tests.ops.cases import CASES

TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def libraries() -> None:
    """All of these need them."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


def session(proto: Any) -> Any:
    runtime = import_module("onnxruntime")
    runtime.set_default_logger_severity(4)
    return runtime.InferenceSession(proto.SerializeToString())


def results(proto: Any, inputs: list[Any]) -> list[Any]:
    ready = session(proto)
    feed = {known.name: x.numpy() for known, x in zip(ready.get_inputs(), inputs, strict=False)}
    return ready.run(None, feed)


def check(proto: Any, model: Callable[..., Any], inputs: list[Any]) -> None:
    """Run both; numbers agree to 1e-5 of the largest, dtypes and shapes are equal."""
    with ag.no_grad():
        expected = [y.numpy() for y in leaves(model(*inputs))]
    found = results(proto, inputs)
    assert len(found) == len(expected)
    for y, wanted in zip(found, expected, strict=True):
        assert (y.dtype, y.shape) == (wanted.dtype, wanted.shape)
        largest = np.abs(wanted, where=np.isfinite(wanted), out=np.zeros(wanted.shape)).max(
            initial=1.0
        )
        np.testing.assert_allclose(y, wanted, rtol=TOLERANCE, atol=TOLERANCE * largest)


def drawn(*shape: int) -> ag.Tensor:
    return ag.randn(*shape)


# Models


def mixer() -> nn.Module:
    model = nn.models.MLPMixer(32, 8, 2, 16, 8, 32, 10)
    nn.init.normal_(model.head.weight)  # which starts at zero
    return model


def images() -> nn.Module:
    return nn.Sequential(
        nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.AvgPool2d(3, 2, 1), nn.Conv2d(4, 4, 2),
        nn.ReLU(inplace=True), nn.Upsample(scale_factor=2), nn.ConvTranspose2d(4, 6, 3, 2, 1, 1),
        nn.PReLU(), nn.ReflectionPad2d(1), nn.Dropout(), nn.BatchNorm2d(6), nn.RMSNorm(26),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Softmax(-1),
    )  # fmt: skip


def transformer() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")


MODELS: dict[str, Any] = {  # how it is built, an input, and which axis of that is the batch
    "LeNet5": (nn.models.LeNet5, (2, 1, 32, 32), 0),
    "ResNet-18": (nn.models.resnet18, (2, 3, 40, 40), 0),
    "MLPMixer": (mixer, (2, 3, 32, 32), 0),
    "LSTM both ways": (lambda: nn.LSTM(3, 4, 2, bidirectional=True), (5, 2, 3), 1),
    "LSTM": (lambda: nn.LSTM(3, 4, batch_first=True, proj_size=2), (2, 5, 3), 0),
    "GRU": (lambda: nn.GRU(3, 4), (5, 2, 3), 1),
    "RNN": (lambda: nn.RNN(3, 4), (5, 2, 3), 1),
    "transformer": (transformer, (2, 4, 8), 0),
    "images": (images, (2, 4, 13, 13), 0),
    "conv_net": (nn.models.conv_net, (2, 1, 28, 28), 0),
    "CifarNet": (nn.models.CifarNet, (2, 3, 32, 32), 0),
}


@pytest.mark.parametrize(("make", "shape", "axis"), MODELS.values(), ids=MODELS.keys())
def test_a_model_gives_the_same_numbers_for_any_batch(
    make: Callable[[], nn.Module], shape: tuple[int, ...], axis: int
) -> None:
    model = make().eval()
    proto = nn.export_onnx(model, drawn(*shape), batch_axis=axis)
    for size in (shape[axis], 1, 5):
        check(proto, model, [drawn(*shape[:axis], size, *shape[axis + 1 :])])


def test_a_batch_of_one_may_grow() -> None:
    model = nn.LSTM(3, 4)
    proto = nn.export_onnx(model, drawn(5, 1, 3), batch_axis=1)
    check(proto, model, [drawn(5, 3, 3)])


def test_sizes_are_fixed_where_nothing_is_said() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    proto = nn.export_onnx(model, drawn(2, 2, 3))
    check(proto, model, [drawn(2, 2, 3)])
    assert [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim] == [2, 2, 3]
    with pytest.raises(Exception, match="Got invalid dimensions for input"):
        results(proto, [drawn(3, 2, 3)])


def test_several_inputs_and_outputs_have_names() -> None:
    class Both(nn.Module):
        def forward(self, x: Any, y: Any) -> Any:
            return {"sum": x + y, "parts": (x * 2, [x.shape[0] * y, x])}

    x, y = drawn(2, 3), drawn(2, 3)
    proto = nn.export_onnx(Both(), [x, y], batch_axis=0)
    check(proto, Both(), [drawn(4, 3), drawn(4, 3)])
    assert [i.name for i in proto.graph.input] == ["input_0", "input_1"]
    assert [o.name for o in proto.graph.output] == [f"output_{i}" for i in range(4)]
    sizes = proto.graph.output[0].type.tensor_type.shape.dim
    assert (sizes[0].dim_param, sizes[1].dim_value) == ("batch", 3)
    names: dict[str, Any] = {"input_names": ["a", "b"], "output_names": ["c"]}
    proto = nn.export_onnx(lambda a, b: a @ b.T, [x, y], **names)
    assert [i.name for i in (*proto.graph.input, *proto.graph.output)] == ["a", "b", "c"]


def test_parameters_keep_names_and_layouts() -> None:
    onnx = import_module("onnx")
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    proto = nn.export_onnx(model, drawn(1, 1, 4, 4))
    stored = {i.name: onnx.numpy_helper.to_array(i) for i in proto.graph.initializer}
    state = model.state_dict()
    del state["1.num_batches_tracked"]
    assert set(state) <= set(stored)
    assert all((stored[name] == value.numpy()).all() for name, value in state.items())


def test_a_file_is_written_and_the_model_is_as_before(tmp_path: Path) -> None:
    onnx = import_module("onnx")
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2).eval())
    before = [x.tolist() for x in model.state_dict().values()]
    proto = nn.export_onnx(model, drawn(3, 2), tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx") == proto
    assert [m.training for m in model.modules()] == [True, True, True, False]
    assert [x.tolist() for x in model.state_dict().values()] == before
    assert all(p.grad is None for p in model.parameters())
    check(proto, model.eval(), [drawn(3, 2)])


def test_a_model_is_the_same_file_every_time() -> None:
    model = nn.LSTM(2, 3)
    first, second = (nn.export_onnx(model, drawn(4, 1, 2), batch_axis=1) for _ in "ab")
    assert first == second


def test_what_does_not_depend_on_the_inputs_is_a_constant() -> None:
    w = ag.randn(3, 3)
    proto = nn.export_onnx(lambda x: x @ ag.matrix_exp(w).inverse(), drawn(2, 3))
    assert [node.op_type for node in proto.graph.node] == ["MatMul", "Identity"]


def test_what_the_output_does_not_need_is_left_out() -> None:
    def wasteful(x: Any) -> Any:
        ag.erfinv(x.exp()).sum()  # which has no form, either
        return x + 1

    proto = nn.export_onnx(wasteful, drawn(2))
    assert [node.op_type for node in proto.graph.node] == ["Add", "Identity"]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.relu_(),
        lambda x: x.add_(1).mul_(2),
        lambda x: x.__iadd__(x),
        lambda x: x.clamp_(min=0),
    ],
)
def test_changes_in_place_are_followed(change: Callable[[Any], Any]) -> None:
    def model(x: Any) -> Any:
        y = x * 3
        change(y)
        return y - x

    check(nn.export_onnx(model, drawn(2, 3)), model, [drawn(2, 3)])


# Ops


ROWS = [case for case in CASES if case.name in RULES and case.drawn]
# Ways to call an op that have no form in ONNX, by what the error says.
WITHOUT = {
    "index": "its index has",
    "norm": "it counts, as the norm of order 0",
    "resize": "its mode|its scales",
    "round": "it rounds to 1 decimals",
    "adaptive_avg_pool": "have several sizes",
    "roll": "give it dims",
    "conv": "its padding is negative",
    "conv_transpose": "its padding is negative",
}
FIRST = ("standardize", "max_pool")  # of which ONNX has the first result only


def exported(case: OpCase, rng: np.random.Generator) -> tuple[Any, Any, list[Any]]:
    """The op of a row as ONNX, as a function, and with what it is called."""
    operands = case.draw(rng, np.float32)

    def model(*inputs: Any) -> Any:
        given = list(operands)
        for i, x in zip(case.drawn, inputs, strict=True):
            given[i] = x
        y = case.call(given)
        return y[0] if case.name in FIRST else y

    inputs = [ag.tensor(operands[i]) for i in case.drawn]
    return nn.export_onnx(model, inputs), model, inputs


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_an_op_gives_the_same_numbers_or_says_why_not(
    case: OpCase, rng: np.random.Generator
) -> None:
    try:
        proto, model, inputs = exported(case, rng)
    except ExportError as error:
        allowed = WITHOUT.get(case.name, "never")
        if () in case.operands:
            allowed = "it works along an axis, and its operand has none"
        found = re.search(
            rf"^export_onnx: {case.name} .*has no form in ONNX: .*({allowed})", f"{error}"
        )
        assert found, error  # noqa: PT017
    else:
        check(proto, model, inputs)


def test_every_rule_is_of_an_op_and_has_a_row() -> None:
    assert set(RULES) - {case.name for case in CASES} == set()


FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda x: x[:, 1:, None],
    lambda x: x[0, ..., -1],
    lambda x: x[..., ::2],
    lambda x: x[:, [2, 0]],
    lambda x: x + np.float32(1.5),
    lambda x: x > x.mean(),
    lambda x: ag.where(x > 0, x, -1),
    lambda x: x.long() + x,
    lambda x: x.long().sum(-1) / 2,
    lambda x: (x > 0).sum(),
    lambda x: x.chunk(2, -1)[1],
    lambda x: x.repeat(1, 2, 1),
    lambda x: ag.einsum("bij,bkj->bik", x, x),
    lambda x: nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True),
    lambda x: nn.functional.normalize(x, dim=-1),
    lambda x: nn.functional.interpolate(x, scale_factor=2),
    lambda x: nn.functional.mish(x) + nn.functional.hardswish(x) + nn.functional.glu(x).mean(),
    lambda x: x.reshape(x.shape[0] * 3, 4),
    lambda x: x.new_zeros(x.shape[0], 2).sum(1)[:, None, None] + x,
    lambda x: x / x.shape[0],
    lambda x: x.double().exp(),
    lambda x: x.mT @ x,
    lambda x: x.max(1).values + x.argmax(1),
    lambda x: ag.gather(x, 1, ag.zeros(2, 1, 4, dtype=ag.int64)),
    lambda x: x.std(-1) + x.var((1, 2), keepdim=True)[..., 0],
    lambda x: x.detach() + x.flatten(1).sum(1)[:, None, None].expand(*x.shape),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_of_a_tensor_gives_the_same_numbers(function: Callable[[Any], Any]) -> None:
    x = drawn(2, 3, 4)
    check(nn.export_onnx(function, x), function, [x])


BATCHED = [*FUNCTIONS[:7], *FUNCTIONS[9:23], FUNCTIONS[25]]


@pytest.mark.parametrize("function", BATCHED)
def test_a_function_of_a_tensor_takes_any_batch(function: Callable[[Any], Any]) -> None:
    proto = nn.export_onnx(function, drawn(2, 3, 4), batch_axis=0)
    for size in (1, 2, 7):
        check(proto, function, [drawn(size, 3, 4)])


def test_an_output_may_be_a_constant_or_an_input() -> None:
    model = lambda x: (x, ag.ones(3), x.new_zeros(len(x), 2))  # noqa: E731
    proto = nn.export_onnx(model, drawn(4, 2), batch_axis=0)
    check(proto, model, [drawn(5, 2)])


def test_one_tensor_may_be_two_inputs() -> None:
    x = drawn(2, 3)
    proto = nn.export_onnx(ag.sub, [x, x])
    check(proto, ag.sub, [drawn(2, 3), drawn(2, 3)])


def test_inputs_are_left_alone() -> None:
    x = ag.ones(2)
    nn.export_onnx(lambda x: x.mul_(2), x)
    assert x.tolist() == [1, 1]


def test_whole_numbers_pick_rows() -> None:
    model = nn.Embedding(5, 3)
    index = ag.tensor([[1, 4], [0, 0], [2, 3]])
    check(nn.export_onnx(model, index, batch_axis=0), model, [ag.tensor([[4, 4]])])


# What is refused


class Net(nn.Module):
    """A module with one layer, and a function after it."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(self.fc(x))


class Cube(ag.autograd.Function):
    """An op of the user's."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x**3


def changed(y: Any) -> Any:
    y[:, 0] = 1.0
    return y + 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda y: ag.erfinv(y),
            r"erfinv in Net at .*test_export\.py:\d+ has no form in ONNX: there",
        ),
        (lambda y: y * float(y.numpy().max()), "mul in Net at .*: b depends on the inputs"),
        (lambda y: y + ag.randn(4), "add in Net at .*: b depends on the inputs, or on chance"),
        (lambda y: y * y.sum().item(), "mul in Net .*: b depends on the inputs"),
        (lambda y: y[y > 0], "index in Net .*: key depends on the inputs"),
        (lambda y: y if y[0, 0] > y[1, 1] else -y, "takes other steps with other inputs"),
        (lambda y: y.exp() if y[0, 0] > y[1, 1] else -y, "first where it took"),
        (Cube.apply, "Cube in Net .*: there is no rule for it"),
        (changed, r"add in Net at .*: it reads a tensor that was changed in place at .*\.py:\d+"),
    ],
)
def test_what_a_file_cannot_say_is_refused_by_name(
    function: Callable[[Any], Any], message: str
) -> None:
    model = Net(function)
    with ag.no_grad():
        model.fc.weight.copy_(ag.eye(4))
        model.fc.bias.zero_()
    x = ag.tensor([[1.0, -2.0, 3.0, 0.5], [2.0, -3.0, 1.0, 0.25]])
    with pytest.raises(ExportError, match=f"export_onnx: .*{message}"):
        nn.export_onnx(model, x)


def test_places_of_maxima_have_no_form() -> None:
    pool = nn.MaxPool2d(2, return_indices=True)
    with pytest.raises(ExportError, match=r"result 1 of max_pool .*has no form in ONNX"):
        nn.export_onnx(lambda x: pool(x)[1], drawn(1, 1, 4, 4))


def test_steps_that_depend_on_the_batch_are_refused() -> None:
    with pytest.raises(ExportError, match="other steps with other inputs"):
        nn.export_onnx(lambda x: sum(x.unbind(0)), drawn(2, 3), batch_axis=0)
    with pytest.raises(
        ExportError, match=r"unbind .*the shape of its result depends on the inputs"
    ):
        nn.export_onnx(lambda x: x.unbind(0)[0], drawn(2, 3), batch_axis=0)
    with pytest.raises(ExportError, match=r"std .*a count that depends on the size of the batch"):
        nn.export_onnx(lambda x: x.std(0), drawn(2, 3), batch_axis=0)
    with pytest.raises(ExportError, match=r"div .*: b depends on the inputs"):
        nn.export_onnx(lambda x: x / (1 / x.shape[0]), drawn(2, 3), batch_axis=0)


def test_inputs_that_cannot_be_are_refused() -> None:
    model = nn.Linear(2, 2)
    x = drawn(3, 2)
    with pytest.raises(TypeError, match="export_onnx got a ndarray as input: it needs Tensors"):
        nn.export_onnx(model, [np.ones(2)])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="export_onnx got no inputs"):
        nn.export_onnx(model, [])
    with pytest.raises(IndexError, match=r"export_onnx got batch_axis=2 for inputs \[\(3, 2\)\]"):
        nn.export_onnx(model, x, batch_axis=2)
    with pytest.raises(ag.ShapeError, match="their batches must have one size, not 0"):
        nn.export_onnx(ag.add, [x, drawn(1, 2)], batch_axis=0)
    with pytest.raises(ValueError, match=r"got input_names \['a', 'b'\]: there are 1"):
        nn.export_onnx(model, x, input_names=["a", "b"])
    with pytest.raises(TypeError, match="the model returns a float: it must be Tensors"):
        nn.export_onnx(lambda x: 1.5, x)


def test_the_extra_is_named_where_the_library_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[onnx\]"'):
        nn.export_onnx(nn.Linear(2, 2), drawn(1, 2))
