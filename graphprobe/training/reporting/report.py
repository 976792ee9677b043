"""How a run goes: a bar or lines for people, logs for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from graphprobe.training.reporting.metrics_log import MetricsLog
from graphprobe.training.reporting.progress import Log, ProgressBar, duration_text, no_log


@dataclass(frozen=True, slots=True)
class Step:
    """What one training step came to.

    Args:
        iteration: its number; the first is 1.
        rate: its learning rate.
        losses: ``total``, ``task`` and each pair's weighted term, by name; ``TERM/PART``, the
            parts of a term, are for the log alone.
        images: images in its batch.
        seconds: from one step's end to the next one's.
        waited: seconds of these spent waiting for data.
        weights: of terms, where this step measured them anew.
    """

    iteration: int
    rate: float
    losses: Mapping[str, float]
    images: int
    seconds: float
    waited: float
    weights: Mapping[str, float] = field(default_factory=dict)


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
        path: the file of json lines; None where another process writes for all.
        total: the last iteration of the run.
        start: the iteration that it goes on from.
        log_iter: iterations between lines for people.
        log: takes these lines.
        bar: shows each step instead of the lines.
        per_epoch: iterations that see the training data once; 0: not known.
    """

    def __init__(
        self,
        path: Path | None,
        total: int,
        start: int,
        log_iter: int,
        log: Log = no_log,
        bar: ProgressBar | None = None,
        per_epoch: float = 0.0,
    ) -> None:
        self._path, self._total, self._start, self._every = path, total, start, log_iter
        self.log, self._bar, self._per_epoch = log, bar, per_epoch
        self._metrics: MetricsLog | None = None
        self._pace, self._whole = Pace(), Pace()

    def __enter__(self) -> Reporter:
        if self._path is not None:
            self._metrics = MetricsLog(self._path, self._start)
        if self._bar is not None:
            self._bar.start(self._total, self._start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._metrics is not None:
            self._metrics.close()

    def step(self, step: Step) -> None:
        """Take in one finished step."""
        self._pace.add(step)
        self._whole.add(step)
        if self._metrics is None:
            return
        line = {
            "iter": step.iteration,
            "lr": step.rate,
            **{f"loss/{name}": value for name, value in step.losses.items()},
            **{f"weight/{name}": value for name, value in step.weights.items()},
            "images": step.images,
            "seconds": round(step.seconds, 6),
            "data_wait": round(step.waited, 6),
        }
        self._metrics.step(line)
        self._show(step, due=step.iteration % self._every == 0 or step.iteration == self._total)

    def metric(self, iteration: int, name: str, value: float) -> None:
        """Take in what an evaluation measured."""
        self.log(f"iter {iteration}: {name} {value:.4f}")
        if self._metrics is not None:
            self._metrics.metric(iteration, name, value)

    def _show(self, step: Step, due: bool) -> None:
        text = f"{self._epoch(step.iteration)}lr {step.rate:.3g}  {self._pace.describe()}"
        if self._bar is not None:
            self._bar.update(step.iteration, text)
        elif due:
            left = (self._total - step.iteration) * self._pace.seconds / self._pace.steps
            self.log(f"iter {step.iteration}/{self._total}  eta {duration_text(left)}  {text}")
        if due:
            self._pace = Pace()

    def _epoch(self, iteration: int) -> str:
        return f"epoch {iteration / self._per_epoch:.2f}  " if self._per_epoch else ""

    @property
    def images_per_second(self) -> float:
        """Over the whole run, waiting included, evaluation and saving not."""
        return self._whole.images / max(self._whole.seconds, 1e-9)

    @property
    def wait_share(self) -> float:
        """The share of the steps' time spent waiting for data."""
        return self._whole.waited / max(self._whole.seconds, 1e-9)
