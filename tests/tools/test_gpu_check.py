"""The tool that a user with a card runs, as far as it can be tried without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from graphprobe.api.doctor import Card, Diagnosis
from graphprobe.compat.installed import PaddleBuild
from tools import gpu_parts
from tools.gpu_check import block
from tools.gpu_parts import PLANS, Check, Failure, Part

TOOL = Path(__file__).resolve().parents[2] / "tools" / "gpu_check.py"
NAMES = ["train", "resume", "eval", "infer", "export", "two devices", "speed of a step"]


class Pretended(Check):
    """Commands are noted and answered; each step of a run has the loss of its number."""

    def __init__(self, *given: Any, **answers: Any) -> None:
        super().__init__(*given)
        self.commands: list[list[str]] = []
        self.answers: dict[str, Any] = {"scale": lambda output: 1.0, "fails": "", **answers}

    def _run(self, command: Sequence[str]) -> str:
        words = list(command)
        self.commands.append(words)
        if self.answers["fails"] and self.answers["fails"] in words:
            raise Failure("ends with status 2: error: no memory")
        if "train" in words:
            train = yaml.safe_load(Path(words[words.index("train") + 1]).read_text())["train"]
            self._pretend_run(Path(train["output"]), train["max_iters"])
        if "infer" in words or "export" in words:
            folder = Path(words[words.index("--output") + 1])
            folder.mkdir()
            for name in ("1.png", "2.png", "model.pdmodel"):
                (folder / name).touch()
        return json.dumps({"metric": "mAP", "value": 0.5})

    def _pretend_run(self, output: Path, steps: int) -> None:
        scale = self.answers["scale"](output)
        for iteration in (steps // 2, steps):
            (output / "checkpoints" / f"{iteration:06d}").mkdir(parents=True, exist_ok=True)
        lines = [
            {"iter": n, "loss/total": scale * n, "seconds": 0.1 * n, "data_wait": 0.01 * n}
            for n in range(1, steps + 1)
        ]
        (output / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        (output / "result.json").write_text(json.dumps({"value": 0.5}))


def tried(folder: Path, cards: int = 2, **answers: Any) -> tuple[dict[str, Part], Pretended]:
    check = Pretended(PLANS["gpu"], folder, cards, **answers)
    parts = list(check.parts())
    assert [part.name for part in parts] == NAMES
    return {part.name: part for part in parts}, check


def test_all_parts_on_two_cards(tmp_path: Path) -> None:
    parts, check = tried(tmp_path)
    assert all(part.passed for part in parts.values()), parts
    assert "the first 0.0e+00 from that of the CPU" in parts["train"].note
    assert "losses from step 201 on 0.0e+00" in parts["resume"].note
    # steps 31 to 60 of the timed run: median 45.5
    assert parts["speed of a step"].note.startswith("4550.0 ms, 1.8 images/s, 10% of it")
    (launched,) = [words for words in check.commands if "paddle.distributed.launch" in words]
    assert launched[3:5] == ["--gpus", "0,1"]
    two = yaml.safe_load((tmp_path / "two.yaml").read_text())["train"]
    whole = yaml.safe_load((tmp_path / "whole.yaml").read_text())["train"]
    assert two["sync_bn"] is True and 2 * two["batch_size"] == whole["batch_size"]
    devices = [words[words.index("--device") + 1] for words in check.commands]
    assert devices.count("cpu") == 1 and devices.count("gpu") == len(devices) - 1


def test_one_card_leaves_two_devices_out(tmp_path: Path) -> None:
    parts, check = tried(tmp_path, cards=1)
    assert parts.pop("two devices").passed is None
    assert all(part.passed for part in parts.values())
    assert not any("paddle.distributed.launch" in words for words in check.commands)


@pytest.mark.parametrize(
    ("folder", "part"), [("cpu", "train"), ("parts", "resume"), ("two", "two devices")]
)
def test_losses_that_differ_fail_their_part(folder: str, part: str, tmp_path: Path) -> None:
    def scale(output: Path) -> float:
        return 1.1 if output.name == folder else 1.0

    parts, _ = tried(tmp_path, scale=scale)
    assert "1.0e-01" in parts[part].note
    assert [name for name in NAMES if not parts[name].passed] == [part]


def test_a_command_that_fails_is_told_and_the_rest_is_tried(tmp_path: Path) -> None:
    parts, _ = tried(tmp_path, fails="eval")
    assert parts["eval"] == Part("eval", False, "ends with status 2: error: no memory")
    assert sum(part.passed is True for part in parts.values()) == len(NAMES) - 1


def test_nothing_after_a_failed_training_ends_in_a_traceback(tmp_path: Path) -> None:
    parts, _ = tried(tmp_path, fails="train")
    assert {name for name in NAMES if parts[name].passed} == {"infer", "export"}
    assert parts["resume"].note.startswith("No such file or directory: ")


def test_what_a_command_said_last_is_the_failure(tmp_path: Path) -> None:
    code = "import sys; sys.exit('a warning\\nerror: out of memory')"
    with pytest.raises(Failure, match=r"^ends with status 1: error: out of memory$"):
        Check(PLANS["gpu"], tmp_path, 1)._run([sys.executable, "-c", code])


def test_lists_of_losses_must_be_as_long() -> None:
    assert gpu_parts.difference([1.0, 2.0], [1.0, 2.2]) == pytest.approx(0.1)
    for ones, others in (([1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(Failure, match="losses beside"):
            gpu_parts.difference(ones, others)


def test_the_block_names_versions_card_and_parts() -> None:
    versions = {"graphprobe": "1", "python": "3.12", "numpy": "2.5", "platform": "Linux"}
    build = PaddleBuild(("paddlepaddle-gpu 3.3.1",), "3.3.1", "12.6", ("9.0",))
    card = Card("NVIDIA Made Up", "9.0", "550.54", True)
    found = Diagnosis(dict(versions), build, (card,), 8, 4, ())
    parts = [Part("train", True, "60 steps"), Part("eval", False, "no"), Part("x", None, "y")]
    assert block(PLANS["gpu"], found, parts).splitlines() == [
        "```text",
        "gpu_check --device gpu: graphprobe 1, Paddle 3.3.1 with CUDA 12.6, Python 3.12, numpy 2.5",
        "Linux, 8 cores, 4 threads",
        "NVIDIA Made Up, capability 9.0, driver 550.54",
        "train  passed     60 steps",
        "eval   FAILED     no",
        "x      not tried  y",
        "```",
    ]


def run_tool(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, TOOL, *words], env=environment, capture_output=True, text=True
    )


@pytest.mark.paddle
def test_without_a_card_it_ends_in_one_line() -> None:
    done = run_tool(CUDA_VISIBLE_DEVICES="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: device='gpu': ")
    assert "or use device='cpu'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    done = run_tool("--keep", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.endswith(f"--keep {tmp_path}: exists; name a new folder\n")


@pytest.mark.paddle
def test_every_part_runs_on_a_cpu(tmp_path: Path) -> None:
    done = run_tool("--device", "cpu", "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "```text" and lines[-1] == "```"
    assert lines[1].startswith("gpu_check --device cpu: graphprobe ")
    shown = {line[:15].rstrip(): line[17:].split()[0] for line in lines[-8:-1]}
    assert shown == dict.fromkeys(NAMES, "passed")
    assert (tmp_path / "kept" / "two" / "result.json").exists()
