"""The report: what it says first, what each group saves, runs, sensitivity, images, both forms."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image

import graphprobe
from graphprobe.errors import GraphprobeError, UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.ops.work.count import network_size
from graphprobe.pruning import ratios
from graphprobe.pruning.ratios import param_shapes
from graphprobe.pruning.savings import group_savings


def write_run(folder: Path, best: float, kind: str = "train") -> Path:
    """A run's folder as `train` leaves it."""
    folder.mkdir(parents=True)
    config = {"version": 1, "kind": kind, "student": {"program": "x"}, "train": {"max_iters": 40}}
    (folder / "config.yaml").write_text(json.dumps(config))
    result = {"iterations": 40, "metric": "mAP (11 point)", "value": best, "best": best}
    (folder / "result.json").write_text(json.dumps(result))
    checkpoint = folder / "checkpoints" / "000040"
    checkpoint.mkdir(parents=True)
    state = {"config": config, "iteration": 40, "metric": "mAP (11 point)", "best": best}
    (checkpoint / "state.json").write_text(json.dumps(state))
    (folder / "metrics.jsonl").write_text('{"iter": 1, "loss/total": 3.0}\n')
    rows = [{"iter": i, "metric": "mAP (11 point)", "value": best * i / 40} for i in (20, 40)]
    (folder / "evaluations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def paper(made: graphprobe.Report) -> str:
    reader = pypdf.PdfReader(io.BytesIO(made.render("pdf")))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_what_it_says_first(small: Program, big: Program) -> None:
    made = graphprobe.report(small, teacher=big)
    size, other = network_size(small), network_size(big)
    first, second, third, fourth = made.document.summary
    assert f"{size.megabytes:.3g} MB" in first and first.startswith("The student has ")
    times = (other.flops + other.products) / (size.flops + size.products)
    assert f"does {times:.3g} times the work" in second
    assert third == "The teacher can teach the student at 2 places; nothing is in doubt."
    found = graphprobe.find_prunable(small)
    share = 1 - found.after.flops / found.before.flops
    assert f"takes {share:.0%} of the multiply-adds" in fourth
    for text in (made.html, paper(made)):
        assert "2 places; nothing is in doubt" in text
        assert "What can be pruned, and what it saves" in text


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
def test_what_a_group_saves_is_what_the_network_loses(policy: str) -> None:
    choice = graphprobe.find_prunable(
        "zoo:yolov3_mobilenet_v1?size=96", policy=policy, ratio=0.3
    ).choice
    program = choice.found.channels.program
    before = network_size(program)
    found = group_savings(choice)
    assert len(found) == len(choice.groups) > 3
    for at, saving in enumerate(found):
        shapes = choice.plan.only(at).shapes_after(param_shapes(choice.found))
        after = network_size(program, None, shapes)
        assert saving.flops == before.flops - after.flops > 0
        assert saving.megabytes == pytest.approx(before.megabytes - after.megabytes)
        assert saving.kept == sum(choice.plan.kept(saving.group, p) for p in saving.group.parts)


def test_a_config_is_what_is_reported(small: Program, tmp_path: Path) -> None:
    found = graphprobe.find_prunable(small, ratio=0.25)
    path = found.write(tmp_path / "prune.yaml")
    made = graphprobe.report(small, prune=path)
    assert "What the config prunes, and what it saves" in made.html
    share = 1 - found.after.flops / found.before.flops
    assert made.to_dict()["figures"]["multiply-adds, pruned as configured"] == f"-{share:.0%}"
    models = made.document.sections[0].tables[0]
    assert [row[0] for row in models.rows] == ["program", "after pruning"]


def test_the_pruned_network_is_counted_once(
    small: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = graphprobe.find_prunable(small, ratio=0.25).write(tmp_path / "prune.yaml")
    count, calls = ratios.pruned_size, []
    monkeypatch.setattr(ratios, "pruned_size", lambda choice: (calls.append(1), count(choice))[1])
    graphprobe.report(small, prune=path)
    assert len(calls) == 1


def test_runs_side_by_side(small: Program, tmp_path: Path) -> None:
    alone, taught = write_run(tmp_path / "alone", 0.5), write_run(tmp_path / "taught", 0.56)
    made = graphprobe.report(small, runs=[alone, taught])
    assert f"The run {taught} (alone) came to mAP (11 point) 0.560, +6.0 points" in made.html
    assert made.to_dict()["figures"]["mAP (11 point), the best run"] == "0.56"
    assert "total loss" in made.html and "total loss" in paper(made)
    one = graphprobe.report(small, runs=alone)
    assert "beside the first run" not in one.html
    with pytest.raises(GraphprobeError, match="holds no run"):
        graphprobe.report(small, runs=tmp_path / "none")


def record(program: Program, convs: list[str]) -> dict[str, Any]:
    point = {"kept": 4, "value": 0.6, "flops": 0.1}
    groups = [
        {
            "group": at,
            "convs": [name],
            "channels": 8,
            "points": [{**point, "ratio": r, "loss": (at + 1) * r / 9} for r in (0.3, 0.5)],
        }
        for at, name in enumerate(convs)
    ]
    measured = {
        "program": "x", "fingerprint": fingerprint(program), "weights": "w",
        "weights_sha256": "0", "data": "digits", "samples": 8, "image": 32,
        "policy": "seeds", "criterion": "l1_norm", "metric": "accuracy",
    }  # fmt: skip
    return {
        "version": 1, "kind": "sensitivity", "baseline": 0.8, "measured": measured,
        "groups": groups,
    }  # fmt: skip


def test_what_was_measured_stands_beside_what_is_saved(small: Program, tmp_path: Path) -> None:
    params = graphprobe.find_prunable(small).params
    file = tmp_path / "s.json"
    file.write_text(json.dumps(record(small, params)))
    table = dict.fromkeys(params, 0.25)
    made = graphprobe.report(small, sensitivity=file, latency=table)
    savings = next(s for s in made.document.sections if s.key == "pruning").tables[0]
    assert list(savings.head[-2:]) == ["ms of its layers", "share of the metric lost"]
    by_name = {row[0]: row for row in savings.rows}
    for at, name in enumerate(params):
        assert by_name[name][-2:] == ("0.25", f"{(at + 1) * 0.5 / 9:.1%}")
    assert "accuracy on 8 samples of digits, 0.8 before pruning" in made.html
    measured = next(s for s in made.document.sections if s.key == "sensitivity").tables[0]
    assert measured.rows[0] == (params[0], f"{0.3 / 9:.1%}", f"{0.5 / 9:.1%}")


def test_images_before_and_after(small: Program, tmp_path: Path) -> None:
    before, after = tmp_path / "a", tmp_path / "b"
    for folder, colour in ((before, "red"), (after, "blue")):
        for name in ("x/one.png", "two.jpg"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (900, 300), colour).save(folder / name)
    Image.new("RGB", (9, 9)).save(before / "alone.png")
    made = graphprobe.report(small, images=(before, after))
    pairs = next(s for s in made.document.sections if s.key == "images").images
    assert [pair.name for pair in pairs] == ["two.jpg", "x/one.png"]
    for content, at in ((pairs[1].before, 0), (pairs[1].after, 2)):
        image = Image.open(io.BytesIO(content))
        assert image.size == (640, 213)
        pixel = image.getpixel((9, 9))
        assert isinstance(pixel, tuple) and pixel[at] > 240
    assert made.html.count("data:image/jpeg;base64,") == 4
    with pytest.raises(UsageError, match="no image lies in both folders"):
        graphprobe.report(small, images=(before, tmp_path / "x"))


def test_a_network_that_cannot_be_pruned() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4)
    b.op("fetch", {"X": x}, {"Out": "fetch"})
    made = graphprobe.report(b.build())
    assert "None of its 1 convolutions can be pruned." in made.html
    assert "No convolution can be pruned; below is why." in paper(made)
