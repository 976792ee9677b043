"""graphprobe pairs: forms of the result, the config it writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe import programs
from graphprobe.config import DistillConfig, load_config
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

ANCHORS = ((116, 90, 156, 198, 373, 326), (30, 61, 62, 45, 59, 119))


def detector(filters: int, classes: int = 20) -> Program:
    """Two YOLO heads, at strides 4 and 2."""
    b = Builder()
    fine = b.conv(b.feed("image", (-1, 3, -1, -1)), filters, k=3, stride=2)
    coarse = b.conv(fine, filters, k=3, stride=2)
    for level, anchors, ratio in ((fine, ANCHORS[1], 2), (coarse, ANCHORS[0], 4)):
        attrs = {"anchors": anchors, "class_num": classes, "downsample_ratio": ratio}
        b.op("yolo_box", {"X": b.conv(level, 3 * (5 + classes))}, attrs=attrs)
    return b.build(source="builder")


def classifier() -> Program:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), 8, k=3)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, 8, 1, 1))
    x = b.op("mul", {"X": x, "Y": b.param("fc.w_0", (8, 10))}, shape=(-1, 10))
    out = b.op("softmax", {"X": x}, shape=(-1, 10))
    return b.build(fetches=[out], source="builder")


PROGRAMS = {"small": detector(8), "big": detector(16), "few": detector(8, 3), "cls": classifier()}


@pytest.fixture(autouse=True)
def named_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "load_program", PROGRAMS.__getitem__)


def call(*words: str, student: str = "small", teacher: str = "big") -> int:
    argv = ["pairs", "--student", student, "--teacher", teacher, *words]
    return run(build_app("pairs"), argv)


def test_json_follows_the_contract(capsys):
    assert call("--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"pairs", "alternatives", "warnings"}
    first = document["pairs"][0]
    assert set(first) >= {
        *("student", "teacher", "student_shape", "teacher_shape", "role", "loss", "weight"),
        *("score", "rule", "evidence", "adapter"),
    }
    assert [p["role"] for p in document["pairs"]] == ["yolo head, stride 4", "yolo head, stride 2"]
    assert first["student_shape"] == [-1, 75, -1, -1]
    assert (first["loss"], first["weight"], first["adapter"]) == ("l2", 100.0, None)


def test_the_table_fits_80_columns(capsys):
    assert call() == 0
    out = capsys.readouterr().out
    assert out.startswith("2 pairs by decoding_input\n")
    assert max(map(len, out.splitlines())) <= 80
    assert "no other candidate at this stride" in " ".join(out.split())


def test_csv_has_a_line_a_pair(capsys):
    assert call("--format", "csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("student,teacher,role,part,loss,weight,score,rule")
    assert len(lines) == 3


def test_a_yaml_file_gets_the_config_and_the_table_is_shown_too(tmp_path: Path, capsys):
    path = tmp_path / "distill.yaml"
    assert call("-o", str(path)) == 0
    captured = capsys.readouterr()
    assert "2 pairs" in captured.out and str(path) in captured.err
    config = load_config(path)
    assert isinstance(config, DistillConfig)
    assert [pair.weight for pair in config.pairs] == [100.0, 100.0]
    assert config.student.fingerprint != config.teacher.fingerprint
    assert "X of yolo_box with anchors 116,90 156,198 373,326" in path.read_text()
    assert "teacher_conv2d" not in path.read_text()


def test_a_json_file_gets_the_result(tmp_path: Path):
    path = tmp_path / "pairs.json"
    assert call("-o", str(path)) == 0
    assert len(json.loads(path.read_text())["pairs"]) == 2


def test_nothing_matched_is_exit_1_with_the_reason(tmp_path: Path, capsys):
    path = tmp_path / "distill.yaml"
    assert call("-o", str(path), teacher="cls") == 1
    assert "student has 2 yolo heads, the teacher has 1 class logits" in capsys.readouterr().err
    assert not path.exists()


def test_other_classes_are_refused_with_the_reason(capsys):
    assert call("--rule", "decoding_input", teacher="few") == 1
    assert "20 and 3 classes" in capsys.readouterr().err
    assert call("--format", "json", teacher="few") == 0
    document = json.loads(capsys.readouterr().out)
    assert {pair["rule"] for pair in document["pairs"]} == {"neck_levels"}
    assert all("classes" in item["reason"] for item in document["alternatives"])


def test_inner_features_of_other_widths_get_an_adapter(capsys):
    assert call("--rule", "neck_levels", "--format", "json") == 0
    adapters = [pair["adapter"] for pair in json.loads(capsys.readouterr().out)["pairs"]]
    plan = {"in_channels": 8, "out_channels": 16, "resize": False, "parameters": 8 * 16 + 16}
    assert adapters == [plan, plan]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--rule", "decoding_inputs"), "did you mean decoding_input"),
        (("--loss", "soft_labels"), "did you mean soft_label"),
        (("--loss", "fsp", "--rule", "neck_levels"), "--rule stage_flows"),
        (("--emit", "act"), "from files"),
        (("-o", "pairs.xlsx"), "use one of .csv, .json, .txt, .yaml"),
    ],
)
def test_bad_usage_is_one_line(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(*words) == 2
    err = capsys.readouterr().err
    assert says in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("error: ")
    assert not list(tmp_path.iterdir())
