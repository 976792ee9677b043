"""``graphprobe infer``: images in, what a trained student finds in them out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.errors import DataError, UsageError

from ._output import say
from ._train import ALLOW_CODE, CHECKPOINT, CONFIG, DEVICE, OVERRIDE, WEIGHTS, Device, open_config

if TYPE_CHECKING:
    from graphprobe.data.sample import Dataset
    from graphprobe.training.predict import Found, Skipped
    from graphprobe.training.predict_files import PredictionFolder

_NAME_WIDTH = 32


def command(
    config: Path = CONFIG,
    images: list[Path] = typer.Argument(None, help="Image files, or folders of them."),
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    samples: int = typer.Option(
        0, "--samples", min=0, help="Take the first N validation samples, beside their truth."
    ),
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
    """Draw what a config's trained student finds in images, and list it in found.json."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.data.image_files import ImageFolder, find_images
    from graphprobe.data.subset import first_subset
    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.predict import Skipped, find_objects, names_of_classes
    from graphprobe.training.predict_files import PredictionFolder, new_folder
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    if bool(images) == bool(samples):
        raise UsageError("name images, or --samples N for the validation set", where="infer")
    files = find_images(images, leave_out=output) if images else []
    folder = output if output is not None else new_folder(Path(settings.train.output) / "infer")
    writer = PredictionFolder(
        folder, (), inputs=[file.path for file in files], force=force, sheet=bool(samples)
    )
    writer.refuse_existing(file.name for file in files)
    place = choose_place(device.value, say)
    trained = open_trained(
        settings, place, "infer", where=str(config), checkpoint=resume, weights=weights
    )
    data: Dataset
    if samples:
        data = first_subset(open_validation(settings.train, trained.built), samples)
    else:
        names = names_of_classes(settings.train, trained)
        data = ImageFolder(files, names, trained.built.task)
    writer.class_names = data.class_names
    skipped = 0
    with writer:
        for found in find_objects(settings.train, trained, data, place, threshold=threshold):
            skipped += isinstance(found, Skipped)
            typer.echo(_line(found, writer))
    if skipped == len(data):
        raise DataError("none of the images could be read", where="infer")
    say(f"weights of {trained.source}; {len(data) - skipped} images drawn into {folder}")
    if skipped:
        say(f"warning: {skipped} of {len(data)} images could not be read and were left out")


def _line(found: Found | Skipped, writer: PredictionFolder) -> str:
    """A line of the table: the image and what was found in it; the files are written."""
    from graphprobe.training.predict import Skipped
    from graphprobe.training.predict_files import describe

    if isinstance(found, Skipped):
        name, text = found.name, "skipped: " + found.reason
    else:
        name, text = found.sample.name, describe(writer.write(found))
    short = name if len(name) <= _NAME_WIDTH else "..." + name[3 - _NAME_WIDTH :]
    return f"  {short:{_NAME_WIDTH}}  {text}"
