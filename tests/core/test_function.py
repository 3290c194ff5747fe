"""Ops that users write: both of PyTorch's styles, every facility of ctx, and every mistake."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import func
from autograd_core.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


class LinearFunction(Function):
    """The lecture's example, with what its slide leaves out: setup_context and grad_bias."""

    @staticmethod
    def forward(input: Any, weight: Any, bias: Any) -> Any:
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class Cube(Function):
    """x³ in the style of one forward with ctx."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * t


class Exp(Function):
    """eˣ, which saves its output."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


# What it can do


def test_the_lecture_s_linear_function_is_linear(rng: np.random.Generator) -> None:
    shapes = [(4, 3), (2, 3), (2,)]
    inputs = [ag.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]
    x, w, b = inputs
    found = grad(LinearFunction.apply(x, w, b).square().sum(), inputs)
    expected = grad((x @ w.T + b).square().sum(), inputs)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-13)
    assert gradcheck(LinearFunction.apply, inputs)
    assert gradgradcheck(LinearFunction.apply, inputs)


def test_the_lecture_s_linear_function_may_lack_a_bias(rng: np.random.Generator) -> None:
    x, w = (ag.tensor(rng.standard_normal(s), requires_grad=True) for s in ((4, 3), (2, 3)))
    LinearFunction.apply(x, w, None).sum().backward()
    assert w.grad.tolist() == [x.detach().sum(0).tolist()] * 2


def test_only_what_is_needed_is_asked_for() -> None:
    needs = []

    class Spy(LinearFunction):
        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            needs.append(ctx.needs_input_grad)
            return LinearFunction.backward(ctx, grad_output)

    w = ag.ones(2, 3, requires_grad=True)
    Spy.apply(ag.ones(4, 3), w, None).sum().backward()
    assert needs == [(False, True, False)]
    assert w.grad.tolist() == [[4.0] * 3] * 2


@pytest.mark.parametrize("function", [Cube, Exp])
def test_first_and_second_derivatives_are_right(function: Any) -> None:
    assert gradcheck(function.apply, leaf(0.5, -1.0))
    assert gradgradcheck(function.apply, leaf(0.5, -1.0))


def test_a_third_derivative_through_saved_tensors() -> None:
    x = leaf(2.0)
    y: Any = Cube.apply(x)
    for _ in range(3):
        y = grad(y, x, create_graph=True)[0]
    assert y.tolist() == [6.0]


def test_jvp_carries_tangents_forward() -> None:
    assert gradcheck(Cube.apply, leaf(0.5, -1.0), check_forward_ad=True)
    x = ag.tensor([0.5, -1.0], dtype=ag.float64)
    h = func.hessian(lambda x: Cube.apply(x).sum())(x)
    np.testing.assert_allclose(h.numpy(), np.diag([3.0, -6.0]))
    h = func.jacfwd(func.jacfwd(lambda x: Cube.apply(x).sum()))(x)
    np.testing.assert_allclose(h.numpy(), np.diag([3.0, -6.0]))


def test_jvp_gets_what_was_saved_for_it_and_zeros_for_what_does_not_move() -> None:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x, y)
            return x * y

        @staticmethod
        def jvp(ctx: Any, x_t: Any, y_t: Any) -> Any:
            x, y = ctx.saved_tensors
            assert y_t.tolist() == [0.0]
            return x_t * y + x * y_t

    f = lambda x: Product.apply(x, ag.tensor([5.0]))  # noqa: E731
    assert func.jvp(f, (ag.tensor([2.0]),), (ag.tensor([1.0]),))[1].tolist() == [5.0]


def test_several_outputs_and_zeros_for_those_not_used() -> None:
    seen = []

    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append((g.tolist(), h.tolist()))
            return 2 * g + 3 * h

    x = leaf(1.0)
    a, b = Both.apply(x)
    (a + b).sum().backward()
    Both.apply(x)[1].sum().backward()
    assert x.grad.tolist() == [8.0]
    assert seen == [([1.0], [1.0]), ([0.0], [1.0])]


def test_unused_outputs_give_none_when_asked_for() -> None:
    seen = []

    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append(g)
            return 3 * h

    x = leaf(1.0)
    Both.apply(x)[1].sum().backward()
    assert (seen, x.grad.tolist()) == ([None], [3.0])


def test_an_output_can_be_marked_as_not_differentiable() -> None:
    class Best(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            value, place = x.max(0)
            ctx.mark_non_differentiable(place)
            ctx.place, ctx.shape = place.item(), x.shape
            return value, place

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            out = ag.zeros(ctx.shape, dtype=g.dtype)
            out[ctx.place] = g
            return out

    x = leaf(1.0, 5.0, 2.0)
    value, place = Best.apply(x)
    assert (value.requires_grad, place.requires_grad) == (True, False)
    value.backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


class Double_(Function):
    """x ← 2 x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2.0)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2.0 * g


def test_an_input_changed_in_place_gets_the_new_history() -> None:
    x = leaf(3.0)
    y = x * 1.0
    z = Double_.apply(y)
    assert z is y
    (y * y).sum().backward()
    assert x.grad.tolist() == [24.0]


def test_a_gradient_may_be_none() -> None:
    class First(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, None

    x, y = leaf(1.0), leaf(2.0)
    First.apply(x, y).backward()
    assert (x.grad.tolist(), y.grad) == ([1.0], None)


def test_nothing_is_recorded_where_nothing_requires_grad() -> None:
    assert not Cube.apply(ag.ones(2)).requires_grad
    with ag.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad


def test_a_returned_input_is_a_result_of_its_own() -> None:
    class Reverse(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return -g

    x = leaf(2.0)
    y = Reverse.apply(x)
    y.backward()
    assert y is not x
    assert x.grad.tolist() == [-1.0]


def test_numbers_and_strings_are_passed_on_and_get_no_gradient() -> None:
    class Power(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, n: Any, name: Any) -> Any:
            ctx.save_for_backward(x, None)
            ctx.n = n
            return x**n

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, nothing = ctx.saved_tensors
            assert nothing is None
            return g * ctx.n * x ** (ctx.n - 1), None, None

    x = leaf(3.0)
    Power.apply(x, 4, "fourth").backward()
    assert x.grad.tolist() == [108.0]


def test_what_was_saved_is_let_go_by_backward() -> None:
    gc.collect()
    x = leaf(*range(1000))
    y = Exp.apply(x * 1.0)
    kept = weakref.ref(y._array)
    loss = y.sum()
    del y
    assert kept() is not None
    loss.backward()
    assert kept() is None


def test_a_function_is_observed_like_an_op() -> None:
    x = leaf(1.0)
    with ag.observe() as seen:
        Cube.apply(x)
        Cube.apply(ag.ones(2))
    assert [node.op.name for node in seen.nodes] == ["pow", "Cube", "pow", "Cube"]
    assert "test_function.py" in seen.nodes[1].line
    assert seen.nodes[1].sources == (x,)


def test_saved_tensors_go_through_hooks() -> None:
    seen = []

    def pack(x: Any) -> Any:
        seen.append(x.tolist())
        return x * 10.0  # so that it shows

    x = leaf(2.0)
    with ag.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        y = Exp.apply(x)
    y.backward()
    assert len(seen) == 1
    np.testing.assert_allclose(x.grad.numpy(), 10.0 * np.exp(2.0))


# What goes wrong


def failing(**methods: Any) -> Any:
    """A Function that is the identity but for some of its methods."""
    usual: dict[str, Any] = {"forward": lambda ctx, x: x * 1.0, "backward": lambda ctx, g: g}
    return type("Mine", (Function,), {k: staticmethod(f) for k, f in (usual | methods).items()})


def run(**methods: Any) -> Any:
    failing(**methods).apply(leaf(1.0, 2.0)).sum().backward()


def once(ctx: Any, g: Any) -> Any:
    return g * 2.0


MISTAKES = [
    ({"backward": lambda ctx, g: (g, g)}, ag.GraphError,
     r"Mine.backward returned 2 gradients: it must return one for each of the 1 inputs of forward"),
    ({"backward": lambda ctx, g: ()}, ag.GraphError, "Mine.backward returned 0 gradients"),
    ({"backward": lambda ctx, g: g[:1].expand(3)}, ag.ShapeError,
     r"Mine.backward returned a gradient of shape \(3,\) for input 0 of shape \(2,\)"),
    ({"backward": lambda ctx, g: 1.0}, TypeError,
     "Mine.backward returned a float for input 0: a gradient must be a Tensor or None"),
    ({"forward": lambda ctx, x: 1.0}, TypeError,
     "Mine.forward returned a float: it must return a Tensor or a tuple of them"),
    ({"forward": lambda ctx, x: None}, TypeError, "Mine.forward returned a NoneType|nothing"),
    ({"forward": lambda ctx, x: ()}, TypeError, "Mine.forward returned nothing"),
    ({"forward": lambda ctx, x: ctx.save_for_backward(3)}, TypeError,
     "save_for_backward got a int: it takes Tensors; keep anything else as an attribute of ctx"),
    ({"forward": lambda ctx, x: (ctx.saved_tensors, x)[1]}, ag.GraphError,
     "saved_tensors can be read only while backward or jvp runs"),
    ({"forward": lambda ctx, x: (ctx.mark_dirty(x), x * 1.0)[1]}, ag.GraphError,
     "Mine.forward must return every input that it marks dirty"),
]  # fmt: skip


@pytest.mark.parametrize(("methods", "kind", "text"), MISTAKES)
def test_a_mistake_is_explained(methods: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        run(**methods)


def test_extra_nones_at_the_end_are_allowed() -> None:
    run(backward=lambda ctx, g: (g, None, None))


def test_a_leaf_cannot_be_changed_in_place() -> None:
    with pytest.raises(ag.GraphError, match=r"Double_.forward changes a leaf of shape \(1,\) that"):
        Double_.apply(leaf(1.0))


def test_a_missing_method_is_named() -> None:
    half = type("Half", (Function,), {"forward": staticmethod(lambda ctx, x: x * 1.0)})
    with pytest.raises(ag.GraphError, match="Half cannot be differentiated: give it a static me"):
        half.apply(leaf(1.0)).backward()
    with pytest.raises(ag.GraphError, match="Half cannot be differentiated forwards: give it a"):
        func.jvp(half.apply, (ag.ones(1),), (ag.ones(1),))
    with pytest.raises(NotImplementedError, match="a Function needs a static method forward"):
        type("Empty", (Function,), {}).apply(leaf(1.0))
    with pytest.raises(TypeError, match=r"Cube is not instantiated: call Cube.apply"):
        Cube()


@pytest.mark.parametrize(
    ("jvp", "kind", "text"),
    [
        (lambda ctx, t: (t, t), ag.GraphError, "Mine.jvp returned 2 tangents: .* the 1 outputs"),
        (lambda ctx, t: 1.0, TypeError, "Mine.jvp returned a float for output 0: a tangent must"),
        (lambda ctx, t: ag.ones(3), ag.ShapeError,
         r"Mine.jvp returned a tangent of shape \(3,\) for output 0 of shape \(1,\)"),
    ],
)  # fmt: skip
def test_a_wrong_tangent_is_explained(jvp: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        func.jvp(failing(jvp=jvp).apply, (ag.ones(1),), (ag.ones(1),))


def test_a_second_backward_is_refused() -> None:
    y = Cube.apply(leaf(1.0))
    y.backward()
    with pytest.raises(ag.GraphError, match="Cube was freed by an earlier backward: pass retain"):
        y.backward()


def test_an_overwritten_input_or_output_is_noticed() -> None:
    x = leaf(1.0)
    u = x * 1.0
    y = Cube.apply(u)
    with ag.no_grad():
        u.mul_(2.0)
    with pytest.raises(ag.GraphError, match=r"Cube of shapes \(1,\) saved its operand 'x', which"):
        y.backward()
    y = Exp.apply(x)
    with ag.no_grad():
        y.mul_(2.0)
    with pytest.raises(
        ag.GraphError, match=r"Exp of shapes .* saved its result, which was changed"
    ):
        y.backward()


@pytest.mark.parametrize("saves", [False, True])
def test_once_differentiable_refuses_the_second_time(saves: bool) -> None:
    # The gradient depends on x through what was saved, so it is refused even if g is constant.
    def forward(ctx: Any, x: Any) -> Any:
        if saves:
            ctx.save_for_backward(x)
        return x * 2.0

    mine = failing(forward=forward, backward=once_differentiable(once))
    x = leaf(1.0)
    mine.apply(x).backward()
    assert x.grad.tolist() == [2.0]
    (g,) = grad(mine.apply(x), x, create_graph=True)
    with pytest.raises(ag.GraphError, match="marked @once_differentiable: its gradient cannot be"):
        (g + x).backward()


def test_once_differentiable_is_refused_in_forward_over_reverse() -> None:
    mine = failing(backward=once_differentiable(once), jvp=lambda ctx, t: t)
    with pytest.raises(ag.GraphError, match="marked @once_differentiable"):
        func.hvp(lambda x: mine.apply(x).sum(), (ag.ones(1),), (ag.ones(1),))


@pytest.mark.torch
def test_pytorch_s_function_gives_the_same(torch: Any, rng: np.random.Generator) -> None:
    forward = LinearFunction.__dict__
    methods = {name: forward[name] for name in ("forward", "setup_context", "backward")}
    theirs = type("LinearFunction", (torch.autograd.Function,), methods)
    arrays = [rng.standard_normal(s) for s in ((4, 3), (2, 3), (2,))]
    ours = [ag.tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    LinearFunction.apply(*ours).square().sum().backward()
    theirs.apply(*other).square().sum().backward()
    for a, b in zip(ours, other, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-12)
