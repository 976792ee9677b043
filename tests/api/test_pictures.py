"""draw and report as Python functions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import graphprobe
from graphprobe.api import findings
from graphprobe.drawing import drawing
from graphprobe.errors import ConfigError, UsageError
from graphprobe.ir import Program

HEADS = {"pdf": b"%PDF", "svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}


def test_a_picture_in_every_format(small: Program, tmp_path: Path) -> None:
    picture = graphprobe.draw(small)
    for name, head in HEADS.items():
        assert picture.render(name).startswith(head)
        assert picture.write(tmp_path / f"x.{name}").read_bytes() == picture.render(name)
    assert (picture._repr_svg_() or "").startswith("<svg")
    assert repr(picture) == "<Picture of small>"


def test_drawings_and_reports_as_plain_data(small: Program, big: Program) -> None:
    picture = graphprobe.draw(small, teacher=big).to_dict()
    assert (picture["title"], picture["pairs"], picture["warnings"]) == ("small and big", 2, [])
    assert list(picture["programs"]) == ["small", "big"]
    levels = picture["programs"]["small"]
    assert levels["ops"] == graphprobe.draw(small).to_networkx("op").number_of_nodes()
    assert levels["stages"] <= levels["blocks"] <= levels["units"] <= levels["ops"]
    made = graphprobe.report(small)
    data = made.to_dict()
    assert (data["title"], data["html"], data["warnings"]) == ("small", made.html, [])
    assert data["summary"][0].startswith("The network has ")
    assert json.loads(json.dumps([picture, made.to_dict()]))


def test_a_file_is_written_where_one_is_named(small: Program, tmp_path: Path) -> None:
    graphprobe.draw(small, tmp_path / "x.svg", focus="yolo_box", hops=1)
    assert "yolo_box" in (tmp_path / "x.svg").read_text()


def test_pairs_found_read_and_given(small: Program, big: Program, tmp_path: Path) -> None:
    found = graphprobe.find_pairs(small, big)
    path = found.write(tmp_path / "distill.yaml")
    ways = [
        graphprobe.draw(small, teacher=big),
        graphprobe.draw(small, teacher=big, pairs=path),
        graphprobe.draw(small, teacher=big, pairs=found.to_config()),
        graphprobe.draw(small, pairs=found),
    ]
    for picture in ways:
        assert picture.drawing is not None
        assert len(picture.drawing.sides) == 2
        assert [p.student for p in picture.drawing.pairs] == [p.student for p in found]


def test_what_is_pruned_is_marked(small: Program, tmp_path: Path) -> None:
    found = graphprobe.find_prunable(small, keep="conv2d_0")
    path = found.write(tmp_path / "prune.yaml")
    for prune in (found, path, found.to_config()):
        picture = graphprobe.draw(small, prune=prune)
        assert picture.drawing is not None
        assert picture.drawing.sides[0].marks.targets == {"conv2d_1.w_0"}


def test_a_config_for_another_program(small: Program, big: Program, tmp_path: Path) -> None:
    path = graphprobe.find_prunable(small).write(tmp_path / "prune.yaml")
    with pytest.raises(ConfigError, match="was made for"):
        graphprobe.draw(big, prune=path)
    with pytest.raises(UsageError, match="kind prune"):
        graphprobe.draw(small, teacher=big, pairs=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "blok"}, "did you mean block"),
        ({"engine": "dott"}, "engine: nothing draws as 'dott'"),
        ({"engine": "irgraph"}, "level='raw'"),
        ({"focus": "("}, "regular expression"),
        ({"focus": "zzz"}, "focus='zzz': matches no op type, variable or parameter"),
        ({"focus": "zzz", "level": "raw"}, "focus='zzz': matches no op type"),
        ({"focus": "conv2d", "hops": -3}, "hops: must be a whole number of at least 0, not -3"),
        ({"hops": 1.5}, "hops: must be a whole number"),
        ({"output": "x.gif"}, "unknown suffix .gif"),
    ],
)
def test_what_cannot_be_drawn(small: Program, options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        graphprobe.draw(small, **options)  # type: ignore[arg-type]


def test_a_report(small: Program, big: Program, tmp_path: Path) -> None:
    made = graphprobe.report(small, tmp_path / "report.html", teacher=big)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == made.html
    assert "4 convolutions" in made.html
    assert len(repr(made)) < 100
    assert made._repr_html_().startswith("<iframe")
    large = replace(made, title="a & b")
    large.__dict__["html"] = "x" * 1_000_000
    assert len(large._repr_html_()) < 300
    assert "a &amp; b: 1,000,000 characters" in large._repr_html_()
    with pytest.raises(UsageError, match="name it .html"):
        graphprobe.report(small, tmp_path / "report.docx")
    with pytest.raises(UsageError, match="must be html or pdf"):
        made.render("svg")


def test_multiply_adds_have_two_names(small: Program) -> None:
    by_macs, by_flops = (graphprobe.draw(small, color_by=name) for name in ("macs", "flops"))
    assert by_macs.render("svg") == by_flops.render("svg") != graphprobe.draw(small).render("svg")
    size = graphprobe.find_prunable(small).before
    assert size.macs == size.flops > 0


def test_a_second_program_is_no_output(small: Program, big: Program) -> None:
    loaded = graphprobe.load(big)
    message = "output: must be the name of a file, not a LoadedProgram; .*teacher=PROGRAM"
    with pytest.raises(UsageError, match=message):
        graphprobe.report(small, loaded)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message):
        graphprobe.draw(small, loaded)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="zoo:yolov3_r34: a report is one HTML or PDF file"):
        graphprobe.report(small, "zoo:yolov3_r34")


def test_pictures_load_each_program_once(loads: Counter[str]) -> None:
    student, teacher = graphprobe.load("small"), graphprobe.load("big")
    found = graphprobe.find_pairs(student, teacher)
    graphprobe.draw(student, teacher=teacher, pairs=found, prune=graphprobe.find_prunable(student))
    graphprobe.report(student, teacher=teacher)
    assert loads == {"small": 1, "big": 1}
    graphprobe.draw("small", teacher="big")
    assert loads == {"small": 2, "big": 2}


def test_what_is_too_large_to_draw_is_said_before_anything_is_found(
    small: Program, big: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "MAX_OPS", len(small.ops) + len(big.ops) - 1)
    graphprobe.draw(small)
    found: list[object] = []
    monkeypatch.setattr(findings, "prune_findings", lambda *given: found.append(given))
    total = len(small.ops) + len(big.ops)
    for draw in (
        lambda: graphprobe.draw(small, teacher=big),
        lambda: graphprobe.report(small, teacher=big),
        lambda: graphprobe.draw(small, diff=big),
    ):
        with pytest.raises(UsageError) as caught:
            draw()
        line = f"{total:,} ops are more than a drawing takes ({total - 1:,})"
        assert str(caught.value).startswith(f"small and big: {line}; list its variables")
    assert found == []
