"""Without networkx or the package graphviz, what needs them says so in one line; the rest works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import sys
sys.modules[{name!r}] = None
sys.argv = ["graphprobe", *{arguments!r}]
from graphprobe_cli.main import main
main()
"""


def call(name: str, *arguments: object) -> tuple[int, str]:
    """Status and standard error, without what a slow machine lets it wait for (`drawing X ...`)."""
    text = BLOCKED.format(name=name, arguments=list(map(str, arguments)))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines(keepends=True)
    return done.returncode, "".join(line for line in lines if not line.endswith(" ...\n"))


@pytest.fixture
def program(program_files: dict[str, Path]) -> Path:
    return program_files["mobilenet_v1_p1.x"]


@pytest.mark.parametrize("package", ["networkx", "graphviz"])
def test_commands_do_without_them(package: str, program: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert call(package, "vars", program) == (0, "")
    assert call(package, "pairs", "--student", program, "--teacher", program)[0] == 0
    assert call(package, "prune-regex", program)[0] == 0
    assert call(package, "report", "--student", program, "-o", page)[0] == 0
    for suffix in ("svg", "pdf", "png", "html"):
        out = tmp_path / f"graph.{suffix}"
        assert call(package, "draw", program, "-o", out) == (0, f"wrote {out}\n")
    diff = call(package, "draw", program, "--diff", program, "-o", tmp_path / "diff.svg")
    assert diff[0] == 0


@pytest.mark.parametrize(
    ("package", "file", "options"),
    [
        ("networkx", "graph.dot", ()),
        ("networkx", "graph.graphml", ()),
        ("networkx", "graph.svg", ("--focus", "conv2d")),
        ("graphviz", "graph.dot", ()),
        ("graphviz", "graph.svg", ("--engine", "dot")),
    ],
)
def test_what_needs_them_says_so(
    program: Path, tmp_path: Path, package: str, file: str, options: tuple[str, ...]
) -> None:
    status, said = call(package, "draw", program, "-o", tmp_path / file, *options)
    assert (status, said.count("\n"), list(tmp_path.iterdir())) == (2, 1, [])
    assert said.startswith(f"error: the package {package} cannot be imported")
    assert said.endswith(f"; pip install {package}\n")
