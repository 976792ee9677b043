"""What the folder of a run holds: its figures and curves. No weights and no Paddle are read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graphprobe.errors import GraphprobeError

# Points of a curve; longer ones are averaged.
MOST_POINTS = 300


@dataclass(frozen=True, slots=True, repr=False)
class RunInfo:
    """What a run's folder records of it; None where it does not.

    Args:
        path: of the folder.
        kind: ``alone``, ``distilled``, ``pruned`` or ``pruned, distilled``.
        state: ``running``, ``done``, ``stopped`` (by a signal) or ``broken off``.
        iterations: steps that are done.
        total: steps that it was to have.
        metric: its name as people call it; empty where nothing was evaluated.
        value: of the metric, at the last evaluation.
        best: the highest value.
        best_iteration: where that was.
        teacher: the metric of the teacher.
        flops: multiply-adds for one image of the run's size.
        parameters: elements of the trained parameters.
        megabytes: of parameters and statistics as stored (2**20 bytes).
        latency_ms: median milliseconds for one image, where a pruning measured it.
        seconds: that the run took.
        program: what was trained.
        data: what the metric was measured on.
        started: when the run began, as ``2026-01-31 17:05``.
    """

    path: Path
    kind: str
    state: str
    iterations: int
    total: int | None = None
    metric: str = ""
    value: float | None = None
    best: float | None = None
    best_iteration: int | None = None
    teacher: float | None = None
    flops: int | None = None
    parameters: int | None = None
    megabytes: float | None = None
    latency_ms: float | None = None
    seconds: float | None = None
    program: str = ""
    data: str = ""
    started: str = ""

    def __repr__(self) -> str:
        measured = "" if self.value is None else f", {self.metric} {self.value:.4g}"
        return f"<RunInfo {str(self.path)!r}: {self.kind}, {self.state}{measured}>"

    def _repr_html_(self) -> str:
        from graphprobe.tables import html_facts

        return html_facts(str(self.path), {k: v for k, v in self.to_dict().items() if v != ""})

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "path": str(self.path)}


def read_run_info(folder: Path) -> RunInfo:
    """What a run's folder records of it; nothing of Paddle and no weights are read."""
    from graphprobe.training.run_record import read_run
    from graphprobe.training.weights.checkpoint import checkpoint_folders, read_state
    from graphprobe.training.weights.run_lock import is_owned

    result = _json(folder / "result.json")
    checkpoints = checkpoint_folders(folder / "checkpoints")
    state: dict[str, Any] = {}
    config: dict[str, Any] = {}
    try:
        config = read_run(folder)
        state = read_state(checkpoints[-1]) if checkpoints else {}
    except GraphprobeError:
        pass  # a damaged run is listed with what can be read of it
    iterations = max(_count(state.get("iteration")) or 0, _count(result.get("iterations")) or 0)
    total = _count(_section(config, "train").get("max_iters"))
    known = result if result.get("iterations") == iterations else {}
    # Earlier runs call the section `cut`.
    after = _section(_section(known, "pruning") or _section(known, "cut"), "after")
    return RunInfo(
        path=folder,
        kind=_kind(config),
        state=_state(is_owned(folder), known, iterations, total),
        iterations=iterations,
        total=total,
        metric=str(known.get("metric") or state.get("metric") or ""),
        value=_figure(known.get("value", state.get("metric_value"))),
        best=_figure(known.get("best", state.get("best"))),
        best_iteration=_count(known.get("best_iteration", state.get("best_iteration"))),
        teacher=_figure(result.get("teacher_value")),
        flops=_count(after.get("flops") or known.get("flops")),
        parameters=_count(known.get("parameters")),
        megabytes=_figure(known.get("megabytes")),
        latency_ms=_figure(after.get("latency_ms")),
        seconds=_figure(known.get("seconds")),
        program=str(_section(config, "student").get("program", "")),
        data=str(_section(_section(config, "train"), "data").get("val") or ""),
        started=_begun(folder),
    )


def _kind(config: dict[str, Any]) -> str:
    pruned = config.get("kind") == "prune" or bool(config.get("prune"))
    parts = ["pruned"] if pruned else []
    parts += ["distilled"] if config.get("kind") == "distill" else []
    return ", ".join(parts) or "alone"


def _state(owned: bool, result: dict[str, Any], iterations: int, total: int | None) -> str:
    if owned:
        return "running"
    if result.get("stopped"):
        return "stopped"
    return "done" if result and total is not None and iterations >= total else "broken off"


def _begun(folder: Path) -> str:
    from datetime import datetime

    seconds = (folder / "config.yaml").stat().st_mtime
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")


def evaluations_of(folder: Path) -> tuple[tuple[int, float], ...]:
    """(iteration, value) of each evaluation of a run."""
    return tuple(_points(folder / "evaluations.jsonl", "value"))


def losses_of(folder: Path) -> tuple[tuple[int, float], ...]:
    """(iteration, total loss) of a run, averaged where there are many."""
    points = list(_points(folder / "metrics.jsonl", "loss/total"))
    many = -(-len(points) // MOST_POINTS) or 1
    parts = (points[i : i + many] for i in range(0, len(points), many))
    return tuple((part[-1][0], sum(y for _, y in part) / len(part)) for part in parts)


def _points(path: Path, name: str) -> Iterator[tuple[int, float]]:
    """(iteration, value) of each line that has both; NaN and infinite values are left out."""
    for line in _lines(path):
        iteration, value = line.get("iter"), line.get(name)
        if isinstance(iteration, int) and isinstance(value, float) and math.isfinite(value):
            yield iteration, value


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of json lines; the last line of a run that goes on may be cut."""
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    found = json.loads(line)
                except ValueError:
                    continue
                if isinstance(found, dict):
                    yield found
    except OSError:
        return


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _section(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _figure(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
