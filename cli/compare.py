"""graphprobe compare: runs beside each other, as a table and as curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from graphprobe.api.run_info import RunInfo
from graphprobe.api.runs import RunComparison, compare_runs
from graphprobe.ops.work.count import size_text

from ._output import FORMAT, Format, can_be_written, deliver, log, terminal_width, warn

_IMAGE_SUFFIXES = (".svg", ".png", ".pdf")
_LABEL, _LEAST = 16, 14


def command(
    runs: list[Path] = typer.Argument(..., metavar="RUN RUN ...", help="Folders of runs."),
    form: Format = FORMAT,
    output: Path = typer.Option(
        None,
        "--output",
        "-o",
        callback=can_be_written,
        help=".svg, .png or .pdf: curves of metric and loss; .json, .csv or .txt: the table.",
    ),
) -> None:
    """Set runs side by side, as a table and as curves.

    Example: graphprobe compare runs/alone runs/distilled -o curves.svg
    """
    found = compare_runs(runs)
    as_image = output is not None and output.suffix.lower() in _IMAGE_SUFFIXES
    deliver(
        found,
        lambda: _lines(found, terminal_width()),
        form=form,
        output=None if as_image else output,
        others=_IMAGE_SUFFIXES,
    )
    warn(found.warnings)
    if as_image and output is not None:
        found.save(output)
        log(f"wrote {output}")


def _lines(found: RunComparison, width: int) -> Iterator[str]:
    """A column a run; blocks of as many as fit."""
    fit = max(1, (width - _LABEL) // (_LEAST + 1))
    for start in range(0, len(found.runs), fit):
        runs = found.runs[start : start + fit]
        room = (width - _LABEL) // len(runs) - 1
        if start:
            yield ""
        for label, text in _FIGURES:
            cells = [text(run) for run in runs]
            if any(cells):
                parts = [_chunks(cell, room) for cell in cells]
                for line in range(max(map(len, parts))):
                    shown = [part[line] if line < len(part) else "" for part in parts]
                    head = label if line == 0 else ""
                    yield f"{head:{_LABEL}}{' '.join(f'{c:>{room}}' for c in shown)}".rstrip()


def _chunks(text: str, room: int) -> list[str]:
    """A text as lines of at most `room` characters, the last ones full."""
    first = len(text) % room or room
    return [text[:first], *(text[i : i + room] for i in range(first, len(text), room))]


def _number(text: Callable[[float], str], name: str) -> Callable[[RunInfo], str]:
    def cell(run: RunInfo) -> str:
        value = getattr(run, name)
        return "" if value is None else text(value)

    return cell


def _work(value: float) -> str:
    from graphprobe.ops.work.count import work_text

    return work_text(int(value))


def _time(value: float) -> str:
    from graphprobe.training.reporting.progress import duration_text

    return duration_text(value)


_FIGURES: tuple[tuple[str, Callable[[RunInfo], str]], ...] = (
    ("run", lambda run: str(run.path)),
    ("kind", lambda run: run.kind),
    ("state", lambda run: run.state),
    ("iterations", lambda run: f"{run.iterations:,}"),
    ("metric", lambda run: run.metric),
    ("best", _number(lambda v: f"{v:.4f}", "best")),
    ("at the end", _number(lambda v: f"{v:.4f}", "value")),
    ("teacher", _number(lambda v: f"{v:.4f}", "teacher")),
    ("multiply-adds", _number(_work, "flops")),
    ("parameters", _number(lambda v: f"{int(v):,}", "parameters")),
    ("size", _number(size_text, "megabytes")),
    ("latency", _number(lambda v: f"{v:.2f} ms", "latency_ms")),
    ("time", _number(_time, "seconds")),
)
