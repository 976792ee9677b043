"""What a run came to, as a table for people and as json for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


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
        parameters: numbers of trained parameters (without moving statistics).
        megabytes: of parameters and statistics as stored, 10^6 bytes.
        seconds: this process spent on steps, evaluations and checkpoints.
        images_per_second: of the steps.
        data_wait: share of the steps' time spent waiting for data.
        stopped: the signal that ended the run early, or None.
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

    def document(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """(what, value) lines of the final table."""
        rows = [("program", self.program), ("iterations", str(self.iterations))]
        if self.value is not None:
            rows.append((self.metric, f"{self.value:.4f}"))
        if self.best is not None and self.best_iteration != self.iterations:
            rows.append((f"best {self.metric}", f"{self.best:.4f} at {self.best_iteration}"))
        if self.teacher_value is not None:
            rows.append((f"teacher's {self.metric}", f"{self.teacher_value:.4f}"))
        return [
            *rows,
            ("parameters", f"{self.parameters:,}"),
            ("size", f"{self.megabytes:.2f} MB"),
            ("time", f"{self.seconds:.1f} s"),
            (
                "speed",
                f"{self.images_per_second:.1f} images/s, {self.data_wait:.1%} waiting for data",
            ),
            ("folder", self.output),
        ]
