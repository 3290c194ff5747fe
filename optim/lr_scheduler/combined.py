"""Schedules made of schedules: one after another, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from nn.state import StateError

from ..optimizer import Optimizer
from .base import LRScheduler, check_state, checked, rates_of, reset_rates
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Several schedules of one optimizer."""

    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        who = type(self).__name__
        parts = list(schedulers)
        if not parts:
            raise ValueError(f"{who} got no schedules: it needs at least one")
        for number, part in enumerate(parts):
            if not isinstance(part, LRScheduler):
                raise TypeError(f"{who} got a {type(part).__name__} at {number}: it must be one")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(
                    f"{who} got ReduceLROnPlateau at {number}: its step() needs a measurement, "
                    "so step it on its own"
                )
        self.optimizer = checked(self, optimizer or parts[0].optimizer)
        for number, part in enumerate(parts):
            if part.optimizer is not self.optimizer:
                raise ValueError(
                    f"{who} got {type(part).__name__} of another optimizer at {number}: "
                    "all must have the same"
                )
        self._schedulers = parts

    def _restart(self) -> None:
        reset_rates(self.optimizer)
        self._initial_step()

    def _stored(self) -> dict[str, Any]:
        return super()._stored() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        check_state(self, state_dict)
        parts, states = self._schedulers, state_dict["_schedulers"]
        if len(states) != len(parts):
            raise StateError(
                f"{type(self).__name__} got the states of {len(states)} schedules, has {len(parts)}"
            )
        for part, state in zip(parts, states, strict=True):  # all, before any is changed
            check_state(part, state)
        super().load_state_dict(state_dict)
        self._schedulers = parts
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)


class SequentialLR(_Combined):
    """schedulers[0] up to epoch milestones[0], then schedulers[1] from its own epoch 0, and so on.

    To resume, load a state: `last_epoch` counts, but does not choose a schedule.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(schedulers, checked(self, optimizer))
        self._milestones = list(milestones)
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"SequentialLR got {len(self._schedulers)} schedules and "
                f"{len(self._milestones)} milestones: it needs one milestone between two schedules"
            )
        if self._milestones != sorted(self._milestones):
            raise ValueError(f"SequentialLR got milestones {milestones}: they must ascend")
        reset_rates(self.optimizer)
        for part in self._schedulers:  # each has begun when it was made
            part._undo()
        self._initial_step()
        self.last_epoch = last_epoch + 1

    def _initial_step(self) -> None:
        self.last_epoch = 0
        first = self._current()
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def _current(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, self.last_epoch)]

    def _undo(self) -> None:
        self._current()._undo()

    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Go on to the next epoch."""
        self.last_epoch += 1
        part = self._current()
        if self.last_epoch in self._milestones:
            part._restart()
        else:
            part.step()
        self._last_lr = part.get_last_lr()


class ChainedScheduler(_Combined):
    """All at once: each changes the rate that the one before it left."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = rates_of(self.optimizer)

    def _initial_step(self) -> None:
        for part in self._schedulers:
            part._initial_step()
        self._last_lr = rates_of(self.optimizer)

    def _undo(self) -> None:
        for part in self._schedulers:
            part._undo()

    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Let every schedule go on to the next epoch."""
        for part in self._schedulers:
            part.step()
        self._last_lr = rates_of(self.optimizer)
