"""What `pairs` writes trains as it stands: every kind of pair, on the embedded scenes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.paddle

YOLO = "zoo:yolov3_{}?num_classes=2&scale={}&size=32{}"
DEEPLAB = "zoo:deeplabv3p_{}?num_classes=3&scale=0.1&size=65"
CASES = {
    "fine_grained": (
        YOLO.format("mobilenet_v1", 0.05, "&fine_grained=true"),
        YOLO.format("r34", 0.05, "&fine_grained=true"),
        "digits?classes=2&size=32",
        ["yolo_fine_grained.0", "yolo_fine_grained.1", "yolo_fine_grained.2"],
        [],
    ),
    "adapter": (
        YOLO.format("mobilenet_v1", 0.05, ""),
        YOLO.format("r34", 0.2, ""),
        "digits?classes=2&size=32",
        ["relative_l2.0", "relative_l2.1", "relative_l2.2"],
        ["--rule", "neck_levels"],
    ),
    "segmentation": (
        DEEPLAB.format("mobilenetv2"),
        DEEPLAB.format("xception65"),
        "digits_seg?classes=2&size=65",
        ["l2.0"],
        [],
    ),
}


def graphprobe(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from graphprobe_cli.main import main; main()", *words],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("case", CASES)
def test_a_config_that_pairs_writes_trains(case: str, tmp_path: Path) -> None:
    student, teacher, data, terms, extra = CASES[case]
    config, output = tmp_path / "distill.yaml", tmp_path / "run"
    graphprobe("pairs", "--student", student, "--teacher", teacher, *extra, "-o", str(config))
    settings = {
        "train.data.train": f"{data}&count=8",
        "train.data.val": f"{data}&count=2&split=val",
        "train.max_iters": "2",
        "train.batch_size": "2",
        "train.workers": "0",
        "train.output": str(output),
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    graphprobe("train", str(config), *options)
    steps = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    assert len(steps) == 2
    for step in steps:
        assert all(f"loss/{term}" in step for term in terms)
        assert all(step[f"loss/{term}"] > 0 for term in terms)
