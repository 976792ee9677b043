"""Nothing that Paddle or its packages warn of reaches the user of a command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.paddle

# What graphprobe itself says on standard error: progress, results of training, its own warnings.
NOISE = re.compile(
    r"[Dd]eprecat|ccache|[A-Z]\w*Warning\b|warnings\.warn|pkg_resources|OMP_NUM_THREADS|"
    r"^[IWE]\d{4} |LoggerHelper|http\.log|DeprecationWarn|Traceback",
    re.MULTILINE,
)


def said_by(words: list[str], folder: Path) -> str:
    """Standard error of a command in a process of its own, as a user starts it."""
    names = ("OMP_NUM_THREADS", "FLAGS_enable_pir_api", "GLOG_minloglevel", "PYTHONWARNINGS")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    command = [str(Path(sys.executable).with_name("graphprobe")), *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr[-2000:])
    assert NOISE.findall(done.stdout) == [], words
    return done.stderr


def test_every_command_on_a_bundled_model(tmp_path: Path, distillation: Any) -> None:
    student, teacher = (
        f"zoo:yolov3_{name}?num_classes=2&scale=0.05" for name in ("mobilenet_v1", "r34")
    )
    plain = distillation(Path("run"), max_iters=2, snapshot_iter=1)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(plain))
    commands = [
        ["vars", student],
        ["pairs", "--student", student, "--teacher", teacher, "-o", "distill.yaml"],
        ["prune-regex", student, "-o", "prune.yaml"],
        ["draw", student, "-o", "d.svg"],
        ["doctor"],
        ["check", "c.yaml"],
        ["train", "c.yaml"],
        ["eval", "run"],
        ["infer", "run", "--samples", "1"],
        ["export", "run", "--output", "small"],
    ]
    for words in commands:
        assert NOISE.findall(said_by(words, tmp_path)) == [], words


def test_every_command_on_an_exported_program(
    tmp_path: Path, export_small: Any, small_pictures: Path
) -> None:
    export_small(tmp_path / "model")
    words = ["train", "--student", "model", "--prune", "0.3", "--data", f"images:{small_pictures}"]
    words += ["--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--size", "32"]
    words += ["-o", "train.output=run", "-o", "train.batch_size=2"]
    words += ["-o", "train.max_iters=2", "-o", "train.learning_rate.warmup_steps=1"]
    for command in (words, ["eval", "run"], ["export", "run", "--output", "small"]):
        assert NOISE.findall(said_by(command, tmp_path)) == [], command
