"""``graphprobe infer``: images in, what a trained student finds in them out."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from graphprobe.api.predict import ImageFindings, predict

from ._escape import printable
from ._output import own_prints_to_stderr, say
from ._train import ALLOW_CODE, CHECKPOINT, DEVICE, MEASURED_ON, OVERRIDE, TRAINED, WEIGHTS, Device

_NAME_WIDTH = 32


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

    found.json lists all of it.

    Example: graphprobe infer runs/student photos --threshold 0.4
    """
    lines = sys.stdout

    def show(image: ImageFindings) -> None:
        lines.write(f"{printable(_line(image))}\n")

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
            progress=say,
            on_image=show,
        )
    count = len(made.images)
    say(f"weights of {made.weights}; {count - made.skipped} images drawn into {made.folder}")
    if made.skipped:
        say(f"warning: {made.skipped} of {count} images could not be read and were left out")


def _line(image: ImageFindings) -> str:
    """A line of the table: the image and what was found in it."""
    name = image.name
    short = name if len(name) <= _NAME_WIDTH else "..." + name[3 - _NAME_WIDTH :]
    return f"  {short:{_NAME_WIDTH}}  {'skipped: ' if image.skipped else ''}{image.text}"
