"""The parts of gpu_check.py: each runs commands of graphprobe and says what they showed."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HEADS = (
    ("conv2d_20.tmp_1", "conv2d_6.tmp_1"),
    ("conv2d_28.tmp_1", "conv2d_14.tmp_1"),
    ("conv2d_36.tmp_1", "conv2d_22.tmp_1"),
)
# How far the first loss on a card may be from that on a CPU, and that of two cards from that of
# one: the teacher computes in half precision on a card, and convolutions may round to TF32.
FIRST_LOSS = 0.02
# Losses after a resume against those of the run that was not stopped: how many steps are compared,
# and how far they may be apart. On a card sums of atomic additions differ from run to run.
AFTER_RESUME = 3
RESUMED = {"gpu": 0.02, "cpu": 0.0}
METRIC = 0.01
COUNTED = 0.5  # of the steps, the later ones, are counted in the speed


@dataclass(frozen=True)
class Size:
    """How large a run is.

    Args:
        scale: width of both networks.
        pixels: height and width of the pictures.
        batch: images a step; an even number, for two devices share it.
        steps: of the run; an even number, for it is resumed from its middle.
    """

    scale: float
    pixels: int
    batch: int
    steps: int


@dataclass(frozen=True)
class Plan:
    """What is run.

    Args:
        device: ``gpu`` or ``cpu``.
        learn: a run that learns something.
        timed: one whose steps are timed; None where those of the other are.
    """

    device: str
    learn: Size
    timed: Size | None


PLANS = {
    "gpu": Plan("gpu", Size(0.25, 64, 16, 400), Size(1.0, 320, 8, 60)),
    "cpu": Plan("cpu", Size(0.05, 32, 4, 4), None),
}


@dataclass(frozen=True)
class Part:
    """What one part showed; `passed` is None where it could not be tried here."""

    name: str
    passed: bool | None
    note: str


class Failure(Exception):
    """A part that did not pass, and why, in one line."""


class Check:
    """The parts, in order; later ones read what the first left in the folder.

    Args:
        plan: what is run.
        folder: for configs, runs and logs.
        cards: how many there are.
    """

    def __init__(self, plan: Plan, folder: Path, cards: int) -> None:
        self.plan, self.folder, self.cards = plan, folder, cards
        self.whole = folder / "whole"

    def parts(self) -> Iterator[Part]:
        """Run all of them; one that fails does not keep the others from being tried."""
        tries: tuple[tuple[str, Callable[[], str]], ...] = (
            ("train", self.train),
            ("resume", self.resume),
            ("eval", self.evaluate),
            ("infer", self.infer),
            ("export", self.export),
            ("two devices", self.two_devices),
            ("speed of a step", self.speed),
        )
        for name, attempt in tries:
            if name == "two devices" and self.plan.device == "gpu" and self.cards < 2:
                yield Part(name, None, "needs two cards")
                continue
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                yield Part(name, True, attempt())
            except Failure as failure:
                yield Part(name, False, str(failure))
            except OSError as error:  # what the first part should have left
                yield Part(name, False, f"{error.strerror}: {error.filename}")

    def train(self) -> str:
        """A distillation, and its first loss beside that of a CPU."""
        self._train(self.whole, self.plan.learn)
        losses = losses_of(self.whole)
        said = f"{len(losses)} steps, losses {losses[0]:.6g} to {losses[-1]:.6g}"
        if self.plan.device == "cpu":
            return said
        self._train(self.folder / "cpu", self.plan.learn, device="cpu", max_iters=2)
        apart = difference(losses[:1], losses_of(self.folder / "cpu")[:1])
        demand(apart <= FIRST_LOSS, f"the first loss is {apart:.1e} from that of the CPU")
        return f"{said}, the first {apart:.1e} from that of the CPU"

    def resume(self) -> str:
        """The run from the checkpoint in its middle, once more."""
        parts, half = self.folder / "parts", self.plan.learn.steps // 2
        shutil.copytree(self.whole, parts)
        shutil.rmtree(parts / "checkpoints" / f"{self.plan.learn.steps:06d}")
        self._train(parts, self.plan.learn, "--resume", "auto")
        later = slice(half, half + AFTER_RESUME)
        apart = difference(losses_of(self.whole)[later], losses_of(parts)[later])
        allowed = RESUMED[self.plan.device]
        demand(apart <= allowed, f"losses after a resume are {apart:.1e} apart, not {allowed}")
        return f"losses from step {half + 1} on {apart:.1e} from those of the whole run"

    def evaluate(self) -> str:
        """The metric that the run measured at its end, once more from its checkpoint."""
        found = json.loads(self._graphprobe("eval", str(self.whole), "--format", "json"))
        at_end = json.loads((self.whole / "result.json").read_text())["value"]
        apart = abs(found["value"] - at_end)
        demand(apart <= METRIC, f"{found['value']}, and {at_end} at the end of the run")
        return f"{found['metric']} {found['value']:.4f}, {apart:.1e} from that of the run"

    def infer(self) -> str:
        """The trained network on two images of the set that it was evaluated on."""
        output = self.folder / "found"
        self._graphprobe("infer", str(self.whole), "--samples", "2", "--output", str(output))
        return f"{len(list(output.rglob('*.png')))} pictures"

    def export(self) -> str:
        """An inference program of the trained network."""
        output = self.folder / "small"
        self._graphprobe("export", str(self.whole), "--output", str(output))
        return ", ".join(sorted(path.name for path in output.glob("model.*")))

    def two_devices(self) -> str:
        """Two processes, each with half of the batch, beside one with all of it."""
        size, on_cards = self.plan.learn, self.plan.device == "gpu"
        # Paddle has norms over all devices for cards alone.
        shared = {"batch_size": size.batch // 2, "sync_bn": on_cards}
        output = self.folder / "two"
        where = ["--gpus", "0,1"] if on_cards else ["--nproc_per_node", "2"]
        launcher = [sys.executable, "-m", "paddle.distributed.launch", *where]
        logs = ["--log_dir", str(self.folder / "logs")]
        self._run([*launcher, *logs, *self._words(output, size, **shared)])
        losses = losses_of(output)
        text = f"{len(losses)} steps of two processes"
        if not on_cards:
            return text
        apart = difference(losses_of(self.whole)[:1], losses[:1])
        demand(apart <= FIRST_LOSS, f"the first loss is {apart:.1e} from that of one card")
        return f"{text} with sync_bn, the first loss {apart:.1e} from that of one card"

    def speed(self) -> str:
        """The median of the later steps."""
        size, output = self.plan.learn, self.whole
        if self.plan.timed is not None:
            size, output = self.plan.timed, self.folder / "timed"
            self._train(output, size)
        lines = lines_of(output)
        counted = lines[round(len(lines) * (1 - COUNTED)) :]
        seconds = statistics.median(line["seconds"] for line in counted)
        waited = sum(line["data_wait"] for line in counted)
        share = waited / max(sum(line["seconds"] for line in counted), 1e-9)
        return (
            f"{seconds * 1000:.1f} ms, {size.batch / seconds:.1f} images/s, {share:.0%} of it "
            f"waiting for data (width {size.scale}, {size.pixels} pixels, batch {size.batch})"
        )

    def _train(
        self, output: Path, size: Size, *words: str, device: str | None = None, **train: Any
    ) -> None:
        self._run(self._words(output, size, *words, device=device, **train))

    def _words(
        self, output: Path, size: Size, *words: str, device: str | None = None, **train: Any
    ) -> list[str]:
        path = self.folder / f"{output.name}.yaml"
        path.write_text(yaml.safe_dump(config_of(size, output, **train)))
        return [program(), "train", str(path), "--device", device or self.plan.device, *words]

    def _graphprobe(self, *words: str) -> str:
        return self._run([program(), *words, "--device", self.plan.device])

    def _run(self, command: Sequence[str]) -> str:
        """What a command writes to standard output.

        Raises:
            Failure: it ends with another status than 0; with the last line that it said.
        """
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing said").splitlines()[-1]
            raise Failure(f"ends with status {done.returncode}: {said}")
        return done.stdout


def config_of(size: Size, output: Path, **train: Any) -> dict[str, Any]:
    """A distillation on digits, as plain data; keywords go into its section train."""
    model = f"?num_classes=3&scale={size.scale}"
    pairs = [{"student": s, "teacher": t, "loss": "l2", "weight": 0.1} for s, t in HEADS]
    settings = {
        "data": {
            "train": f"digits?count={4 * size.batch}&size={size.pixels}&classes=3",
            "val": f"digits?split=val&count=8&size={size.pixels}&classes=3",
        },
        "augment": {"expand": False, "crop": False},
        "image_size": size.pixels,
        "batch_size": size.batch,
        "max_iters": size.steps,
        "learning_rate": {"base": 1e-3, "warmup_steps": 2, "milestones": []},
        "snapshot_iter": size.steps // 2,
        "log_iter": size.steps,
        "clip_norm": 35.0,
        "output": str(output),
        **train,
    }
    return {
        "version": 1,
        "kind": "distill",
        "student": {"program": f"zoo:yolov3_mobilenet_v1{model}"},
        "teacher": {"program": f"zoo:yolov3_r34{model}"},
        "pairs": pairs,
        "train": settings,
    }


def program() -> str:
    """The command graphprobe of this environment."""
    return str(Path(sys.executable).with_name("graphprobe"))


def lines_of(output: Path) -> list[dict[str, Any]]:
    """What a run logged, step by step."""
    text = (output / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def losses_of(output: Path) -> list[float]:
    """The loss of each step of a run."""
    return [line["loss/total"] for line in lines_of(output)]


def difference(ones: Sequence[float], others: Sequence[float]) -> float:
    """The largest relative difference of two lists."""
    demand(len(ones) == len(others) > 0, f"{len(ones)} losses beside {len(others)}")
    return max(abs(a - b) / max(abs(a), 1e-9) for a, b in zip(ones, others, strict=True))


def demand(holds: bool, otherwise: str) -> None:
    """Let a part fail where it does not show what it should."""
    if not holds:
        raise Failure(otherwise)
