"""The default path of training does without PaddleSlim, and without what only PaddleSlim needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.paddle

STUDENT, TEACHER = (
    f"zoo:yolov3_{name}?num_classes=2&scale=0.05" for name in ("mobilenet_v1", "r34")
)
BLOCKED = """
import sys
for name in ("paddleslim", "cv2", "scipy", "sklearn", "six", "requests"):
    sys.modules[name] = None
sys.argv = ["graphprobe", *{words!r}]
from graphprobe_cli.main import main
main()
"""
WORDS = [
    *("train", "--student", STUDENT, "--data", "digits?count=4&size=32&classes=2"),
    *("--device", "cpu", "-o", "train.max_iters=2", "-o", "train.batch_size=2"),
    *("-o", "train.learning_rate.warmup_steps=1", "-o", "train.image_size=32"),
    *("-o", "train.output=run", "-o", "train.workers=0"),
]


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    text = BLOCKED.format(words=list(words))
    return subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("engine", ["inference", "own"])
def test_a_pruned_student_is_distilled_without_it(engine: str, tmp_path: Path) -> None:
    more = ["--teacher", TEACHER, "--prune", "0.3", "-o", f"train.teacher_engine={engine}"]
    done = call(tmp_path, *WORDS, *more)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "run" / "result.json").read_text())
    assert found["iterations"] == 2
    assert found["pruning"]["after"]["flops"] < 0.8 * found["pruning"]["before"]["flops"]


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        (["--prune", "0.3", "--engine", "paddleslim"], "prune.engine"),
        (["--teacher", TEACHER, "-o", "train.teacher_engine=merge"], "train.teacher_engine"),
    ],
)
def test_what_needs_it_says_so(words: list[str], setting: str, tmp_path: Path) -> None:
    done = call(tmp_path, *WORDS, *words)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "paddleslim, which is not installed" in done.stderr
    assert "pip install 'graphprobe[slim]'" in done.stderr
    assert setting in done.stderr
    assert not (tmp_path / "run" / "result.json").exists()
