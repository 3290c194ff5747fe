"""The command graph: what it writes, and what it says when it cannot."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from autograd_core import cli
from autograd_core.graph import Graph

NET = """
import autograd_core as ag, nn
import beside
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(5, 2)
    def forward(self, x):
        return self.b(self.a(x).relu())
class Broken(nn.Module):
    def __init__(self):
        raise OSError("no weights")
def f():
    return (ag.ones(2, requires_grad=True) * 2.0).sum()
def nothing():
    return None
x = ag.Value(2.0, name="x")
y = x * 3.0
embedding = nn.Embedding(10, 4)
number = beside.NUMBER
holder = type("Holder", (), {"inner": model})()
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    """The path of a file with a few things to trace."""
    (tmp_path / "beside.py").write_text("NUMBER = 3\n")
    path = tmp_path / "net.py"
    path.write_text(NET)
    return str(path)


@pytest.mark.parametrize("ending", ["svg", "html", "dot", "mmd", "txt", "json"])
def test_a_model_is_written_in_the_form_of_the_file(net: str, ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"graph.{ending}"
    colored = [] if ending == "html" else ["--color-by", "value"]
    given = ["--input", "1,1,8,8", "--collapse", "0", *colored, "-o", str(out)]
    assert cli.main(["graph", f"{net}:model", *given]) == 0
    text = out.read_text("utf-8")
    assert "conv2d" in text
    if ending == "svg":
        ElementTree.fromstring(text)
    if ending == "json":
        assert Graph.from_json(text).nodes[0].shape == (1, 1, 8, 8)
    if ending == "txt":
        assert "grad" in text
        assert len(Graph.from_text(text).nodes) == 9


@pytest.mark.parametrize(
    ("name", "op"),
    [("f", "sum"), ("y", "mul"), ("holder.inner", "linear"), ("embedding", "embedding")],
)
def test_functions_results_and_members_can_be_traced(
    net: str, name: str, op: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = {"holder.inner": "1,1,8,8", "embedding": "2,3:int64"}.get(name)
    given = [] if shape is None else ["--input", shape]
    assert cli.main(["graph", f"{net}:{name}", *given]) == 0
    assert f"= {op}(" in capsys.readouterr().out


def test_a_view_can_be_chosen(net: str, tmp_path: Path) -> None:
    out = tmp_path / "g.dot"
    for collapse, boxes in (("1", 1), ("0", 9)):
        given = ["--input", "1,1,8,8", "--collapse", collapse, "-o", str(out)]
        assert cli.main(["graph", f"{net}:model", *given]) == 0
        assert (out.read_text().count("shape=") == 2) == (boxes == 1)


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        ("none.py:f", [], "there is no file none.py"),
        ("NET:modle", [], "has no 'modle': did you mean model?"),
        ("NET:f", ["-o", "g.html", "--color-by", "time"], "color_by is 'time'; a page has only"),
        ("NET:holder.outer", [], "has no 'holder.outer'"),
        ("NET:number", [], "number is a int: it must be a Module, a function, a Tensor or a"),
        ("NET:model", [], "model takes input, and got 0 inputs: give each one's whole shape"),
        ("NET:y", ["--input", "1"], "y is a result already: it takes no --input"),
        ("NET:Broken", ["--input", "1"], "Broken is a class, and Broken() failed: OSError: no w"),
        ("NET:nothing", [], "nothing: trace_graph: the function must return a Tensor, a Value"),
        ("NET:f", ["-o", "g.png"], "g.png ends with '.png': a graph can be .svg, .html, .dot"),
        ("NET:f", ["-o", "absent/g.svg"], "cannot write absent/g.svg: No such file"),
        ("BAD:f", [], "bad.py failed at line 2, '1 / 0': ZeroDivisionError: division by zero"),
        ("BAD2:f", [], "bad2.py failed: SyntaxError: "),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    net: str, target: str, given: list[str], message: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text("x = 1\n1 / 0\n")
    (tmp_path / "bad2.py").write_text("x = = 1\n")
    for word, path in {"NET": net, "BAD2": "bad2.py", "BAD": "bad.py"}.items():
        target = target.replace(f"{word}:", f"{path}:")
    assert cli.main(["graph", target, *given]) == cli.REFUSED
    said = capsys.readouterr()
    assert said.err.startswith("autograd-core graph: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.py"], "got 'net.py'; it must be FILE.py:NAME, such as net.py:model"),
        (["n.py:f", "--input", "1,a"], "got '1,a'; it must be a shape, such as 1,1,28,28"),
        (["n.py:f", "--input", "1:str"], "got dtype 'str'; it must be float32, float64, int64 or"),
        (["n.py:f", "--collapse", "2"], "got '2'; it must be auto, or from 0 to 1"),
        (["n.py:f", "--engine", "neato"], "argument --engine: invalid choice: 'neato'"),
        (["n.py:f", "--color-by", "mood"], "argument --color-by: invalid choice: 'mood'"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["graph", *arguments])
    assert caught.value.code == cli.REFUSED
    assert message in capsys.readouterr().err


def test_a_program_that_fails_leaves_the_graph_of_what_ran(
    net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "partial.txt"
    assert cli.main(["graph", f"{net}:Net", "--input", "2,3", "-o", str(out)]) == 1
    said = capsys.readouterr().err
    assert said == (
        "autograd-core graph: after 2 ops: ShapeError: Net.b (Linear(5, 2)): got x of shape "
        f"(2, 4): its last axis must be 5; {out} shows what ran\n"
    )
    graph = Graph.from_text(out.read_text())
    assert [n.op for n in graph.nodes if not n.is_source] == ["linear", "relu", "ShapeError"]
