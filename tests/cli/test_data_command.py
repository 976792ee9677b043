"""`graphprobe data`: counts, problems, a sheet; nothing of it needs Paddle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app
from PIL import Image

import graphprobe
from graphprobe.errors import UsageError


def command(*words: str) -> int:
    return run(build_app("data"), ["data", *words])


def test_a_table_of_80_columns_and_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sheet = tmp_path / "sheet.png"
    assert command("digits?count=12&size=48", "--samples", "5", "--sheet", str(sheet)) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "  samples    12 (detection, 5 of them read)" in lines
    assert any(line.split()[0:1] == ["class"] for line in lines)
    assert f"wrote {sheet}" in said.err and Image.open(sheet).width > 700


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": None}, "data: must be a text, not None; as voc:PATH"),
        ({"samples": -1}, "samples: must be a whole number of at least 1, not -1"),
        ({"samples": 2.5}, "samples: must be a whole number"),
        ({"sheet": -1}, "sheet: must be a whole number of at least 0"),
        ({"image": 0}, "image: must be a whole number of at least 1"),
    ],
)
def test_arguments_that_make_no_sense(given: dict[str, Any], message: str):
    with pytest.raises(UsageError, match=message):
        graphprobe.inspect_data(**{"data": "digits?count=6&size=48", **given})


def test_all_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for number in range(14):
        place = tmp_path / "images" / f"{number:02d}.png"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"no image")
    spec = f"yolo:{tmp_path}?split=all"
    assert command(spec) == 1
    out = capsys.readouterr().out
    assert "14 problems" in out and "and 4 more; --all lists them" in out
    assert command(spec, "--all", "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert len(document["problems"]) == 14 and document["task"] is None
    assert "00.png" in document["problems"][0]


def test_damaged_images_are_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    assert command(f"images:{tmp_path}", "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == [f"{tmp_path}/b.png: is not an image"]
    assert document["sizes"][0] == {"height": 6, "width": 8} and document["read"] == 1


def test_one_line_for_what_is_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for spec in ("vco:/a", f"voc:{tmp_path}", "digits?size=many"):
        assert command(spec) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_from_python() -> None:
    report = graphprobe.inspect_data("digits?count=6&size=48", sheet=2, image=64)
    assert report.summary().startswith("digits?count=6&size=48&split=train: detection, 6 samples")
    assert len(report.to_rows()[1]) == 3 and report.sheet is not None
    assert "detection" in repr(report) and report._repr_html_().startswith("<p>")
