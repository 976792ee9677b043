"""The public names: lazy, documented, and nothing heavy behind an import."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import graphprobe

HEAVY = ("paddle", "numpy", "pydantic", "yaml", "networkx", "reportlab", "rich", "typer", "jinja2")


def test_an_import_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import graphprobe\n"
        "new = set(sys.modules) - before\n"
        f"print([n for n in sorted(new) if n.partition('.')[0] in {HEAVY}])\n"
        "print(sorted(n for n in new if n.startswith('graphprobe.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, own = done.stdout.splitlines()
    assert heavy == "[]"
    assert own == "['graphprobe.version']"


def test_every_public_name_is_there_and_has_a_docstring() -> None:
    assert sorted(graphprobe.__all__) == graphprobe.__all__
    assert set(graphprobe.__all__) <= set(dir(graphprobe))
    for name in graphprobe.__all__:
        found = getattr(graphprobe, name)
        if inspect.isfunction(found) or inspect.isclass(found):
            assert inspect.getdoc(found), name


@pytest.mark.parametrize("name", [n for n in graphprobe.__all__ if n[0].islower()])
def test_every_function_says_what_it_takes_raises_and_shows_a_use(name: str) -> None:
    function = getattr(graphprobe, name)
    text = inspect.getdoc(function) or ""
    assert "Raises:" in text and "Example:\n" in text
    for parameter in inspect.signature(function).parameters.values():
        assert f"    {parameter.name}: " in text, parameter.name
        assert parameter.annotation is not inspect.Parameter.empty


def test_the_errors_and_rows_that_callers_meet_are_public() -> None:
    with pytest.raises(graphprobe.LoadError):
        graphprobe.load("no/such/file")
    with pytest.raises(graphprobe.UsageError):
        graphprobe.list_names("nothing")
    assert issubclass(graphprobe.UsageError, graphprobe.GraphprobeError)
    assert {"student", "teacher", "role"} <= set(graphprobe.Pair.__dataclass_fields__)
    assert {"param", "status", "reason"} <= set(graphprobe.PruneDecision._fields)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'prune'"):
        graphprobe.prune  # noqa: B018
