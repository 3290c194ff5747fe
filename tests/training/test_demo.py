"""The demo: what it learns, shows and leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_core as ag
import nn
from kernels.threads import limit
from training import demo, figures, report
from training.loop import Epoch, Evaluation, fit

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("learning_curves", "fc_net_misclassified", "conv_net_misclassified")
GRAPHS = ("fc_net_graph", "conv_net_graph")
PARAMETERS = {
    "digits": {"fc_net": 27_710, "conv_net": 27_754},
    "mnist": {"fc_net": 99_710, "conv_net": 31_594},
}


def metrics(out: Path) -> dict[str, Any]:
    return json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def epochs_of(measured: dict[str, Any], net: str) -> list[dict[str, float]]:
    """The measured epochs of a net without their times, which nothing determines."""
    return [
        {name: number for name, number in epoch.items() if name != "train_seconds"}
        for epoch in measured["nets"][net]["epochs"]
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one short run."""
    out = tmp_path_factory.mktemp("demo")
    assert demo.run(demo.prepare(demo.Settings(epochs=3, out=out)))
    return out


def test_it_leaves_pictures_graphs_and_numbers(finished: Path) -> None:
    names = [f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")]
    names += [f"{name}.{kind}" for name in GRAPHS for kind in ("svg", "html", "txt", "dot")]
    assert sorted(path.name for path in finished.iterdir()) == sorted([*names, "metrics.json"])
    for name in PICTURES:
        assert (finished / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert ElementTree.parse(finished / f"{name}.svg").getroot().tag.endswith("svg")


def test_the_networks_learn(finished: Path) -> None:
    for net in ("fc_net", "conv_net"):
        epochs = epochs_of(metrics(finished), net)
        assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
        assert epochs[2]["train_loss"] < epochs[0]["train_loss"] / 2
        assert epochs[2]["test_accuracy"] > 0.85


def test_the_numbers_say_how_they_came_about(finished: Path) -> None:
    measured = metrics(finished)
    assert measured["finished"] is True
    assert measured["settings"] == {
        "data": "digits",
        "optimizer": "Adam",
        "lr": 0.001,
        "batch_size": 16,
        "epochs": 3,
        "seed": 0,
        "threads": ag.get_num_threads(),
    }
    assert measured["versions"]["numpy"] == np.__version__
    for net in measured["nets"].values():
        times = [epoch["train_seconds"] for epoch in net["epochs"]]
        assert net["train_seconds"] == pytest.approx(sum(times))
        assert min(times) > 0


def test_the_graphs_show_loss_and_parameters(finished: Path) -> None:
    text = (finished / "conv_net_graph.txt").read_text(encoding="utf-8")
    assert "leaf(Parameter) 2.weight" in text
    assert "Sequential.2 (Conv2d)" in text
    assert "named loss" in text
    assert "conv2d" in (finished / "conv_net_graph.svg").read_text(encoding="utf-8")
    assert (finished / "conv_net_graph.dot").read_text(encoding="utf-8").startswith("digraph")


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    finished: Path, tmp_path: Path
) -> None:
    for seed in (0, 1):
        settings = demo.Settings(epochs=3, seed=seed, out=tmp_path / str(seed))
        demo.run(demo.prepare(settings))
    for net in ("fc_net", "conv_net"):
        first = epochs_of(metrics(finished), net)
        assert epochs_of(metrics(tmp_path / "0"), net) == first
        assert epochs_of(metrics(tmp_path / "1"), net) != first
    for name in ("learning_curves.svg", "fc_net_misclassified.svg", "conv_net_graph.txt"):
        assert (tmp_path / "0" / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_the_networks_have_the_lectures_parameters(data: str) -> None:
    for name, net in demo.RECIPES[data].nets.items():
        assert nn.summary(net()).parameters == PARAMETERS[data][name]


def stop_in_epoch(number: int, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ctrl-C pressed in this epoch of this net's training."""
    nets = iter(demo.RECIPES["digits"].nets)

    def interrupted(*arguments: Any) -> Iterator[Epoch]:
        net = next(nets)
        for epoch in fit(*arguments):
            if (net, epoch.number) == (of, number):
                raise KeyboardInterrupt
            yield epoch

    monkeypatch.setattr(demo, "fit", interrupted)


def test_ctrl_c_keeps_the_epochs_that_were_completed(
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stop_in_epoch(2, of="conv_net", monkeypatch=monkeypatch)
    assert not demo.run(demo.prepare(demo.Settings(epochs=3, out=tmp_path)))
    measured, whole = metrics(tmp_path), metrics(finished)
    assert measured["finished"] is False
    assert epochs_of(measured, "fc_net") == epochs_of(whole, "fc_net")
    assert epochs_of(measured, "conv_net") == epochs_of(whole, "conv_net")[:1]
    assert all((tmp_path / f"{name}.png").exists() for name in PICTURES)
    assert "interrupted: what follows is about the epochs that were" in capsys.readouterr().out


def test_ctrl_c_before_the_first_epoch_leaves_no_picture_of_an_earlier_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in PICTURES:
        (tmp_path / f"{name}.png").touch()
    stop_in_epoch(1, of="fc_net", monkeypatch=monkeypatch)
    assert not demo.run(demo.prepare(demo.Settings(epochs=3, out=tmp_path)))
    assert not [path for name in PICTURES for path in tmp_path.glob(f"{name}.*")]
    assert epochs_of(metrics(tmp_path), "fc_net") == []
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("conv_"))
    assert row.split() == ["conv_net", "27,754", "0", "-", "0.0", "s"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_a_signal_ends_the_command_with_its_results_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autograd_core", "demo", "--epochs", "100000"]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests may have chosen to ignore it, as a shell does behind an &.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        while "epoch 2/" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=300)
    assert (process.returncode, complaints) == (130, "")
    assert "fc_net" in said
    assert len(epochs_of(metrics(tmp_path), "fc_net")) >= 2


def test_it_refuses_a_data_set_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="demo got data='cifar': it must be one of digits, mnist"):
        demo.prepare(demo.Settings(data="cifar"))


def test_a_folder_that_cannot_be_written_to_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written to: choose another folder for"):
        demo.prepare(demo.Settings(out=tmp_path))


def epoch(number: int, accuracy: float) -> Epoch:
    return Epoch(number, 1 / number, Evaluation(1 / number, accuracy, np.arange(3)), 2.0)


def test_the_table_lines_up() -> None:
    trained = demo.Training("fc_net", nn.Linear(999, 2), [epoch(1, 0.5), epoch(2, 0.98765)])
    lines = report.table([trained, demo.Training("net", nn.Linear(2, 2))]).splitlines()
    assert lines[2].split() == ["fc_net", "2,000", "2", "98.77%", "4.0", "s"]
    assert {len(line) for line in lines} == {len(lines[0])}


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_curves_show_each_net_in_both_panels() -> None:
    curves = {"fc_net": [epoch(1, 0.9), epoch(2, 0.95)], "conv_net": [epoch(1, 0.97)]}
    loss, accuracy = figures.learning_curves(curves, "digits").axes
    assert texts(loss)[::2] == ["fc_net, test", "conv_net, test"]
    assert texts(accuracy) == ["fc_net, 95.0 % at the end", "conv_net, 97.0 % at the end"]
    np.testing.assert_allclose(np.asarray(accuracy.lines[0].get_xydata()), [[1, 90], [2, 95]])


@pytest.mark.parametrize(("wrong", "shown"), [(0, 0), (1, 1), (8, 8), (9, 9), (50, 24)])
def test_the_first_wrong_images_are_shown_with_both_labels(
    wrong: int, shown: int, rng: np.random.Generator
) -> None:
    images, labels = rng.random((60, 1, 8, 8)), np.full(60, 4)
    predictions = labels.copy()
    predictions[5 : 5 + wrong] = 9
    figure = figures.misclassified(images, labels, predictions, "net")
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == shown
    assert {(axes.get_title(), axes.get_xlabel()) for axes in drawn} <= {("true 4", "predicted 9")}
    for axes, image in zip(drawn, images[5:, 0], strict=False):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)
    assert figure.get_suptitle().startswith(f"net: {wrong} of 60 test images wrong")


@pytest.mark.slow
def test_mnist_is_learned_as_well_as_in_the_lecture(data_dir: Path, tmp_path: Path) -> None:
    settings = demo.Settings(data="mnist", data_dir=data_dir / "mnist", out=tmp_path)
    assert demo.run(demo.prepare(settings))
    nets = metrics(tmp_path)["nets"]
    assert {name: net["parameters"] for name, net in nets.items()} == PARAMETERS["mnist"]
    assert len(nets["fc_net"]["epochs"]) <= 5
    assert nets["fc_net"]["epochs"][-1]["test_accuracy"] >= 0.945
    assert nets["conv_net"]["epochs"][-1]["test_accuracy"] >= 0.972


def test_more_threads_than_cores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"got {limit() + 1} threads: there are {limit()} cores"):
        demo.prepare(demo.Settings(threads=limit() + 1, out=tmp_path / "out"))
