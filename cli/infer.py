"""``graphprobe infer``: pictures in, what a trained student finds in them out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.errors import UsageError

from ._output import say, to_json
from ._train import ALLOW_CODE, CHECKPOINT, CONFIG, DEVICE, OVERRIDE, WEIGHTS, Device, open_config

if TYPE_CHECKING:
    from graphprobe.config import Config
    from graphprobe.data.sample import Dataset
    from graphprobe.training.trained import Trained


def command(
    config: Path = CONFIG,
    pictures: list[Path] = typer.Argument(None, help="Picture files or folders of them."),
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
        None, "--output", help="Folder of pictures and found.json (default: infer in the run's)."
    ),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
) -> None:
    """Draw what a config's trained student finds; json of it goes to standard output."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.data.draw_boxes import to_png
    from graphprobe.files import write_whole
    from graphprobe.training import predict as infer
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    if bool(pictures) == bool(samples):
        raise UsageError("name pictures, or --samples N for the validation set", where="infer")
    place = choose_place(device.value)
    trained = open_trained(
        settings, place, "infer", where=str(config), checkpoint=resume, weights=weights
    )
    data = _dataset(settings, trained, pictures or [], samples)
    every = list(infer.find_objects(settings.train, trained, data, place, threshold=threshold))
    folder = output if output is not None else Path(settings.train.output) / "infer"
    folder.mkdir(parents=True, exist_ok=True)
    for found in every:
        picture = to_png(infer.draw(found, data.class_names))
        write_whole(folder / f"{Path(found.sample.name).stem}.png", picture)
    if samples:
        write_whole(folder / "sheet.png", to_png(infer.draw_sheet(every, data.class_names)))
    text = to_json([infer.as_document(found, data.class_names) for found in every])
    write_whole(folder / "found.json", text)
    typer.echo(text, nl=False)
    say(f"weights of {trained.source}; drawn into {folder}")


def _dataset(settings: Config, trained: Trained, pictures: list[Path], samples: int) -> Dataset:
    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.predict import First, Pictures, find_pictures, names_of_classes

    if samples:
        return First(open_validation(settings.train, trained.built), samples)
    names = names_of_classes(settings.train, trained)
    return Pictures(find_pictures(pictures), names, trained.built.task)
