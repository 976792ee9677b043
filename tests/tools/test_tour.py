"""The tour runs, small: every command of it does what it did for docs/tour.md."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import COMMANDS, build_app

from tools.tour import write_tour
from tools.transcript import COLUMNS, shortened, tidy, wrapped_command

DOCS = Path(__file__).resolve().parents[2] / "docs"
# A tour of a day does not look at the machine, nor at what graphprobe has.
NOT_SHOWN = {"doctor", "list"}


def call(words: Sequence[str]) -> tuple[int, str]:
    """A command in this process, which has Paddle already."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = run(build_app(words[0]), list(words))
    return status, output.getvalue()


def commands_of(page: str) -> list[str]:
    """The commands of a page, without what differs with its size."""
    joined = page.replace(" \\\n   ", "")
    lines = re.findall(r"^\$ graphprobe (.*)$", joined, re.MULTILINE)
    return [re.sub(r"--epochs \d+", "--epochs N", line) for line in lines]


@pytest.mark.paddle
def test_a_small_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, docs = tmp_path / "day", tmp_path / "docs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    write_tour(call, folder, docs, count=24, epochs=1)
    page, chinese = ((docs / name).read_text("utf-8") for name in ("tour.md", "zh/tour.md"))
    known = (DOCS / "tour.md").read_text("utf-8")
    assert commands_of(page) == commands_of(known) == commands_of(chinese)
    shown = {line.split()[0] for line in commands_of(page)}
    assert shown == set(COMMANDS) - NOT_SHOWN
    for text in (page, chinese):
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            assert max(map(len, block.splitlines())) <= COLUMNS
    pictures = set(re.findall(r"images/([\w-]+\.png)", page))
    assert pictures == set(re.findall(r"images/([\w-]+\.png)", known)) and len(pictures) == 4
    assert {path.name for path in (docs / "images").iterdir()} == pictures
    assert {path.name for path in (folder / "small").iterdir()} == {
        *("model.pdmodel", "model.pdiparams", "infer_cfg.yml", "inference.yml")
    }


def test_pictures_of_the_tour_are_small() -> None:
    pictures = list((DOCS / "images").glob("tour-*.png"))
    assert len(pictures) == 4 and max(path.stat().st_size for path in pictures) < 100_000
    assert str(DOCS.parent) not in (DOCS / "tour.md").read_text("utf-8")


def test_what_the_moment_decides_is_left_out() -> None:
    output = (
        "\n  \nimporting Paddle ...\niter 5/9  eta 00:01:02  lr 0.1  12.5 img/s  data 3.1%\n"
        "latency   1.20 ms   0.70 ms   -41.7%\n  time   12.5 s\ntime     00:00:06   00:01:06\n"
        "warning: other work disturbs this machine: do not rely on the latency\n  \n"
    )
    assert tidy(output) == [
        "iter 5/9  eta ...  lr 0.1  ... img/s  data ...",
        "latency   ... ms   ... ms   ...",
        "  time   ... s",
        "time          ...        ...",
    ]
    assert all(len(line) <= COLUMNS for line in tidy("word " * 40 + "x" * 200))


def test_a_long_command_goes_on_in_the_next_line() -> None:
    line = wrapped_command(["graphprobe", *(f"--option-{i} 'a b'" for i in range(9))])
    parts = line.split("\n")
    assert len(parts) > 2 and all(len(part) <= COLUMNS for part in parts)
    assert all(part.endswith(" \\") for part in parts[:-1]) and parts[1].startswith("    ")
    assert shortened(["a", "b", "c", "d"], (1, 1)) == ["a", "...", "d"]
    assert shortened(["a", "b", "c"], (1, 1)) == ["a", "b", "c"]
