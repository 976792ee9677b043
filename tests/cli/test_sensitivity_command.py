"""graphprobe sensitivity, and prune-regex --sensitivity, as a user meets them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe.drawing.pages.heatmap import percent

pytestmark = pytest.mark.paddle

PROGRAM = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
DATA = "digits?count=12&size=64&classes=2&max_digits=6"
POISON = """
import sys
sys.modules["paddle"] = sys.modules["paddleslim"] = None
from graphprobe_cli.main import main
main()
"""


def call(*words: str) -> int:
    return run(build_app(words[0]), list(words))


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "sensitivity-cache"))
        yield


@pytest.fixture(scope="module")
def record(tmp_path_factory, finding_weights) -> Path:
    """All groups at two ratios, with every form of the result beside the record."""
    folder = tmp_path_factory.mktemp("sensitivity")
    forms = ("json", "csv", "txt", "png", "svg", "pdf")
    outputs = [word for form in forms for word in ("-o", str(folder / f"s.{form}"))]
    done = call(
        "sensitivity", PROGRAM, "--weights", str(finding_weights), "--data", DATA, "--image", "64",
        "--policy", "coupled", "--ratios", "0.8,0.5", "--device", "cpu", *outputs,
    )  # fmt: skip
    assert done == 0
    return folder / "s.json"


def test_every_form_tells_the_same(record: Path):
    found = json.loads(record.read_text())
    assert len(found["groups"]) == 34 and found["measured"]["samples"] == 12
    assert all([p["ratio"] for p in g["points"]] == [0.5, 0.8] for g in found["groups"])
    with record.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["filter"], float(r["loss"])) for r in rows] == [
        (g["convs"][0], p["loss"]) for g in found["groups"] for p in g["points"]
    ]
    text = record.with_suffix(".txt").read_text()
    assert max(map(len, text.splitlines())) <= 80
    svg = record.with_suffix(".svg").read_text()
    for group in found["groups"]:
        assert group["convs"][0] in text and group["convs"][0] in svg
    losses = [percent(point["loss"]) for group in found["groups"] for point in group["points"]]
    shown = [line.split()[3:5] for line in text.splitlines() if line[:3].strip().isdigit()]
    assert [cell for cells in shown for cell in cells] == losses
    assert all(f">{loss}<" in svg for loss in losses)


def test_the_pictures_open(record: Path):
    from PIL import Image
    from pypdf import PdfReader

    with Image.open(record.with_suffix(".png")) as image:
        assert image.height > 900 and len(image.getcolors(1 << 20)) > 20
    (page,) = PdfReader(record.with_suffix(".pdf")).pages
    assert "yolo_block.2.tip.conv.weights" in page.extract_text()


def test_what_is_complete_is_only_shown(record: Path, finding_weights: Path, capsys):
    before = record.read_bytes()
    done = call(
        "sensitivity", PROGRAM, "--weights", str(finding_weights), "--data", DATA, "--image", "64",
        "--policy", "coupled", "--ratios", "0.5", "--format", "json", "-o", str(record),
    )  # fmt: skip
    out = capsys.readouterr()
    assert done == 0 and json.loads(out.out) == json.loads(before)
    assert "unpruned" not in out.err and record.read_bytes() == before


def test_the_choice_reaches_the_target_and_carries_its_weights(
    record: Path, finding_weights: Path, tmp_path: Path, capsys
):
    from graphprobe.config import load_config

    path = tmp_path / "prune.yaml"
    words = ("prune-regex", PROGRAM, "--sensitivity", str(record), "--target-flops", "0.5")
    assert call(*words, "-o", str(path)) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "predicted" in line]
    assert len(told) == 1 and "% of mAP (11 point) 0." in told[0]
    config = load_config(path)
    assert config.student.weights == str(finding_weights) and config.prune.policy == "coupled"
    ratios = {group.ratio for group in config.prune.groups}
    assert len(ratios) > 1 and max(ratios) <= 0.8
    capsys.readouterr()
    assert call(*words, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["after"]["flops"] <= 0.5 * found["before"]["flops"]
    assert {g["ratio"] for g in found["groups"]} == ratios
    assert call("check", str(path)) == 0
    assert call(*words) == 0
    assert "  ratio 0." in capsys.readouterr().out


def test_choosing_needs_no_paddle(record: Path):
    words = ["prune-regex", PROGRAM, "--sensitivity", str(record), "--target-flops", "0.5"]
    done = subprocess.run([sys.executable, "-c", POISON, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Regex of the" in done.stdout


def said(capsys) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "needs a target to choose for; add --target-flops 0.5"),
        (("--target-flops", "2"), "must be above 0 and below 1"),
        (("--target-flops", "0.97"), "or measure at larger ratios"),
        (("--target-flops", "0.5", "--policy", "seeds"), "was measured with --policy coupled"),
    ],
)
def test_a_choice_that_cannot_be_made(words, what, record, capsys):
    assert call("prune-regex", PROGRAM, "--sensitivity", str(record), *words) == 2
    assert what in said(capsys)


def test_a_record_of_another_program_or_none(record, tmp_path, capsys):
    other = PROGRAM.replace("0.05", "0.1")
    words = ("--target-flops", "0.5", "--sensitivity")
    assert call("prune-regex", other, *words, str(record)) == 2
    assert f"was measured on another program; name {PROGRAM}" in said(capsys)
    cut = tmp_path / "cut.json"
    cut.write_bytes(record.read_bytes()[:500])
    assert call("prune-regex", PROGRAM, *words, str(cut)) == 2
    assert "cut.json: not json" in said(capsys)


def test_a_group_without_figures_stays_whole(record, tmp_path, capsys):
    found = json.loads(record.read_text())
    del found["groups"][3]
    part = tmp_path / "part.json"
    part.write_text(json.dumps(found))
    words = ("--sensitivity", str(part), "--target-flops", "0.4", "--format", "json")
    assert call("prune-regex", PROGRAM, *words) == 0
    out = capsys.readouterr()
    assert "does not hold what 1 of 34 groups cost (first: conv3_1_sep_weights)" in out.err
    assert "conv3_1_sep_weights" not in json.loads(out.out)["params"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--data", DATA), "--weights"),
        (("--weights", "w.npz"), "--data"),
        (("--weights", "none.npz", "--data", DATA), "no such weights"),
        (("--weights", "none.npz", "--data", DATA, "--ratios", "0.5,1"), "--ratios 0.5,1"),
        (("--weights", "none.npz", "--data", DATA, "--ratios", ""), "--ratios"),
        (("--weights", "none.npz", "--data", DATA, "-o", "s.gif"), "unknown suffix"),
        (("--weights", "none.npz", "--data", DATA, "-o", "none/s.json"), "folder is not there"),
        (("--weights", "none.npz", "--data", DATA, "-o", "a.json", "-o", "b.json"), "one record"),
        (("--weights", "none.npz", "--data", DATA, "--policy", "seed"), "did you mean seeds"),
    ],
)
def test_bad_usage_is_one_line(words, what, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("sensitivity", PROGRAM, *words) == 2
    assert what in said(capsys) and not list(tmp_path.iterdir())


def test_nothing_to_prune_is_an_answer(finding_weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ("--weights", str(finding_weights), "--data", DATA, "--keep", ".")
    assert call("sensitivity", PROGRAM, *words) == 1
    assert "nothing to prune" in said(capsys)
