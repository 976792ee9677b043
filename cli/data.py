"""graphprobe data: what a data set holds, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.errors import UsageError

from ._errors import ANSWER_IS_NO
from ._escape import printable
from ._output import FORMAT, OUTPUT, Format, can_be_written, deliver, log, warn

if TYPE_CHECKING:
    from graphprobe.api.datasets import DataReport

_SHOWN = 10
_NAME = 40


def _is_png(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() != ".png":
        raise UsageError("a sheet is a PNG file", where=str(path), hint="name it .png")
    return can_be_written(path)


def command(
    data: str = typer.Argument(
        ...,
        metavar="SPEC",
        help="As voc:PATH, coco:PATH, yolo:PATH, seg:PATH, folder:PATH, images:PATH; "
        "?split=NAME names a part.",
    ),
    samples: int = typer.Option(1000, "--samples", min=1, help="Read so many, spread evenly."),
    everything: bool = typer.Option(
        False, "--all", help="Read all samples, and list every problem."
    ),
    sheet: Path = typer.Option(
        None,
        "--sheet",
        metavar="FILE.png",
        callback=_is_png,
        help="Draw some samples with boxes or masks, before and after augmentation.",
    ),
    rows: int = typer.Option(8, "--rows", min=1, max=100, help="Samples on the sheet."),
    image: int = typer.Option(416, "--image", min=32, max=4096, help="Pixels of a side there."),
    form: Format = FORMAT,
    output: Path = OUTPUT,
) -> None:
    """Count what a data set holds, and name its problems.

    Exit status 1 where there are problems.

    Example: graphprobe data voc:VOCdevkit --sheet s.png
    """
    from graphprobe.api.datasets import inspect_data

    report = inspect_data(
        data,
        samples=None if everything else samples,
        sheet=rows if sheet is not None else 0,
        image=image,
        progress=log,
    )
    deliver(
        report, lambda: _lines(report, None if everything else _SHOWN), form=form, output=output
    )
    warn(report.warnings)
    if sheet is not None and report.sheet is not None:
        report.save_sheet(sheet)
        log(f"wrote {sheet}")
    if report.problems:
        raise typer.Exit(ANSWER_IS_NO)


def _lines(report: DataReport, most: int | None) -> Iterator[str]:
    """The report as lines of at most 80 columns, paths left out."""
    found = report.survey
    yield f"  data       {printable(report.spec)}"
    if found is not None:
        part = "" if found.read == report.samples else f", {found.read:,} of them read"
        yield f"  samples    {report.samples:,} ({report.task}{part})"
        yield from _figures(report)
        yield ""
        kind = {"segmentation": "pixels", "classification": "images"}.get(report.task, "objects")
        yield f"  {'class':{_NAME}} {kind:>14} {'in images':>12}"
        for each in found.classes:
            name = printable(each.name)
            name = name if len(name) <= _NAME else name[: _NAME - 3] + "..."
            yield f"  {name:{_NAME}} {each.objects:>14,} {each.images:>12,}"
    if report.problems:
        yield ""
        yield f"  {len(report.problems):,} problems"
        for line in report.problems[:most]:
            yield f"    {printable(line)}"
        if most is not None and len(report.problems) > most:
            yield f"    and {len(report.problems) - most:,} more; --all lists them"


def _figures(report: DataReport) -> Iterator[str]:
    found = report.survey
    if found is None:
        return
    if found.sizes:
        least, middle, most = (f"{width} x {height}" for height, width in found.sizes)
        yield f"  sizes      {least} to {most}, the middle one {middle} (width x height)"
    if report.task == "detection":
        small, medium, large = found.by_size
        yield f"  objects    {small:,} to 32^2 pixels, {medium:,} to 96^2, {large:,} larger"
        yield f"  without    {found.empty:,} images without objects"
        if found.difficult:
            yield f"  left out   {found.difficult:,} difficult, {found.crowds:,} of them crowds"
    for kind in found.arrays:
        yield f"  array      {printable(kind)}"
