"""``graphprobe infer``: images in, what a trained student finds in them out."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import typer

from graphprobe.api.predict import ImageFindings, predict

from ._escape import printable
from ._output import log, own_prints_to_stderr, print_tables, terminal_width
from ._train import ALLOW_CODE, CHECKPOINT, DEVICE, MEASURED_ON, OVERRIDE, TRAINED, WEIGHTS, Device
from ._waits import BREAKER

_NAME_WIDTH = 28


def command(
    config: Path = TRAINED,
    images: list[Path] = typer.Argument(None, help="Image files, or folders of them."),
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    samples: int = typer.Option(
        0, "--samples", min=0, help="Take the first N validation samples, beside their truth."
    ),
    data: str | None = MEASURED_ON,
    threshold: float = typer.Option(
        0.5, "--threshold", min=0.0, max=1.0, help="Leave out boxes scored lower."
    ),
    output: Path | None = typer.Option(
        None, "--output", help="Folder to write into (default: infer in the run's)."
    ),
    force: bool = typer.Option(False, "--force", help="Replace files of an earlier run there."),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
) -> None:
    """Draw what a trained student finds in images.

    found.json lists all of it. An exported program takes images as it is.

    Example: graphprobe infer runs/student photos --threshold 0.4
    """
    lines = sys.stdout

    def show(image: ImageFindings) -> None:
        lines.write(f"{_line(image)}\n")
        BREAKER.reset()

    with own_prints_to_stderr():
        made = predict(
            config,
            images or (),
            samples=samples,
            data=data,
            threshold=threshold,
            output=output,
            force=force,
            override=override or (),
            resume=resume,
            weights=weights,
            device=device.value,
            allow_code=allow_code,
            progress=log,
            on_image=show,
        )
    count = len(made.images)
    rows = (("weights", made.weights), ("data", made.looked_at), ("model", made.program))
    print_tables([*(_wrapped(f"  {name:7}", text) for name, text in rows)])
    log(f"{made.summary()}; found.json lists all")
    if made.skipped:
        log(f"warning: {made.skipped} of {count} images could not be read and were left out")


def _line(image: ImageFindings) -> str:
    """A line of the table: the image and what was found in it."""
    name = printable(image.name)
    short = name if len(name) <= _NAME_WIDTH else "..." + name[3 - _NAME_WIDTH :]
    return _wrapped(
        f"  {short:{_NAME_WIDTH}}", f"{'skipped: ' if image.skipped else ''}{image.text}"
    )


def _wrapped(head: str, text: str) -> str:
    """A head and a text beside it, in as many lines as the terminal asks for."""
    indent = " " * (len(head) + 2)
    return textwrap.fill(
        printable(text), terminal_width(), initial_indent=f"{head}  ", subsequent_indent=indent,
        break_on_hyphens=False,
    )  # fmt: skip
