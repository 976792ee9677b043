"""Runs as things: what is in a folder of them, and several beside each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.results import Result, Table, count_text
from graphprobe.api.run_info import RunInfo, evaluations_of, losses_of, read_run_info
from graphprobe.api.run_programs import is_run
from graphprobe.errors import GraphprobeError, UsageError

if TYPE_CHECKING:
    from graphprobe.drawing.pages.curves import CurveSheet

# How deep below the folder that is named a run is looked for.
DEPTH = 4

_HEAD = (
    *("run", "kind", "state", "iterations", "total", "metric", "value", "best", "teacher"),
    *("flops", "parameters", "megabytes", "latency_ms", "seconds", "program", "data", "started"),
)


@dataclass(frozen=True, repr=False)
class RunList(Result):
    """The runs below a folder, in the order of their names.

    Args:
        folder: where they were looked for.
        runs: what was found.
    """

    folder: Path
    runs: tuple[RunInfo, ...]

    def __iter__(self) -> Iterator[RunInfo]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def summary(self) -> str:
        """How many, and where."""
        return f"{count_text(len(self), 'run')} in {self.folder}"

    def to_dict(self) -> dict[str, Any]:
        """``folder`` and ``runs``."""
        return {"folder": str(self.folder), "runs": [run.to_dict() for run in self.runs]}

    def to_rows(self) -> Table:
        """A row a run."""
        return _HEAD, [_row(run) for run in self.runs]


@dataclass(frozen=True, repr=False)
class RunComparison(Result):
    """Several runs beside each other.

    Args:
        runs: in the order in which they were named.
        metrics: of each run: (iteration, value) of each evaluation.
        losses: of each run: (iteration, total loss), averaged where there are many.
    """

    runs: tuple[RunInfo, ...]
    metrics: tuple[tuple[tuple[int, float], ...], ...]
    losses: tuple[tuple[tuple[int, float], ...], ...]

    def __iter__(self) -> Iterator[RunInfo]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the figures may not be comparable."""
        found = []
        for what, values in (
            ("metrics", {run.metric for run in self.runs if run.metric}),
            ("data", {run.data for run in self.runs if run.data}),
        ):
            if len(values) > 1:
                found.append(f"the runs have different {what}: {'; '.join(sorted(values))}")
        return tuple(found)

    def summary(self) -> str:
        """Each run with its best value."""
        parts = (f"{run.path} {_value(run.best)}" for run in self.runs)
        return f"{count_text(len(self), 'run')}: {', '.join(parts)}"

    def to_dict(self) -> dict[str, Any]:
        """``runs`` with their curves, and ``warnings``."""
        runs = [
            {
                **run.to_dict(),
                "evaluations": list(map(list, metric)),
                "losses": list(map(list, loss)),
            }
            for run, metric, loss in zip(self.runs, self.metrics, self.losses, strict=True)
        ]
        return {"runs": runs, "warnings": list(self.warnings)}

    def to_rows(self) -> Table:
        """A row a run."""
        return _HEAD, [_row(run) for run in self.runs]

    def sheet(self) -> CurveSheet:
        """The curves as they are painted."""
        from graphprobe.drawing.pages.curves import Curve, CurveSheet, Panel

        names = tuple(f"{run.path} ({run.kind})" for run in self.runs)
        labels = " / ".join(dict.fromkeys(run.metric for run in self.runs if run.metric))
        panels = (
            (labels or "metric", self.metrics, False),
            ("total loss", self.losses, True),
        )
        made = []
        for title, curves, logarithmic in panels:
            drawn = tuple(Curve(n, c) for n, c in zip(names, curves, strict=True) if c)
            made.append(Panel(title, drawn, logarithmic))
        return CurveSheet("Runs compared", names, tuple(made))

    def render(self, format: str = "svg") -> bytes:
        """The curves of metric and loss as ``svg``, ``png`` or ``pdf``."""
        from graphprobe.drawing.pages.curves import render_curves
        from graphprobe.drawing.pages.single import KINDS

        if format not in KINDS:
            raise UsageError(f"must be one of {', '.join(KINDS)}", where=f"format={format!r}")
        return render_curves(self.sheet(), format)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the curves into a file whose suffix is the form, whole or not at all."""
        from graphprobe.files import write_whole

        target = Path(path)
        write_whole(target, self.render(target.suffix[1:].lower()))
        return target

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()


def list_runs(folder: str | os.PathLike[str] = "runs") -> RunList:
    """The runs below a folder with metric, size, multiply-adds, latency and state.

    Args:
        folder: it may be a run itself.

    Raises:
        GraphprobeError: there is no such folder.

    Example:
        >>> for run in graphprobe.list_runs("runs"):
        ...     print(run.path, run.state, run.best)
    """
    top = Path(folder)
    if not top.is_dir():
        hint = "name the folder that train.output of your configs lies in"
        raise GraphprobeError("no such folder", where=str(folder), hint=hint)
    return RunList(top, tuple(map(read_run_info, _folders(top, DEPTH))))


def compare_runs(runs: Iterable[str | os.PathLike[str]]) -> RunComparison:
    """Several runs beside each other, with their curves.

    Args:
        runs: folders of runs, at least two.

    Raises:
        UsageError: fewer than two are named.
        GraphprobeError: one of the folders holds no run.

    Example:
        >>> found = graphprobe.compare_runs(["runs/alone", "runs/distilled"])
        >>> found.save("curves.svg")
        PosixPath('curves.svg')
    """
    folders = [Path(run) for run in ([runs] if isinstance(runs, (str, os.PathLike)) else runs)]
    if len(folders) < 2:
        raise UsageError("takes two runs or more", where="compare")
    return read_runs(folders)


def read_runs(runs: Iterable[str | os.PathLike[str]]) -> RunComparison:
    """Any number of runs with their curves.

    Raises:
        GraphprobeError: one of the folders holds no run.
    """
    folders = [Path(run) for run in runs]
    for folder in folders:
        if not is_run(str(folder)):
            hint = "name the folder that a training wrote into"
            raise GraphprobeError("holds no run", where=str(folder), hint=hint)
    return RunComparison(
        tuple(map(read_run_info, folders)),
        tuple(map(evaluations_of, folders)),
        tuple(map(losses_of, folders)),
    )


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """The runs in a folder, not those inside of runs, by name with numbers in their order."""
    if is_run(str(folder)):
        yield folder
    elif depth:
        inside = (p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
        for each in sorted(inside, key=_natural):
            yield from _folders(each, depth - 1)


def _natural(path: Path) -> tuple[str, int, str]:
    stem, dash, number = path.name.rpartition("-")
    return (stem, int(number), "") if dash and number.isdecimal() else (path.name, 0, path.name)


def _value(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _row(run: RunInfo) -> Sequence[Any]:
    found = {**run.to_dict(), "run": str(run.path)}
    return tuple(found[name] for name in _HEAD)
