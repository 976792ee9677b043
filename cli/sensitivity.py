"""graphprobe sensitivity: what pruning each group costs, measured."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import typer

from graphprobe.api.sensitivity import SensitivityResult, sensitivity
from graphprobe.errors import UsageError
from graphprobe.files import write_whole

from . import _sensitivity_table
from ._output import Format, can_be_written, deliver, log, own_prints_to_stderr
from ._preparation import CHANNELS, MEAN, SCALE, SIZE, STD, preparation_values, read_numbers
from ._train import DEVICE, Device

RECORD = Path("sensitivity.json")
_TEXTS = (".csv", ".txt")
_IMAGE_SUFFIXES = (".png", ".svg", ".pdf")


def command(
    program: str = typer.Argument(
        ...,
        metavar="PROGRAM",
        help="What can be trained: zoo:NAME, package.module:callable, an exported program; or a "
        "run.",
    ),
    weights: str | None = typer.Option(
        None,
        "--weights",
        help="Trained weights: a run's folder, a checkpoint, .npz, .pdiparams (default: those of "
        "PROGRAM where it is a run).",
    ),
    data: str = typer.Option(
        ..., "--data", help="What to measure on, as voc:PATH?split=val; not the final test set."
    ),
    policy: str = typer.Option(
        "seeds",
        "--policy",
        metavar="seeds|coupled",
        help="seeds: what stands alone; coupled: whole groups.",
    ),
    ratios: str = typer.Option(
        "0.1,0.3,0.5,0.7,0.9", "--ratios", help="Shares of the channels that go, one by one."
    ),
    samples: int = typer.Option(
        None, "--samples", min=1, help="Measure on so many images, spread evenly (default: all)."
    ),
    image: int = typer.Option(
        None, "--image", min=1, help="H and W of the input (default: the program's, else 608)."
    ),
    keep: str = typer.Option(
        None, "--keep", metavar="REGEX", help="Leave out these parameters, and what goes with them."
    ),
    mean: str | None = MEAN,
    std: str | None = STD,
    size: str | None = SIZE,
    channels: str | None = CHANNELS,
    scale: str | None = SCALE,
    device: Device = DEVICE,
    form: Format | None = typer.Option(
        None, "--format", help="Form of what is printed (default: table)."
    ),
    output: list[Path] = typer.Option(
        [RECORD],
        "--output",
        "-o",
        help="Repeatable. .json: the record, which a second call goes on from; .csv, .txt: a "
        "table; .png, .svg, .pdf: a drawing.",
    ),
) -> None:
    """Measure what pruning each group alone costs.

    Each group is pruned at each ratio. The record is whole at any time: call again to go on
    after a stop. prune-regex --sensitivity chooses ratios from it. Exit status 1 where
    nothing can be pruned.

    Example: graphprobe sensitivity zoo:yolov3_mobilenet_v1 --weights runs/student
    --data voc:VOCdevkit?split=val
    """
    record = _record(output)
    given = preparation_values(mean, std, size, channels, scale)
    must = "be numbers above 0 and below 1"
    shares = read_numbers(ratios, "--ratios", must=must, hint="as 0.1,0.3,0.5")
    with own_prints_to_stderr():
        found = sensitivity(
            program,
            weights=weights,
            data=data,
            policy=policy,
            ratios=shares,
            samples=samples,
            image=image,
            keep=keep,
            preparation=given or None,
            device=device.value,
            output=record,
            progress=log,
        )
    deliver(found, lambda: _sensitivity_table.tables(found), form=form)
    _write(found, output)


def _record(output: Sequence[Path]) -> Path:
    """The one .json file among the outputs, or one beside the first of them."""
    known = (".json", *_TEXTS, *_IMAGE_SUFFIXES)
    for path in output:
        if path.suffix.lower() not in known:
            hint = f"use one of {', '.join(known)}"
            raise UsageError(f"unknown suffix {path.suffix!r}", where=str(path), hint=hint)
        can_be_written(path)
    records = [path for path in output if path.suffix.lower() == ".json"]
    if len(records) > 1:
        raise UsageError("there is one record", where=str(records[1]), hint="name one .json file")
    return records[0] if records else output[0].with_suffix(".json")


def _write(found: SensitivityResult, output: Sequence[Path]) -> None:
    """The tables and drawings; the record is there already."""
    program = found.record.measured.program
    words = ("graphprobe", "prune-regex", program, "--sensitivity", str(found.path))
    log(f"wrote {found.path}; choose from it with: {shlex.join(words)} --target-flops 0.5")
    for path in output:
        suffix = path.suffix.lower()
        if suffix in _IMAGE_SUFFIXES:
            write_whole(path, found.render(suffix[1:]))
        elif suffix in _TEXTS:
            deliver(found, lambda: _sensitivity_table.tables(found), form=None, output=path)
        else:
            continue
        log(f"wrote {path}")
