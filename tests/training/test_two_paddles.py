"""Runs of two versions of Paddle: equal losses, and each goes on from the other's checkpoints.

The other environment is the folder that GRAPHPROBE_OTHER_ENV names, else one that `make install`
made beside this one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from graphprobe.training.weights.checkpoint import read_checkpoint

pytestmark = pytest.mark.paddle

ROOT = Path(__file__).resolve().parents[2]
STEPS, HALF = 50, 25
AGREE = 1e-5


def paddle_of(env: Path) -> str | None:
    """The version of Paddle in an environment; None where there is none, or no environment."""
    sites = [str(path) for path in env.glob("lib/python*/site-packages")]
    names = ("paddlepaddle", "paddlepaddle-gpu")
    found = (one for name in names for one in distributions(name=name, path=sites) if sites)
    return next((one.version for one in found), None)


@pytest.fixture(scope="module")
def other() -> tuple[Path, str]:
    """An environment with another Paddle, and its version."""
    own = paddle_of(Path(sys.prefix))
    named = os.environ.get("GRAPHPROBE_OTHER_ENV")
    for name in [named] if named else [".venv", ".venv-2.6.2", ".venv-3.3.1"]:
        found = paddle_of(ROOT / name)
        if found not in (None, own) and (ROOT / name / "bin" / "graphprobe").exists():
            return ROOT / name, str(found)
    assert not named, f"GRAPHPROBE_OTHER_ENV={named} has no Paddle other than {own}"
    pytest.skip(f"needs an environment beside this one with a Paddle other than {own}")


def train(env: Path, plain: dict[str, Any], *words: str) -> str:
    """Run `graphprobe train` of an environment, and give what it says on standard error."""
    output = Path(plain["train"]["output"])
    config = output.with_suffix(".yaml")
    config.write_text(yaml.safe_dump(plain))
    command = [env / "bin" / "graphprobe", "train", config, "--device", "cpu", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key.startswith("loss/")} for line in lines]


def assert_same_losses(one: Path, another: Path) -> None:
    first, second = losses(one), losses(another)
    assert len(first) == len(second) == STEPS
    for number, (ours, theirs) in enumerate(zip(first, second, strict=True), 1):
        assert set(ours) == {"loss/total", "loss/task", "loss/l2.0", "loss/l2.1", "loss/l2.2"}
        assert theirs == pytest.approx(ours, rel=AGREE), f"iteration {number}"


@pytest.fixture(scope="module")
def runs(
    other: tuple[Path, str], distillation: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[Path, Path]:
    """An environment -> the folder of its run."""
    folder = tmp_path_factory.mktemp("runs")
    found = {env: folder / str(paddle_of(env)) for env in (Path(sys.prefix), other[0])}
    for env, output in found.items():
        settings = {"max_iters": STEPS, "snapshot_iter": HALF, "clip_norm": 10.0}
        train(env, distillation(output, **settings))
    return found


def test_losses_agree(runs: dict[Path, Path]) -> None:
    one, another = runs.values()
    assert_same_losses(one, another)
    ends = [read_checkpoint(folder / "checkpoints" / f"{STEPS:06d}") for folder in (one, another)]
    assert ends[0].weights.keys() == ends[1].weights.keys()
    assert ends[0].optimizer.keys() == ends[1].optimizer.keys()
    for name, array in ends[0].weights.items():
        bound = AGREE * max(1.0, float(np.abs(array).max()))
        np.testing.assert_allclose(ends[1].weights[name], array, rtol=0, atol=bound, err_msg=name)


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_checkpoint_resumes_in_the_other_with_a_warning(
    ours_first: bool, runs: dict[Path, Path], tmp_path: Path
) -> None:
    envs = list(runs) if ours_first else list(runs)[::-1]
    before, now = (paddle_of(env) for env in envs)
    folder = tmp_path / "run"
    shutil.copytree(runs[envs[0]], folder)
    shutil.rmtree(folder / "checkpoints" / f"{STEPS:06d}")
    (folder / "checkpoints" / "latest").write_text(f"{HALF:06d}\n")
    plain = yaml.safe_load(runs[envs[0]].with_suffix(".yaml").read_text())
    plain["train"]["output"] = str(folder)
    said = train(envs[1], plain, "--resume", "auto")
    (line,) = [line for line in said.splitlines() if "versions.paddle" in line]
    assert line.startswith("warning: since ")
    assert f"versions.paddle: {before} -> {now}: " in line and "roundings differ" in line
    assert f"at iteration {HALF}" in said
    assert_same_losses(runs[envs[0]], folder)
