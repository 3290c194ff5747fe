"""Values go to files and come back as they were, or an error says why not and nothing changes."""

from __future__ import annotations

import errno
import io
import os
import pickle
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn.files import FileError

KINDS = ("safetensors", "npz")
DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")


@pytest.fixture(autouse=True)
def library() -> None:
    """Most of these need it."""
    pytest.importorskip("safetensors")


@pytest.fixture(params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"model.{request.param}"


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3))


def values(m: Any) -> dict[str, Any]:
    return {name: x.tolist() for name, x in m.state_dict().items()}


def write(path: Path, arrays: dict[str, Any]) -> Path:
    import_module("safetensors.numpy").save_file(arrays, path)
    return path


# There and back


def test_what_was_saved_is_loaded(path: Path) -> None:
    source, target = model(), model()
    nn.save(source, path)
    state = nn.load(path, target)
    assert values(target) == values(source)
    assert {name: x.tolist() for name, x in state.items()} == values(source)
    assert [p.requires_grad for p in target.parameters()] == [True] * 6
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back(path: Path, dtype: str, rng: np.random.Generator) -> None:
    array = (rng.normal(size=(2, 3)) * 9).astype(dtype)
    nn.save({"x": array}, path)
    x = nn.load(path)["x"]
    assert x.dtype == dtype
    assert (x.numpy() == array).all()
    with ag.no_grad():
        x[0, 0] = 1  # it has memory of its own


def test_arrays_in_any_order_of_memory_are_written_right(path: Path) -> None:
    x = np.arange(24).reshape(2, 3, 4)
    state = {"t": x.T, "step": x[:, ::2, ::-1], "tensor": ag.tensor(x).transpose(0, 2)}
    nn.save({"fortran": np.asfortranarray(x), **state}, path)
    loaded = nn.load(path)
    assert (loaded["fortran"].numpy() == x).all()
    assert all((loaded[name].numpy() == np.asarray(a)).all() for name, a in state.items())


def test_shapes_without_axes_or_elements_are_kept(path: Path) -> None:
    nn.save({"file": ag.tensor(3), "empty": ag.zeros(0, 2), "self/ü.x": ag.ones(1)}, path)
    loaded = nn.load(path)
    assert {name: tuple(x.shape) for name, x in loaded.items()} == {
        "file": (), "empty": (0, 2), "self/ü.x": (1,),
    }  # fmt: skip


def test_what_a_file_is_does_not_depend_on_its_name(tmp_path: Path) -> None:
    nn.save({"x": ag.ones(2)}, tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "b.pt")
    assert nn.load(tmp_path / "b.pt")["x"].tolist() == [1, 1]


def test_any_length_of_a_header_is_told_from_a_pickle(tmp_path: Path) -> None:
    # The first byte of some of these files is that of a pickle.
    path, first = tmp_path / "x.safetensors", set[int]()
    for n in range(704, 768, 8):
        nn.save({"x" * n: ag.ones(2)}, path)
        first.add(path.read_bytes()[0])
        assert nn.load(path)["x" * n].tolist() == [1, 1]
    assert 0x80 in first


def test_half_of_a_model_is_loaded_where_that_is_wanted(path: Path) -> None:
    nn.save({"0.bias": ag.tensor([1.0, 2.0]), "more": ag.ones(1)}, path)
    target = model()
    nn.load(path, target, strict=False)
    assert target[0].bias.tolist() == [1.0, 2.0]


# All or nothing


def test_a_save_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nn.save({"x": ag.ones(3)}, path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            nn.save({"x": ag.zeros(3)}, path)
    with pytest.raises(FileError, match="save got a str as 'y': it needs tensors or arrays"):
        nn.save({"x": ag.zeros(3), "y": "text"}, path)
    assert nn.load(path)["x"].tolist() == [1, 1, 1]
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="modes and signals are those of POSIX")
def test_a_save_that_is_killed_leaves_the_old_file(path: Path) -> None:
    nn.save({"x": ag.ones(3)}, path)
    code = (
        "import os, signal, sys, autograd_core as ag, nn\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "nn.save({'x': ag.zeros(3)}, sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert done.returncode < 0
    assert nn.load(path)["x"].tolist() == [1, 1, 1]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_file_keeps_its_mode_and_a_new_one_gets_the_usual(path: Path) -> None:
    old = os.umask(0o027)
    try:
        nn.save({"x": ag.ones(1)}, path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o600)
    nn.save({"x": ag.ones(1)}, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_load_that_does_not_fit_changes_nothing(path: Path) -> None:
    state = dict(model().state_dict())
    state["2.weight"] = ag.ones(3, 5)
    del state["0.bias"]
    nn.save(state, path)
    target = model()
    before = values(target)
    with pytest.raises(FileError, match=rf"{path.name} was not loaded: Sequential") as info:
        nn.load(path, target)
    assert "missing: 0.bias" in str(info.value)
    assert "2.weight: got shape (3, 5), needs (3, 4)" in str(info.value)
    assert values(target) == before


# Damage


def test_no_flipped_byte_goes_unnoticed(path: Path) -> None:
    """Every byte, one after the other: an error, or the values as they were."""
    state = {"a": ag.tensor([1.0, -2.0]), "b": ag.tensor([[7]])}
    nn.save(state, path)
    whole = path.read_bytes()
    expected = {name: x.tolist() for name, x in state.items()}
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            loaded = nn.load(path)
        except FileError:
            continue
        assert {name: x.tolist() for name, x in loaded.items()} == expected


def test_no_truncated_file_is_loaded(path: Path) -> None:
    nn.save({"a": ag.ones(9)}, path)
    whole = path.read_bytes()
    comment = len("sha256 ") + 64 if path.suffix == ".npz" else 0  # the last of it is no value
    for length in range(len(whole) - comment):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match="was not loaded"):
            nn.load(path)


def test_a_changed_number_is_named_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    nn.save({"a": ag.ones(9)}, path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + b"\x40")
    with pytest.raises(FileError, match="its checksum does not agree: it was damaged"):
        nn.load(path)


# What is refused


def test_a_pickle_is_refused_with_the_lines_that_convert_it(tmp_path: Path) -> None:
    plain, zipped = tmp_path / "old.pt", tmp_path / "new.pt"
    plain.write_bytes(pickle.dumps({"x": [1, 2, 3]}))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("new/data.pkl", b"\x80\x02}.")
    for path in (plain, zipped):
        with pytest.raises(FileError, match=r"it is a pickle, as torch\.save writes it") as info:
            nn.load(path)
        assert f'torch.load("{path}", map_location="cpu", weights_only=True)' in str(info.value)
        assert f'save_file(state, "{path.with_suffix(".safetensors")}")' in str(info.value)


def npz(**members: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **members)
    return buffer.getvalue()


def zipped_text() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("read.me", "hello")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "was not loaded"),
        (b"just some text in a file that is no model", "was not loaded"),
        (npz(x=np.array(["a"])), "x holds <U1: it must hold numbers or booleans"),
        (npz(x=np.ones(1, complex)), "x holds complex128"),
        (npz(x=np.array([{}])), "allow_pickle=False"),
        (zipped_text(), "read.me is no array: the file is a zip archive, but not .npz"),
    ],
    ids=["empty", "text", "strings", "complex", "objects", "zip"],
)
def test_a_foreign_file_is_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(raw)
    with pytest.raises(FileError, match=reason) as info:
        nn.load(path)
    assert str(path) in str(info.value)
    assert isinstance(info.value, (ValueError, RuntimeError))


def test_a_dtype_that_does_not_exist_here_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", {"x": np.ones(2, np.uint32)})
    with pytest.raises(FileError, match="x is stored as U32: it must be BF16 or one of F16, F32"):
        nn.load(path)


def test_what_has_no_place_in_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"must end in \.safetensors or \.npz"):
        nn.save({}, tmp_path / "model.pt")
    states: list[tuple[Any, str]] = [
        ({"": ag.ones(1)}, "save got the name ''"),
        ({3: ag.ones(1)}, "save got the name 3"),
        ({"x": np.array(["a"])}, "save got <U1 as 'x': it needs numbers or booleans"),
    ]
    for state, reason in states:
        with pytest.raises(FileError, match=reason):
            nn.save(state, tmp_path / "model.npz")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "absent.npz")
    assert os.listdir(tmp_path) == []


def test_the_extra_is_named_where_the_library_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.safetensors", {"x": np.ones(2)})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for attempt in (lambda: nn.load(path), lambda: nn.save({}, path)):
        with pytest.raises(ImportError, match=r'pip install "autograd-core\[files\]"'):
            attempt()
    nn.save({"x": ag.ones(1)}, tmp_path / "x.npz")  # needs nothing


# Beside PyTorch


@pytest.mark.torch
def test_weights_go_to_pytorch_and_come_from_it(tmp_path: Path, rng: np.random.Generator) -> None:
    torch, theirs = import_module("torch"), import_module("safetensors.torch")
    build = lambda library: library.Sequential(  # noqa: E731
        library.Conv2d(2, 3, 3), library.BatchNorm2d(3), library.ReLU(), library.Flatten(),
        library.Linear(12, 5),
    ).eval()  # fmt: skip
    source, ours = build(torch.nn), build(nn)
    path, back = tmp_path / "theirs.safetensors", tmp_path / "ours.safetensors"
    theirs.save_model(source, path)
    nn.load(path, ours)
    x = rng.normal(size=(2, 2, 4, 4)).astype(np.float32)
    expected = source(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(ag.tensor(x)).detach().numpy(), expected, atol=1e-6)
    nn.save(ours, back)
    target = build(torch.nn)
    theirs.load_model(target, back)
    np.testing.assert_allclose(target(torch.tensor(x)).detach().numpy(), expected, atol=1e-6)
    assert list(nn.load(back)) == sorted(theirs.load_file(back))


@pytest.mark.torch
def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    torch, theirs = import_module("torch"), import_module("safetensors.torch")
    x = torch.tensor([[1.0, -2.5, 3.14], [1e30, float("inf"), -0.0]], dtype=torch.bfloat16)
    theirs.save_file({"x": x}, tmp_path / "x.safetensors")
    y = nn.load(tmp_path / "x.safetensors")["x"]
    assert y.dtype == ag.float32
    assert (y.numpy() == x.float().numpy()).all()


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [False, True])
def test_what_torch_save_wrote_is_converted_by_the_lines_of_the_error(
    tmp_path: Path, zipped: bool
) -> None:
    torch = import_module("torch")
    path = tmp_path / "model.pt"
    weight = torch.arange(6.0).reshape(2, 3).T
    state = {"weight": weight, "tied": weight}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(FileError, match="it is a pickle") as info:
        nn.load(path)
    lines = str(info.value).splitlines()[1:]
    exec("\n".join(line.strip() for line in lines), {})
    loaded = nn.load(path.with_suffix(".safetensors"))
    assert loaded["tied"].tolist() == loaded["weight"].tolist() == weight.tolist()
