"""docs/python.md and docs/notebook.ipynb, run as they stand, each in one namespace."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.paddle
DOCS = Path(__file__).resolve().parents[1] / "docs"


def cells() -> list[str]:
    notebook = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))
    assert notebook["nbformat"] == 4
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def run_cell(code: str, names: dict[str, Any]) -> Any:
    """Run a cell and give what its last line shows, as a notebook does."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - code of this repository
    if not isinstance(last, ast.Expr):
        return None
    code_of_last = compile(ast.Expression(last.value), "cell", "eval")
    return eval(code_of_last, names)  # noqa: S307 - code of this repository


def shown(result: Any) -> str:
    """The richest form that a notebook would show."""
    for form in ("_repr_html_", "_repr_svg_"):
        text = getattr(result, form)() if hasattr(result, form) else None
        if text:
            return str(text)
    return repr(result)


def test_the_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO", "graphprobe")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), names)  # noqa: S102 - code of this repository
    said = capsys.readouterr()
    assert "conv2d_20.tmp_1 <- conv2d_6.tmp_1 yolo head, stride 32" in said.out
    assert "did you mean decoding_input" in said.out
    assert "runs/yolov3_mobilenet_v1 " in said.out and "\nTrue\n" in said.out
    assert "2 images drawn into seen" in said.out
    assert said.err == ""
    written = {path.name for path in tmp_path.iterdir()}
    files = {"distill.yaml", "prune.yaml", "both.pdf", "head.svg", "report.html"}
    assert written >= {*files, "runs", "seen", "exported"}
    lines = [record.message for record in caplog.records if record.name == "graphprobe"]
    assert any(line.startswith("data: trains on digits") for line in lines)


def test_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    texts = [shown(run_cell(code, names)) for code in cells()]
    assert texts[0].startswith("(<LoadedProgram 'zoo:yolov3_mobilenet_v1'")
    assert sum("<table>" in text for text in texts) == 3
    assert sum(text.startswith("<svg") for text in texts) == 2
    assert "yolo_output.0.conv.weights" in texts[1]
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert {path.name for path in tmp_path.iterdir()} == {"distill.yaml", "prune.yaml"}
