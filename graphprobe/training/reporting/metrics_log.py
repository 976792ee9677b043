"""What a run writes for programs to read: a json line a step, one an evaluation, and both as
VisualDL curves."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphprobe.errors import TrainError
from graphprobe.files import write_whole
from graphprobe.training.reporting.visualdl_log import ScalarLog

EVALUATIONS = "evaluations.jsonl"
CURVES = "visualdl/vdlrecords.0.log"


class MetricsLog:
    """The files of a run; each line is with the system as soon as it is written.

    Args:
        path: of the json lines of steps; those of evaluations and the curves go beside it.
        start: the iteration that the run goes on from; what lies behind it is dropped.

    Raises:
        TrainError: they cannot be written, here or later.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        with self._writing():
            for lines in (path, path.with_name(EVALUATIONS)):
                keep_lines(lines, start)
            self._lines = path.open("a", encoding="utf-8", buffering=1)
            self._values = path.with_name(EVALUATIONS).open("a", encoding="utf-8", buffering=1)
            self._curves = ScalarLog(path.parent / CURVES, start)

    def step(self, line: Mapping[str, Any]) -> None:
        """Write the line of a step, with its losses and rate as curves."""
        curves = {k: v for k, v in line.items() if k.startswith("loss/")}
        curves["learning_rate"] = line["lr"]
        if line["seconds"]:
            curves["images_per_second"] = line["images"] / line["seconds"]
        with self._writing():
            self._lines.write(json.dumps(line) + "\n")
            self._curves.add(line["iter"], curves)

    def metric(self, iteration: int, name: str, value: float) -> None:
        """Add a point to the curve of a metric."""
        with self._writing():
            line = {"iter": iteration, "metric": name, "value": value}
            self._values.write(json.dumps(line) + "\n")
            self._curves.add(iteration, {f"metric/{name}": value})

    def close(self) -> None:
        """Close them; nothing is left to write."""
        for lines in (self._lines, self._values):
            with contextlib.suppress(OSError):  # the rest of a line that a full disk refused
                lines.close()
        self._curves.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainError(
                f"cannot be written ({error.strerror or error})",
                where=str(self._path),
                hint="free some space, then go on with resume='auto'",
            ) from error


def keep_lines(path: Path, iteration: int) -> None:
    """Drop from a log what lies behind `iteration`, so that a resumed run has each step once."""
    if not path.exists():
        return
    kept = [
        line for line in path.read_text(encoding="utf-8").splitlines() if _upto(line, iteration)
    ]
    write_whole(path, "".join(f"{line}\n" for line in kept))


def _upto(line: str, iteration: int) -> bool:
    try:
        number = json.loads(line)["iter"]
    except (ValueError, KeyError, TypeError):
        return False  # the last line of a killed run may be cut
    return isinstance(number, int) and number <= iteration
