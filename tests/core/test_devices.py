"""The CPU, and what scripts ask about other devices before they know where they run."""

from __future__ import annotations

import pytest

import autograd_core as ag


def test_the_device_is_the_cpu() -> None:
    assert repr(ag.zeros(1).device) == "device(type='cpu')"
    assert str(ag.zeros(1).device) == "cpu"
    assert ag.device("cpu") == "cpu"
    assert ag.device(ag.device("cpu")) == ag.zeros(1).device
    with pytest.raises(ValueError, match="device 'cuda' is not available: this is a CPU library"):
        ag.device("cuda")


def test_a_tensor_goes_to_any_device_that_is_the_cpu() -> None:
    x = ag.ones(2)
    assert x.to(ag.device("cpu")) is x.to("cpu") is x.to(device=ag.device("cpu")) is x
    assert x.to(ag.device("cpu"), ag.float64).dtype == ag.float64
    assert x.to(x.device, dtype=ag.int64).tolist() == [1, 1]
    with pytest.raises(ValueError, match="device 'cuda:0' is not available"):
        x.to("cuda:0")


def test_there_is_nothing_but_the_cpu() -> None:
    for kind in (ag.cuda, ag.accelerator, ag.backends.mps, ag.backends.cudnn):
        assert not kind.is_available()
        assert kind.device_count() == 0
    assert ag.accelerator.current_accelerator() is None


def test_what_is_meant_for_a_gpu_changes_nothing() -> None:
    ag.manual_seed(1)
    before = ag.get_rng_state().tolist()
    ag.cuda.manual_seed(2)
    ag.cuda.manual_seed_all(2)
    ag.cuda.empty_cache()
    ag.cuda.synchronize()
    ag.use_deterministic_algorithms(True)
    assert ag.get_rng_state().tolist() == before
