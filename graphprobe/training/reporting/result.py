"""What a run came to, as a table for people and as json for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graphprobe.config import TrainSection
from graphprobe.data.metrics.names import AGREEMENT, LABELS
from graphprobe.data.sample import Dataset
from graphprobe.data.splits import data_text
from graphprobe.ops.work.count import size_text, work_text


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs, and its metric.

    Args:
        flops: multiply-adds for one image of the run's size.
        parameters: elements of the trained parameters.
        megabytes: of parameters and statistics as stored (2**20 bytes).
        latency_ms: median milliseconds for one image, without decoding, on this machine.
        value: of the metric; None where it was not measured.
    """

    flops: int
    parameters: int
    megabytes: float
    latency_ms: float
    value: float | None


@dataclass(frozen=True, slots=True)
class PruningResult:
    """A network before its pruning and after it."""

    before: Cost
    after: Cost

    def rows(self, metric: str) -> list[tuple[str, str, str, str]]:
        """(what, before, after, change) lines."""
        a, b = self.before, self.after
        rows = [
            ("multiply-adds", work_text(a.flops), work_text(b.flops), _share(a.flops, b.flops)),
            ("parameters", f"{a.parameters:,}", f"{b.parameters:,}",
             _share(a.parameters, b.parameters)),
            ("size", size_text(a.megabytes), size_text(b.megabytes),
             _share(a.megabytes, b.megabytes)),
            ("latency", f"{a.latency_ms:.2f} ms", f"{b.latency_ms:.2f} ms",
             _share(a.latency_ms, b.latency_ms)),
        ]  # fmt: skip
        if b.value is not None:
            # What agrees with a teacher is measured against one that often is the whole network.
            unknown = "not measured" if metric.startswith(LABELS[AGREEMENT]) else "no weights"
            before = unknown if a.value is None else f"{a.value:.4f}"
            change = f"{b.value - a.value:+.4f}" if a.value is not None else ""
            rows.append((metric, before, f"{b.value:.4f}", change))
        return rows


@dataclass(frozen=True, slots=True)
class DataOfRun:
    """What a run is trained and measured on.

    Args:
        train: the line of the training data.
        train_samples: how many there are.
        val: the line of the validation data; None where nothing is measured.
        val_samples: how many there are.
        image_size: H and W of the network's input, in pixels.
    """

    train: str
    train_samples: int
    val: str | None
    val_samples: int
    image_size: int | tuple[int, int]

    def rows(self) -> list[tuple[str, str]]:
        """(what, text) lines of a table."""
        found = [("trained on", data_text(self.train, self.train_samples, self.image_size))]
        if self.val is not None:
            text = data_text(self.val, self.val_samples, self.image_size)
            found.append(("measured on", text))
        return found


def data_of_run(section: TrainSection, train: Dataset, val: Dataset | None) -> DataOfRun:
    """What a config trains and measures on, with the sets as they were opened."""
    names = section.data.train, section.data.val if val is not None else None
    counts = len(train), len(val) if val is not None else 0
    return DataOfRun(
        names[0], counts[0], names[1], counts[1], section.preparation.size or section.image_size
    )


def _share(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else ""


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one run.

    Args:
        output: folder of the run.
        program: what was trained.
        iterations: steps done.
        metric: name of what evaluation measures, or empty.
        value: of the last evaluation; best: the highest; best_iteration: where that was.
        teacher_value: the teacher's, measured before training.
        parameters: elements of the trained parameters (without moving statistics).
        megabytes: of parameters and statistics as stored (2**20 bytes).
        seconds: this process spent on steps, evaluations and checkpoints.
        images_per_second: of the steps.
        data_wait: share of the steps' time spent waiting for data.
        stopped: the signal that ended the run early, or None.
        data: what it was trained and measured on.
        flops: multiply-adds for one image of the run's size; None where some cannot be counted.
        pruning: the network before and after its pruning; None where it was not pruned, or the run
            was ended.
    """

    output: str
    program: str
    iterations: int
    metric: str
    value: float | None
    best: float | None
    best_iteration: int | None
    teacher_value: float | None
    parameters: int
    megabytes: float
    seconds: float
    images_per_second: float
    data_wait: float
    stopped: str | None = None
    pruning: PruningResult | None = None
    data: DataOfRun | None = None
    flops: int | None = None

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """(what, value) lines of the final table, without those that the table of a pruning has."""
        rows = [("program", self.program), ("iterations", str(self.iterations))]
        if self.value is not None and self.pruning is None:
            rows.append((self.metric, f"{self.value:.4f}"))
        if self.best is not None and self.best_iteration != self.iterations:
            rows.append((f"best {self.metric}", f"{self.best:.4f} at {self.best_iteration}"))
        if self.teacher_value is not None:
            rows.append((f"teacher's {self.metric}", f"{self.teacher_value:.4f}"))
        if self.pruning is None:
            if self.flops is not None:
                rows.append(("multiply-adds", work_text(self.flops)))
            rows.append(("parameters", f"{self.parameters:,}"))
            rows.append(("size", size_text(self.megabytes)))
        return [
            *rows,
            *([] if self.data is None else self.data.rows()),
            ("time", f"{self.seconds:.1f} s"),
            (
                "speed",
                f"{self.images_per_second:.1f} images/s, {self.data_wait:.1%} waiting for data",
            ),
            ("folder", self.output),
        ]
