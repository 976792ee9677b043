"""Where -o can point to is looked at before anything is read or computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

NONE = "no-such-program"
COMMANDS = {
    "vars": ("vars", NONE),
    "pairs": ("pairs", "--student", NONE, "--teacher", NONE),
    "pairs --emit": ("pairs", "--student", NONE, "--teacher", NONE, "--emit", "python"),
    "prune-regex": ("prune-regex", NONE),
    "draw": ("draw", NONE),
    "report": ("report", "--student", NONE),
    "sensitivity": ("sensitivity", NONE, "--weights", NONE, "--data", NONE),
}
SUFFIXES = {"draw": ".pdf", "report": ".html", "sensitivity": ".json"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_has_no_place_is_refused_first(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = COMMANDS[name]
    suffix = SUFFIXES.get(words[0], ".txt")
    (tmp_path / f"folder{suffix}").mkdir()
    for output, told in (
        (f"missing/x{suffix}", "its folder is not there; name a folder that exists"),
        (f"folder{suffix}", "is a folder; name a file"),
    ):
        assert run(build_app(words[0]), [*words, "-o", output]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", f"error: {output}: {told}\n")
    assert [path.name for path in tmp_path.iterdir()] == [f"folder{suffix}"]


@pytest.mark.parametrize(
    ("output", "told"), [("s/q", "no suffix"), ("s/q.xyz", "unknown suffix .xyz"), ("s.v/q", "no")]
)
def test_draw_names_the_file_as_it_was_given(
    output: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / output).parent.mkdir()
    assert run(build_app("draw"), ["draw", NONE, "-o", output]) == 2
    assert capsys.readouterr().err.startswith(f"error: {output}: {told}")
