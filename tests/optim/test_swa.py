"""Averages of weights: PyTorch's numbers, and what they are averages of."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim
from optim import swa_utils
from optim.lr_scheduler import ExponentialLR
from optim.swa_utils import SWALR, AveragedModel, update_bn

NEITHER: Any = "up"
FUNCTIONS = [
    ("get_swa_avg_fn", "get_swa_multi_avg_fn", ()),
    ("get_ema_avg_fn", "get_ema_multi_avg_fn", (0.9,)),
]


class Counting(nn.Module):
    """A weight, and buffers that are floating and whole."""

    def __init__(self, weight: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(ag.full((2,), weight))
        self.register_buffer("mean", ag.full((1,), 10 * weight))
        self.register_buffer("count", ag.tensor(int(weight)))

    def forward(self, x: Any) -> Any:
        return self.weight * x


def averaged(values: list[float], **options: Any) -> AveragedModel:
    model = AveragedModel(Counting(), **options)
    for value in values:
        model.update_parameters(Counting(value))
    return model


def test_the_mean_of_all_models_is_the_default() -> None:
    model = averaged([1.0, 2.0, 6.0])
    assert model.module.weight.tolist() == [3.0, 3.0]
    assert model.n_averaged.item() == 3
    assert model(2.0).tolist() == [6.0, 6.0]


@pytest.mark.parametrize("kind", ["avg_fn", "multi_avg_fn"])
@pytest.mark.parametrize(("one", "many", "decay"), FUNCTIONS)
def test_averages_of_one_and_of_many_agree(
    kind: str, one: str, many: str, decay: tuple[float, ...]
) -> None:
    function = getattr(swa_utils, one if kind == "avg_fn" else many)(*decay)
    model = averaged([1.0, 2.0, 6.0], **{kind: function})
    wanted = 3.0 if not decay else 0.9 * (0.9 * 1.0 + 0.1 * 2.0) + 0.1 * 6.0
    assert model.module.weight.tolist() == pytest.approx([wanted] * 2)


def test_buffers_are_the_last_ones_or_averaged() -> None:
    last, mean = averaged([1.0, 2.0, 6.0]), averaged([1.0, 2.0, 6.0], use_buffers=True)
    assert (last.module.mean.item(), last.module.count.item()) == (60.0, 6)
    assert mean.module.mean.item() == pytest.approx(30.0)
    assert mean.module.count.dtype == ag.int64


def test_a_model_and_its_average_share_nothing() -> None:
    source = Counting(1.0)
    model = AveragedModel(source)
    model.update_parameters(source)
    with ag.no_grad():
        source.weight.fill_(5.0)
        source.mean.fill_(5.0)
    assert model.module.weight.tolist() == [1.0, 1.0]
    assert model.module.mean.item() == 10.0
    assert isinstance(model.module.weight, nn.Parameter)
    assert model.module.weight.requires_grad


def test_an_average_is_saved_with_its_count() -> None:
    model = averaged([1.0, 2.0])
    saved = copy.deepcopy(model.state_dict())
    assert list(saved) == ["n_averaged", "module.weight", "module.mean", "module.count"]
    other = averaged([])
    other.load_state_dict(saved)
    other.update_parameters(Counting(6.0))
    assert other.module.weight.tolist() == [3.0, 3.0]


def test_the_average_of_iterates_is_nearer_to_the_minimum_than_they_are(rng: Any) -> None:
    w = nn.Parameter(ag.tensor([0.0], dtype=ag.float64))
    holder = nn.Module()
    holder.w = w
    model, optimizer = AveragedModel(holder), optim.SGD([w], lr=0.5)
    distances: list[float] = []
    for noise in rng.normal(size=400):
        optimizer.zero_grad()
        (0.5 * (w - 1.0) ** 2 + noise * w).sum().backward()
        optimizer.step()
        model.update_parameters(holder)
        distances.append(abs(w.item() - 1.0))
    assert abs(model.module.w.item() - 1.0) < 0.2 * np.mean(distances)


@pytest.mark.torch
@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize(
    ("kind", "name", "decay"),
    [(None, "", ())]
    + [("avg_fn", one, decay) for one, _, decay in FUNCTIONS]
    + [("multi_avg_fn", many, decay) for _, many, decay in FUNCTIONS],
)
def test_averages_are_pytorchs(
    kind: str | None, name: str, decay: tuple[float, ...], use_buffers: bool, rng: Any
) -> None:
    torch = pytest.importorskip("torch")
    theirs, ours = torch.nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    theirs.register_buffer("mean", torch.zeros(2, dtype=torch.float64))
    ours.register_buffer("mean", ag.zeros(2, dtype=ag.float64))
    their_options: dict[str, Any] = {"use_buffers": use_buffers}
    options = dict(their_options)
    if kind is not None:
        options[kind] = getattr(swa_utils, name)(*decay)
        their_function = getattr(torch.optim.swa_utils, name)(*decay)
        # Given its count as a tensor, PyTorch would round 1 / (n + 1) to float32.
        their_options[kind] = lambda averaged, new, n: their_function(averaged, new, int(n))
    model = AveragedModel(ours, **options)
    other = torch.optim.swa_utils.AveragedModel(theirs, **their_options)
    for _ in range(20):
        values = {key: rng.normal(size=tuple(v.shape)) for key, v in ours.state_dict().items()}
        ours.load_state_dict(values)
        theirs.load_state_dict({key: torch.tensor(v) for key, v in values.items()})
        model.update_parameters(ours)
        other.update_parameters(theirs)
    state = other.state_dict()
    assert model.state_dict().keys() == state.keys()
    for key, value in model.state_dict().items():
        np.testing.assert_allclose(value.numpy(), state[key].numpy(), rtol=1e-13, atol=1e-14)


# Batch norm


def normed() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, momentum=0.3), nn.ReLU())


def test_statistics_are_those_of_all_batches_alike(rng: Any) -> None:
    model = normed()
    norm: Any = model[1]
    batches = [ag.tensor(rng.normal(size=(8, 3)), dtype=ag.float32) for _ in range(5)]
    model(batches[0])
    update_bn(batches, model)
    with ag.no_grad():
        hidden = [model[0](x).numpy() for x in batches]
    means, variances = (
        np.mean([h.mean(0) for h in hidden], axis=0),
        np.mean([h.var(0, ddof=1) for h in hidden], axis=0),
    )
    np.testing.assert_allclose(norm.running_mean.numpy(), means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.running_var.numpy(), variances, rtol=1e-5, atol=1e-6)
    assert norm.num_batches_tracked.item() == 5


def test_momentum_and_modes_come_back(rng: Any) -> None:
    model = normed().train()
    model[1].eval()
    with pytest.raises(ag.ShapeError):
        update_bn([ag.zeros(8, 7)], model)
    update_bn([(ag.randn(8, 3), ag.zeros(8))], model, device="cpu")
    assert model[1].momentum == 0.3
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert all(p.grad is None for p in model.parameters())


def test_a_model_without_batch_norm_is_not_run() -> None:
    update_bn([None], nn.Linear(1, 1))


def test_no_batches_are_no_statistics() -> None:
    with pytest.raises(ValueError, match="update_bn got no batches: the running statistics"):
        update_bn([], normed())


# The rate


def optimizer(library: Any = ag) -> Any:
    a, b = (library.zeros(1, requires_grad=True) for _ in range(2))
    return library.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], 0.1)


def test_the_rate_goes_to_the_one_of_averaging_and_stays() -> None:
    o = optimizer()
    schedule = SWALR(o, swa_lr=[0.05, 0.9], anneal_epochs=4, anneal_strategy="linear")
    seen = [schedule.get_last_lr()]
    for _ in range(6):
        o.step()
        schedule.step()
        seen.append(schedule.get_last_lr())
    assert [first for first, _ in seen] == pytest.approx(
        [0.1, 0.0875, 0.075, 0.0625, 0.05, 0.05, 0.05]
    )
    assert [second for _, second in seen] == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9])


@pytest.mark.torch
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 17])
def test_the_rate_of_averaging_is_pytorchs(strategy: Any, epochs: int) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), optimizer(torch)
    one = ExponentialLR(ours, 0.97)
    two = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.97)
    for t in range(200):
        if t == 50:
            one = SWALR(ours, [0.02, 0.9], epochs, strategy)
            two = torch.optim.swa_utils.SWALR(theirs, [0.02, 0.9], epochs, strategy)
        for o, schedule in ((ours, one), (theirs, two)):
            o.step()
            schedule.step()
        assert one.get_last_lr() == two.get_last_lr()
    assert one.state_dict() == two.state_dict()


# Misuse


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: swa_utils.get_ema_avg_fn(1.5), ValueError, r"decay=1.5: it must be in \[0, 1\]"),
        (lambda: swa_utils.get_ema_multi_avg_fn(-1), ValueError, "decay=-1: it must be in"),
        (lambda: SWALR(optimizer(), 0.1, -1), ValueError, "SWALR got anneal_epochs=-1: it must be"),
        (lambda: SWALR(optimizer(), [0.1]), ValueError, "SWALR got 1 values of swa_lr: the optimi"),
        (
            lambda: SWALR(optimizer(), 0.1, 1, NEITHER),
            ValueError,
            "SWALR got anneal_strategy='up'",
        ),
        (
            lambda: averaged([], avg_fn=max, multi_avg_fn=max),
            AssertionError,
            "AveragedModel got avg_fn and multi_avg_fn: it takes one of them",
        ),
        (
            lambda: averaged([]).update_parameters(nn.Linear(1, 2)),
            ag.ShapeError,
            r"tensors of shapes \[\(2, 1\), \(2,\)\]: it needs \[\(2,\)\]",
        ),
    ],
)
def test_what_cannot_be_averaged_is_refused(build: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        build()
