"""no_grad and its kin: contexts, decorators, generators, nesting, exceptions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import autograd_core as ag


def recorded() -> bool:
    """Tell whether an op is recorded here."""
    return (ag.ones(1, requires_grad=True) * 2).requires_grad


def test_recording_is_on_by_default() -> None:
    assert ag.is_grad_enabled()
    assert recorded()


def test_no_grad_records_nothing_inside_and_everything_after() -> None:
    with ag.no_grad():
        assert not ag.is_grad_enabled()
        assert not recorded()
    assert recorded()


def test_a_leaf_made_inside_no_grad_may_require_grad() -> None:
    with ag.no_grad():
        x = ag.ones(1, requires_grad=True)
    (x * 2).backward()
    assert x.grad.tolist() == [2.0]


def test_modes_nest_and_come_back_in_order() -> None:
    with ag.no_grad():
        with ag.enable_grad():
            assert recorded()
            with ag.no_grad():
                assert not recorded()
            assert recorded()
        assert not recorded()
    assert recorded()


def test_one_switch_may_be_entered_twice() -> None:
    off = ag.no_grad()
    with off, off:
        assert not recorded()
    assert recorded()


def test_an_exception_leaves_the_mode_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        raise ZeroDivisionError
    assert recorded()


@ag.no_grad()
def called() -> bool:
    """What it says."""
    return recorded()


@ag.no_grad
def bare() -> bool:
    return recorded()


def test_decorated_functions_run_in_the_mode() -> None:
    assert not called()
    assert not bare()
    assert recorded()
    assert (called.__name__, called.__doc__) == ("called", "What it says.")

    @ag.enable_grad()
    def inner() -> bool:
        return recorded()

    with ag.no_grad():
        assert inner()


def test_a_decorated_function_may_call_itself_and_may_raise() -> None:
    @ag.no_grad()
    def down(n: int) -> bool:
        if n == 0:
            raise KeyError
        return down(n - 1)

    with pytest.raises(KeyError):
        down(3)
    assert recorded()


def test_a_decorated_generator_switches_at_every_step() -> None:
    @ag.no_grad()
    def steps() -> Iterator[bool]:
        got = yield recorded()
        yield recorded() or got == "sent"

    generator = steps()
    assert next(generator) is False
    assert recorded()
    assert generator.send("sent") is True
    assert recorded()
    with pytest.raises(StopIteration):
        next(generator)


def test_a_decorated_generator_hears_exceptions_and_is_closed() -> None:
    closed: list[bool] = []

    @ag.no_grad()
    def steps() -> Iterator[bool]:
        try:
            yield recorded()
        except KeyError:
            yield recorded()
        finally:
            closed.append(recorded())

    generator = steps()
    next(generator)
    assert generator.throw(KeyError()) is False
    generator.close()
    assert closed == [False]
    assert recorded()


def test_set_grad_enabled_as_a_statement_stays_until_changed() -> None:
    ag.set_grad_enabled(False)
    try:
        assert not recorded()
    finally:
        ag.set_grad_enabled(True)
    assert recorded()


@pytest.mark.parametrize("on", [True, False])
def test_set_grad_enabled_as_a_context_goes_back(on: bool) -> None:
    with ag.set_grad_enabled(on):
        assert recorded() is on
    assert recorded()
    with ag.no_grad():
        with ag.set_grad_enabled(on):
            assert recorded() is on
        assert not recorded()


@pytest.mark.parametrize("on", [True, False])
def test_set_grad_enabled_as_a_decorator_acts_inside_only(on: bool) -> None:
    @ag.set_grad_enabled(on)
    def inside() -> bool:
        return recorded()

    assert recorded()
    assert inside() is on
    assert recorded()


def test_backward_restores_the_mode_even_when_a_rule_fails() -> None:
    x = ag.ones(2, requires_grad=True)
    y = x.exp()
    y.sum().backward()
    with pytest.raises(ag.GraphError):
        y.sum().backward()
    assert ag.is_grad_enabled()


def test_inference_mode_records_nothing() -> None:
    x = ag.ones(2, requires_grad=True)

    @ag.inference_mode()
    def double(y: ag.Tensor) -> ag.Tensor:
        return 2 * y

    @ag.inference_mode
    def triple(y: ag.Tensor) -> ag.Tensor:
        return 3 * y

    assert not double(x).requires_grad
    assert not triple(x).requires_grad
    with ag.inference_mode():
        assert not (x * 2).requires_grad
        with ag.inference_mode(mode=False):
            assert (x * 2).requires_grad
