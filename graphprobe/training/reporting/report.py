"""Tell how a run goes: a progress bar on terminals, plain lines elsewhere, logs for machines."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from graphprobe.training.reporting.metrics_log import MetricsLog


@dataclass(frozen=True, slots=True)
class Step:
    """What one training step came to.

    Args:
        iteration: its number; the first is 1.
        rate: its learning rate.
        losses: ``total``, ``task`` and each pair's weighted term, by name; ``TERM/PART``, the
            parts of a term, are for the log alone.
        images: pictures in its batch.
        seconds: from one step's end to the next one's.
        waited: seconds of these spent waiting for data.
    """

    iteration: int
    rate: float
    losses: Mapping[str, float]
    images: int
    seconds: float
    waited: float


@dataclass
class Pace:
    """Running means over the steps since the last `reset`."""

    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    steps: int = 0

    def add(self, step: Step) -> None:
        """Take one step in."""
        self.images += step.images
        self.seconds += step.seconds
        self.waited += step.waited
        self.steps += 1
        for name, value in step.losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def describe(self) -> str:
        """Mean losses, images a second and the share of time spent waiting for data."""
        means = "  ".join(
            f"{name} {total / self.steps:.4g}"
            for name, total in self.sums.items()
            if "/" not in name
        )
        seconds = max(self.seconds, 1e-9)
        return f"{means}  {self.images / seconds:.1f} img/s  data {self.waited / seconds:.1%}"


class Reporter:
    """Shows steps to people and writes each into the logs of the run's folder.

    Args:
        log: the file of json lines; None where another process speaks for all.
        total: the last iteration of the run.
        start: the iteration that it goes on from.
        log_iter: iterations between lines for people.
    """

    def __init__(self, log: Path | None, total: int, start: int, log_iter: int) -> None:
        self._path, self._total, self._start, self._every = log, total, start, log_iter
        self._log: MetricsLog | None = None
        self._pace, self._whole = Pace(), Pace()
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> Reporter:
        if self._path is not None:
            self._log = MetricsLog(self._path, self._start)
            if sys.stderr.isatty():
                self._open_bar()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._log is not None:
            self._log.close()

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            BarColumn(20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=False)
        self._task = self._progress.add_task("", total=self._total, completed=self._start)
        self._progress.start()

    def step(self, step: Step) -> None:
        """Take in one finished step."""
        self._pace.add(step)
        self._whole.add(step)
        if self._log is None:
            return
        line = {
            "iter": step.iteration,
            "lr": step.rate,
            **{f"loss/{name}": value for name, value in step.losses.items()},
            "images": step.images,
            "seconds": round(step.seconds, 6),
            "data_wait": round(step.waited, 6),
        }
        self._log.step(line)
        self._show(step, due=step.iteration % self._every == 0 or step.iteration == self._total)

    def metric(self, iteration: int, name: str, value: float) -> None:
        """Take in what an evaluation measured."""
        self.say(f"iter {iteration}: {name} {value:.4f}")
        if self._log is not None:
            self._log.metric(iteration, name, value)

    def _show(self, step: Step, due: bool) -> None:
        text = f"lr {step.rate:.3g}  {self._pace.describe()}"
        if self._progress is not None:
            self._progress.update(self._task, completed=step.iteration, description=text)
        elif due:
            left = (self._total - step.iteration) * self._pace.seconds / self._pace.steps
            eta = time.strftime("%H:%M:%S", time.gmtime(left))
            self.say(f"iter {step.iteration}/{self._total}  eta {eta}  {text}")
        if due:
            self._pace = Pace()

    def say(self, message: str) -> None:
        """One line for people, on standard error, above the bar where there is one."""
        if self._progress is not None:
            self._progress.console.print(message, markup=False, highlight=False)
        elif self._path is not None:
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    @property
    def images_per_second(self) -> float:
        """Over the whole run, waiting included, evaluation and saving not."""
        return self._whole.images / max(self._whole.seconds, 1e-9)

    @property
    def wait_share(self) -> float:
        """The share of the steps' time spent waiting for data."""
        return self._whole.waited / max(self._whole.seconds, 1e-9)
