"""Schedules: PyTorch's numbers, the closed forms of the docstrings, and misuse."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import autograd_core as ag
import optim
from nn.state import StateError
from optim import lr_scheduler

own: Any = lr_scheduler
STEPS = 200
Make = Callable[[Any, Any], Any]  # of the module of schedules, PyTorch's or ours, and an optimizer


class Halving:
    """A factor that is an object, and so has a state."""

    def __init__(self, every: int = 7) -> None:
        self.every = every

    def __call__(self, epoch: float) -> float:
        return 0.5 ** (epoch // self.every)


def sequence(m: Any, o: Any) -> Any:
    parts = [m.LinearLR(o, 0.1, total_iters=10), m.CosineAnnealingLR(o, 50), m.StepLR(o, 20)]
    return m.SequentialLR(o, parts, [10, 90])


def chain(m: Any, o: Any) -> Any:
    return m.ChainedScheduler([m.ConstantLR(o, 0.1, 9), m.ExponentialLR(o, 0.97)], o)


# One row a schedule and kind of use; every public schedule has one.
SCHEDULES: dict[str, Make] = {
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda t: 0.95**t),
    "LambdaLR of each group": lambda m, o: m.LambdaLR(o, [lambda t: 1 / (t + 1), Halving()]),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda t: 0.9 if t % 3 else 1.1),
    "StepLR": lambda m, o: m.StepLR(o, 30),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [30, 60, 60, 90], gamma=0.3),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.98),
    "ConstantLR": lambda m, o: m.ConstantLR(o, 0.3, total_iters=40),
    "LinearLR": lambda m, o: m.LinearLR(o, 0.2, 0.9, total_iters=70),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, total_iters=150, power=1.7),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, 37, eta_min=0.01),
    "CosineAnnealingLR of one epoch": lambda m, o: m.CosineAnnealingLR(o, 1),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 11, 2, 0.001),
    "CosineAnnealingWarmRestarts alike": lambda m, o: m.CosineAnnealingWarmRestarts(o, 13),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.01, [0.1, 0.2], 15, 25, "triangular2"),
    "CyclicLR exponential": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 15, None, "exp_range", 0.99),
    "CyclicLR of a function": lambda m, o: m.CyclicLR(
        o, 0.01, 0.1, 20, scale_fn=Halving(), scale_mode="iterations", cycle_momentum=False
    ),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, [0.1, 0.3], total_steps=STEPS + 1),
    "OneCycleLR linear": lambda m, o: m.OneCycleLR(
        o, 0.1, epochs=67, steps_per_epoch=3, anneal_strategy="linear", three_phase=True
    ),
    "SequentialLR": sequence,
    "ChainedScheduler": chain,
}
ONLY_OURS: dict[str, Make] = {
    "InverseTimeLR": lambda m, o: m.InverseTimeLR(o, 0.1),
    "WarmupCosineLR": lambda m, o: m.WarmupCosineLR(o, 10, 150, eta_min=1e-3),
}
every_schedule = pytest.mark.parametrize("name", SCHEDULES | ONLY_OURS)
common_schedule = pytest.mark.parametrize("name", SCHEDULES)


def optimizer(kind: str = "SGD", library: Any = ag, **rates: Any) -> Any:
    """Two groups of a weight each, of ours or of PyTorch."""
    a, b = (library.zeros(1, requires_grad=True) for _ in range(2))
    rates = {"momentum": 0.9} | rates if kind == "SGD" else rates
    return getattr(library.optim, kind)([{"params": [a]}, {"params": [b], "lr": 0.5}], 0.1, **rates)


def make(name: str, o: Any) -> Any:
    return (SCHEDULES | ONLY_OURS)[name](own, o)


def rates(o: Any) -> list[Any]:
    return [
        {key: group[key] for key in ("lr", "momentum", "betas") if key in group}
        for group in o.param_groups
    ]


def run(o: Any, schedule: Any, steps: int = STEPS) -> list[Any]:
    """The rates of every epoch, from the first on."""
    seen = [rates(o)]
    for _ in range(steps):
        o.step()
        schedule.step()
        seen.append(rates(o))
    return seen


def first_rates(schedule: Any, steps: int) -> list[float]:
    return [groups[0]["lr"] for groups in run(schedule.optimizer, schedule, steps)]


# PyTorch


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@common_schedule
def test_rates_are_pytorchs_to_the_last_bit(name: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(kind), optimizer(kind, torch)
    other = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    assert run(ours, make(name, ours)) == run(theirs, other)


@pytest.mark.torch
@pytest.mark.parametrize("name", [*SCHEDULES][:-2])  # those of several take no epoch
def test_a_given_epoch_has_pytorchs_rate(name: str) -> None:
    torch = pytest.importorskip("torch")
    pairs = [(optimizer(), own), (optimizer(library=torch), torch.optim.lr_scheduler)]
    schedules = [SCHEDULES[name](module, o) for o, module in pairs]
    for epoch in (3, 40, 7, 110):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for (o, _), schedule in zip(pairs, schedules, strict=True):
                o.step()
                schedule.step(epoch)
        first, second = ([group["lr"] for group in rates(o)] for o, _ in pairs)
        assert first == pytest.approx(second, rel=1e-15)


@pytest.mark.torch
@common_schedule
def test_pytorch_and_we_continue_from_each_others_state(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), optimizer(library=torch)
    schedule, other = make(name, ours), SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    run(ours, schedule, 33)
    run(theirs, other, 33)
    first, second = schedule.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    schedule.load_state_dict(second)
    other.load_state_dict(first)
    assert run(ours, schedule, 100) == run(theirs, other, 100)


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateaus_are_seen_where_pytorch_sees_them(
    mode: Any, threshold_mode: Any, rng: Any
) -> None:
    torch = pytest.importorskip("torch")
    options = {"factor": 0.7, "patience": 3, "threshold": 0.1, "cooldown": 2, "eps": 1e-3}
    options |= {"mode": mode, "threshold_mode": threshold_mode, "min_lr": [0.02, 0.1]}
    ours, theirs = optimizer(), optimizer(library=torch)
    schedule = own.ReduceLROnPlateau(ours, **options)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    sign = 1 if mode == "max" else -1
    for t, noise in enumerate(rng.normal(size=STEPS)):
        measured = math.log(t + 2) ** sign * math.exp(0.1 * noise)
        schedule.step(measured)
        other.step(measured)
        assert rates(ours) == rates(theirs)
    assert ours.param_groups[0]["lr"] < 0.03
    assert schedule.state_dict() == other.state_dict()


@pytest.mark.torch
def test_every_schedule_of_pytorch_is_there() -> None:
    torch = pytest.importorskip("torch")
    for name in torch.optim.lr_scheduler.__all__:
        assert hasattr(own, name)


def test_every_schedule_has_a_row() -> None:
    classes = {name for name, item in vars(own).items() if isinstance(item, type)}
    rows = {name.split()[0] for name in SCHEDULES | ONLY_OURS}
    assert classes == rows | {"LRScheduler", "ReduceLROnPlateau"}


# Closed forms

CLOSED: dict[str, tuple[Make, Callable[[int], float]]] = {
    "StepLR": (lambda m, o: m.StepLR(o, 30), lambda t: 0.1 ** (t // 30)),
    "MultiStepLR": (
        lambda m, o: m.MultiStepLR(o, [30, 60, 90]),
        lambda t: 0.1 ** ((t >= 30) + (t >= 60) + (t >= 90)),
    ),
    "ExponentialLR": (lambda m, o: m.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    "InverseTimeLR": (lambda m, o: m.InverseTimeLR(o, 0.3), lambda t: 1 / (1 + 0.3 * t)),
    "ConstantLR": (lambda m, o: m.ConstantLR(o, 0.2, 8), lambda t: 0.2 if t < 8 else 1.0),
    "LinearLR": (
        lambda m, o: m.LinearLR(o, 0.2, 0.8, 12),
        lambda t: 0.2 + 0.6 * min(t, 12) / 12,
    ),
    "PolynomialLR": (
        lambda m, o: m.PolynomialLR(o, 40, 2.0),
        lambda t: (1 - min(t, 40) / 40) ** 2,
    ),
    "CosineAnnealingLR": (
        lambda m, o: m.CosineAnnealingLR(o, 25),
        lambda t: (1 + math.cos(math.pi * t / 25)) / 2,
    ),
    "CosineAnnealingWarmRestarts": (
        lambda m, o: m.CosineAnnealingWarmRestarts(o, 10),
        lambda t: (1 + math.cos(math.pi * (t % 10) / 10)) / 2,
    ),
    "LambdaLR": (lambda m, o: m.LambdaLR(o, lambda t: 1 / (t + 2)), lambda t: 1 / (t + 2)),
    "MultiplicativeLR": (lambda m, o: m.MultiplicativeLR(o, lambda t: 0.5), lambda t: 0.5**t),
}


@pytest.mark.parametrize("name", CLOSED)
def test_the_chained_form_is_the_closed_one(name: str) -> None:
    build, form = CLOSED[name]
    schedule = build(own, optimizer())
    wanted = [0.1 * form(t) for t in range(121)]
    assert first_rates(schedule, 120) == pytest.approx(wanted, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("name", [name for name in CLOSED if name != "MultiplicativeLR"])
def test_a_given_epoch_has_the_closed_form(name: str) -> None:
    build, form = CLOSED[name]
    schedule = build(own, optimizer())
    schedule.optimizer.step()
    for epoch in (50, 3, 31):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule.step(epoch)
        assert schedule.get_last_lr()[0] == pytest.approx(0.1 * form(epoch), rel=1e-14)


def test_warm_up_and_cosine_are_the_two_in_sequence() -> None:
    o = optimizer()
    parts = [own.LinearLR(o, 0.01, total_iters=10), own.CosineAnnealingLR(o, 140, eta_min=1e-3)]
    wanted = first_rates(own.SequentialLR(o, parts, [10]), 150)
    schedule = own.WarmupCosineLR(optimizer(), 10, 150, eta_min=1e-3)
    assert first_rates(schedule, 150) == pytest.approx(wanted, rel=1e-9)
    assert first_rates(schedule, 5) == [1e-3] * 6


def test_warm_up_may_take_no_time() -> None:
    assert first_rates(own.WarmupCosineLR(optimizer(), 0, 2), 3) == [0.1, 0.05, 0.0, 0.0]


def test_restarts_come_later_and_later() -> None:
    schedule = own.CosineAnnealingWarmRestarts(optimizer(), 3, 2)
    seen = first_rates(schedule, 45)
    assert [t for t, lr in enumerate(seen) if lr == 0.1] == [0, 3, 9, 21, 45]


def test_a_restart_at_a_given_epoch_is_exact() -> None:
    # 1 + 3 + 9 + 27 + 81 epochs: a logarithm of 243 to the base 3 comes out below 5.
    schedule = own.CosineAnnealingWarmRestarts(optimizer(), 1, 3)
    schedule.step(121)
    assert schedule.get_last_lr() == [0.1, 0.5]
    schedule.step(121 + 243 / 2)
    assert schedule.get_last_lr() == pytest.approx([0.05, 0.25])
    assert schedule.last_epoch == 242


def test_a_triangle_goes_up_and_down_and_momentum_down_and_up() -> None:
    o = optimizer()
    seen = run(o, own.CyclicLR(o, 0.1, 0.5, 2), 8)
    assert [groups[0]["lr"] for groups in seen] == pytest.approx(
        [0.1, 0.3, 0.5, 0.3, 0.1, 0.3, 0.5, 0.3, 0.1]
    )
    assert [groups[0]["momentum"] for groups in seen[:5]] == pytest.approx(
        [0.9, 0.85, 0.8, 0.85, 0.9]
    )


def test_a_cycle_sets_its_rates_whatever_schedule_was_there_before() -> None:
    o = optimizer()
    own.StepLR(o, 3)
    assert own.CyclicLR(o, 0.02, 0.5, 2).get_last_lr() == [0.02, 0.02]


def test_one_cycle_starts_low_peaks_and_ends_near_nothing() -> None:
    o = optimizer("Adam")
    seen = run(o, own.OneCycleLR(o, 1.0, total_steps=101, pct_start=0.5), 100)
    lr = [groups[0]["lr"] for groups in seen]
    assert lr[0] == pytest.approx(0.04)
    assert max(lr) == pytest.approx(1.0, abs=1e-3)
    assert 49 <= lr.index(max(lr)) <= 50
    assert lr[-1] == pytest.approx(4e-6)
    betas = [groups[0]["betas"] for groups in seen]
    assert betas[0] == betas[-1] == (0.95, 0.999)
    assert min(first for first, _ in betas) == pytest.approx(0.85, abs=1e-3)


def test_one_cycle_may_start_at_its_peak() -> None:
    schedule = own.OneCycleLR(optimizer(), 1.0, total_steps=10, pct_start=0.1)
    assert schedule.get_last_lr() == [1.0, 1.0]


def test_a_cycle_cannot_be_overstepped() -> None:
    o = optimizer()
    schedule = own.OneCycleLR(o, 0.1, total_steps=3)
    run(o, schedule, 3)
    with pytest.raises(ValueError, match="OneCycleLR got step 4: it has 3 in all"):
        schedule.step()


def test_a_plateau_lowers_the_rate_after_patience() -> None:
    o = optimizer()
    schedule = own.ReduceLROnPlateau(o, patience=2, cooldown=1)
    seen: list[float] = []
    for measured in [1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, math.nan]:
        schedule.step(ag.tensor(measured))
        seen.append(schedule.get_last_lr()[0])
    assert seen == pytest.approx([0.1] * 4 + [0.01] * 4 + [0.001] * 2)


def test_the_rate_is_scaled_with_the_batch() -> None:
    assert own.scaled_lr(0.1, 8192) == pytest.approx(3.2)
    assert own.scaled_lr(0.1, 64) == pytest.approx(0.025)
    assert own.scaled_lr(0.1, 1024, rule="sqrt") == pytest.approx(0.2)


# Using several, and a rate changed by hand


def test_schedules_of_one_optimizer_multiply() -> None:
    o = optimizer()
    first, second = own.ExponentialLR(o, 0.9), own.StepLR(o, 2, 0.5)
    seen: list[float] = []
    for _ in range(4):
        o.step()
        first.step()
        second.step()
        seen.append(o.param_groups[0]["lr"])
    assert seen == pytest.approx([0.1 * 0.9**t * 0.5 ** (t // 2) for t in range(1, 5)])


def test_a_rate_changed_by_hand_stays_changed() -> None:
    o = optimizer()
    schedule = own.ExponentialLR(o, 0.5)
    o.param_groups[0]["lr"] = 8.0
    o.step()
    schedule.step()
    assert schedule.get_last_lr() == [4.0, 0.25]


def test_a_sequence_within_a_sequence_is_the_same_as_flat() -> None:
    def parts(o: Any) -> list[Any]:
        return [own.ConstantLR(o, 0.5, 2), own.ExponentialLR(o, 0.9), own.StepLR(o, 3)]

    flat, first, last = optimizer(), optimizer(), optimizer()
    a, b, c = parts(flat)
    wanted = run(flat, own.SequentialLR(flat, [a, b, c], [4, 9]), 20)
    a, b, c = parts(first)
    inner = own.SequentialLR(first, [a, b], [4])
    assert run(first, own.SequentialLR(first, [inner, c], [9]), 20) == wanted
    a, b, c = parts(last)
    inner = own.SequentialLR(last, [b, c], [5])
    assert run(last, own.SequentialLR(last, [a, inner], [4]), 20) == wanted


def test_a_chain_within_a_sequence_begins_anew() -> None:
    alone, o = optimizer(), optimizer()
    wanted = run(alone, chain(own, alone), 15)
    parts = [own.StepLR(o, 2), chain(own, o), chain(own, o)]
    seen = run(o, own.SequentialLR(o, parts, [5, 15]), 30)
    assert seen[5:15] == wanted[:10]
    assert seen[15:] == wanted[:16]


def test_a_rate_that_is_a_tensor_stays_the_same_tensor() -> None:
    o = optimizer()
    lr = o.param_groups[0]["lr"] = ag.tensor(0.5)
    schedule = own.StepLR(o, 1)
    o.step()
    schedule.step()
    assert o.param_groups[0]["lr"] is lr
    assert lr.item() == pytest.approx(0.05)
    assert schedule.get_last_lr() == pytest.approx([0.05, 0.05])


def test_a_schedule_of_ones_own_says_its_rates() -> None:
    class Sawtooth(own.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base * (self.last_epoch % 3 + 1) for base in self.base_lrs]

    assert first_rates(Sawtooth(optimizer()), 4) == pytest.approx([0.1, 0.2, 0.3, 0.1, 0.2])
    with pytest.raises(NotImplementedError, match=r"LRScheduler does not define get_lr\(\)"):
        own.LRScheduler(optimizer())


# Saving


@every_schedule
def test_a_loaded_state_continues_bit_for_bit(name: str) -> None:
    one, two = optimizer(), optimizer()
    first = make(name, one)
    run(one, first, 41)
    saved, groups = copy.deepcopy(first.state_dict()), one.state_dict()
    second = make(name, two)
    two.load_state_dict(groups)
    second.load_state_dict(saved)
    assert second.get_last_lr() == first.get_last_lr()
    assert run(two, second, 60) == run(one, first, 60)
    assert saved.keys() == first.state_dict().keys()


def test_objects_keep_their_state_and_functions_are_left_out() -> None:
    o = optimizer()
    schedule = own.LambdaLR(o, [lambda t: 1.0, Halving(every=5)])
    assert schedule.state_dict()["lr_lambdas"] == [None, {"every": 5}]
    other = Halving()
    own.LambdaLR(o, [lambda t: 1.0, other]).load_state_dict(schedule.state_dict())
    assert other.every == 5


def test_resuming_with_a_number_of_epochs_needs_the_first_rates() -> None:
    o = optimizer()
    with pytest.raises(KeyError, match="StepLR got last_epoch=4, but group 0 has no 'initial_lr'"):
        own.StepLR(o, 3, last_epoch=4)
    for group in o.param_groups:
        group["initial_lr"] = 1.0
    assert own.LambdaLR(o, lambda t: 0.5**t, last_epoch=4).get_last_lr() == [0.5**5, 0.5**5]


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (lambda: own.StepLR(optimizer(), 3), r"ExponentialLR got a state with \[.*'step_size'\]"),
        (lambda: own.ExponentialLR(optim.SGD([ag.zeros(1)]), 0.9), "got a state of 1 groups, the"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(saved: Any, message: str) -> None:
    schedule = own.ExponentialLR(optimizer(), 0.5)
    before = schedule.state_dict()
    with pytest.raises(StateError, match=message):
        schedule.load_state_dict(saved().state_dict())
    assert schedule.state_dict() == before


def test_a_sequence_refuses_the_state_of_others_and_stays_as_it_is() -> None:
    o = optimizer()
    schedule = own.ChainedScheduler([own.StepLR(o, 2), own.ExponentialLR(o, 0.9)])
    other = own.ChainedScheduler([own.StepLR(o, 3), own.StepLR(o, 2)])
    before = schedule.state_dict()
    with pytest.raises(StateError, match="ExponentialLR got a state with"):
        schedule.load_state_dict(other.state_dict())
    with pytest.raises(StateError, match="ChainedScheduler got the states of 1 schedules, has 2"):
        schedule.load_state_dict(own.ChainedScheduler([own.StepLR(o, 3)]).state_dict())
    assert schedule.state_dict() == before


# Misuse


def test_a_schedule_that_steps_first_warns_once_and_still_steps() -> None:
    schedule = own.StepLR(optimizer(), 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == pytest.approx([0.001, 0.005])


def test_an_optimizer_that_steps_first_gives_no_warning() -> None:
    o = optimizer()
    first, second = own.StepLR(o, 1), own.ExponentialLR(o, 0.5)
    o.step()
    first.step()
    second.step()
    own.StepLR(o, 1).step()


def test_a_copy_of_an_optimizer_is_watched_anew() -> None:
    o = optimizer()
    own.StepLR(o, 1)
    other = copy.deepcopy(o)
    schedule = own.StepLR(other, 1)
    other.step()
    schedule.step()


def test_an_epoch_given_by_hand_is_deprecated() -> None:
    o = optimizer()
    schedule, plateau = own.StepLR(o, 1), own.ReduceLROnPlateau(o)
    o.step()
    with pytest.warns(UserWarning, match=r"StepLR.step\(\) got an epoch: that is deprecated"):
        schedule.step(2)
    with pytest.warns(UserWarning, match=r"ReduceLROnPlateau.step\(\) got an epoch"):
        plateau.step(1.0, 5)
    assert (schedule.last_epoch, plateau.last_epoch) == (2, 5)


@pytest.mark.parametrize("name", [*CLOSED, "CyclicLR", "OneCycleLR", "WarmupCosineLR"])
def test_rates_are_asked_for_by_another_name(name: str) -> None:
    schedule = (CLOSED[name][0] if name in CLOSED else (SCHEDULES | ONLY_OURS)[name])(
        own, optimizer()
    )
    with pytest.warns(UserWarning, match=rf"{name}.get_lr\(\) is for step\(\): ask get_last_lr"):
        schedule.get_lr()


@pytest.mark.parametrize("name", ["StepLR", "LambdaLR", "CosineAnnealingLR", "MultiplicativeLR"])
def test_a_group_added_later_is_refused(name: str) -> None:
    o = optimizer()
    schedule = make(name, o)
    o.add_param_group({"params": [ag.zeros(1, requires_grad=True)]})
    o.step()
    with pytest.raises(ValueError, match=f"{name} has rates for 2 groups, the optimizer has 3"):
        schedule.step()


def test_a_plateau_learns_of_a_group_added_later() -> None:
    o = optimizer()
    same = own.ReduceLROnPlateau(o, patience=0)
    each = own.ReduceLROnPlateau(o, patience=0, min_lr=[0.0, 0.0])
    o.add_param_group({"params": [ag.zeros(1, requires_grad=True)]})
    for schedule in (same, each):
        schedule.step(1.0)
    same.step(2.0)
    assert same.get_last_lr() == pytest.approx([0.01, 0.05, 0.01])
    with pytest.raises(RuntimeError, match="has 2 values of min_lr, the optimizer now has 3"):
        each.step(2.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda o: own.StepLR(o, 0), "StepLR got step_size=0: it must be a positive integer"),
        (lambda o: own.CosineAnnealingLR(o, 0), "CosineAnnealingLR got T_max=0: it must be a"),
        (lambda o: own.LinearLR(o, total_iters=0), "LinearLR got total_iters=0: it must be a pos"),
        (lambda o: own.LinearLR(o, 0.0), r"LinearLR got start_factor=0.0: it must be in \(0, 1\]"),
        (lambda o: own.LinearLR(o, end_factor=2), r"LinearLR got end_factor=2: it must be in \[0"),
        (lambda o: own.ConstantLR(o, 1.5), r"ConstantLR got factor=1.5: it must be in \(0, 1\]"),
        (lambda o: own.InverseTimeLR(o, -1), "InverseTimeLR got k=-1: it must be 0 or more"),
        (lambda o: own.LambdaLR(o, [len]), "LambdaLR got 1 values of lr_lambda: the optimizer has"),
        (lambda o: own.CosineAnnealingWarmRestarts(o, 0), "got T_0=0: it must be a positive"),
        (lambda o: own.CosineAnnealingWarmRestarts(o, 1, 0), "got T_mult=0: it must be a positive"),
        (lambda o: own.CosineAnnealingWarmRestarts(o, 1, 1, "0"), "got a str: eta_min must be a"),
        (lambda o: own.CosineAnnealingWarmRestarts(o, 1).step(-1), "got epoch=-1: it must be 0"),
        (lambda o: own.CyclicLR(o, 0.1, 0.2, 0), "CyclicLR got step_size_up=0: it must be a pos"),
        (lambda o: own.CyclicLR(o, 0.1, 0.2, mode="up"), "CyclicLR got mode='up': it must be one"),
        (lambda o: own.CyclicLR(o, 0.1, 0.2, scale_mode="up"), "CyclicLR got scale_mode='up': it"),
        (lambda o: own.CyclicLR(o, [0.1], 0.2), "CyclicLR got 1 values of base_lr: the optimizer"),
        (lambda o: own.OneCycleLR(o, 0.1), "OneCycleLR needs total_steps, or both epochs and step"),
        (lambda o: own.OneCycleLR(o, 0.1, 0), "OneCycleLR got total_steps=0: it must be a positiv"),
        (lambda o: own.OneCycleLR(o, 0.1, 9, pct_start=2), r"got pct_start=2: it must be in \[0"),
        (
            lambda o: own.OneCycleLR(o, 0.1, 9, anneal_strategy="up"),
            "OneCycleLR got anneal_strategy='up': it must be 'cos' or 'linear'",
        ),
        (lambda o: own.WarmupCosineLR(o, 5, 5), "got warmup_iters=5: it must be a whole number be"),
        (lambda o: own.WarmupCosineLR(o, 1, 5, 2.0), "WarmupCosineLR got start_factor=2.0: it is"),
        (lambda o: own.ReduceLROnPlateau(o, factor=1.0), "got factor=1.0: it must be below 1"),
        (lambda o: own.ReduceLROnPlateau(o, "up"), "got mode='up': it must be 'min' or 'max'"),
        (lambda o: own.ReduceLROnPlateau(o, threshold_mode="up"), "got threshold_mode='up': it m"),
        (lambda o: own.SequentialLR(o, [], []), "SequentialLR got no schedules: it needs at least"),
        (lambda o: own.SequentialLR(o, [own.StepLR(o, 1)], [1]), "got 1 schedules and 1 milestone"),
        (
            lambda o: own.SequentialLR(o, [own.StepLR(o, 1) for _ in range(3)], [5, 2]),
            r"SequentialLR got milestones \[5, 2\]: they must ascend",
        ),
        (
            lambda o: own.ChainedScheduler([own.ReduceLROnPlateau(o)]),
            "ChainedScheduler got ReduceLROnPlateau at 0: its step",
        ),
        (
            lambda o: own.ChainedScheduler([own.StepLR(o, 1), own.StepLR(optimizer(), 1)]),
            "ChainedScheduler got StepLR of another optimizer at 1: all must have the same",
        ),
        (lambda o: own.scaled_lr(0.1, 0), "scaled_lr got batch_size=0: it must be positive"),
        (lambda o: own.scaled_lr(0.1, 1, rule="up"), "scaled_lr got rule='up': it must be 'linear"),
    ],
)
def test_values_out_of_range_are_refused(build: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(optimizer())


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_needs_an_optimizer(name: str) -> None:
    with pytest.raises(TypeError, match=r"got a list: it needs an Optimizer"):
        SCHEDULES[name](own, [])


def test_schedules_of_the_wrong_kind_are_refused() -> None:
    o = optimizer()
    with pytest.raises(TypeError, match="ChainedScheduler got a SGD at 0: it must be one"):
        own.ChainedScheduler([o])
    with pytest.raises(TypeError, match="LambdaLR got a float: lr_lambda must be callable"):
        own.LambdaLR(o, 0.5)


def test_an_optimizer_without_momentum_cannot_cycle_it() -> None:
    class Plain(optim.Optimizer):
        pass

    o = Plain([ag.zeros(1, requires_grad=True)], {"lr": 0.1})
    with pytest.raises(ValueError, match="CyclicLR got cycle_momentum=True: Plain has neither"):
        own.CyclicLR(o, 0.1, 0.2)
    assert own.CyclicLR(o, 0.1, 0.2, cycle_momentum=False).get_last_lr() == [0.1]
