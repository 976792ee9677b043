"""``graphprobe export``: write a trained student for inference."""

from __future__ import annotations

from pathlib import Path

import typer

from ._output import say
from ._train import ALLOW_CODE, CHECKPOINT, CONFIG, DEVICE, OVERRIDE, WEIGHTS, Device, open_config


def command(
    config: Path = CONFIG,
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    output: Path | None = typer.Option(
        None, "--output", help="Folder (default: export in the run's folder)."
    ),
    legacy: bool = typer.Option(
        False, "--legacy", help="Name the files __model__ and __params__, as Paddle 1.x does."
    ),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
) -> None:
    """Write a config's trained student as model.pdmodel and model.pdiparams."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.training.export import export_network
    from graphprobe.training.feeding.feeding import describe_pixels
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    place = choose_place(device.value)
    trained = open_trained(
        settings, place, "infer", where=str(config), checkpoint=resume, weights=weights
    )
    folder = output if output is not None else Path(settings.train.output) / "export"
    say(f"weights of {trained.source}")
    say(f"image: {describe_pixels(trained.built)}")
    for path in export_network(trained.built, trained.scope, place, folder, legacy=legacy):
        typer.echo(str(path))
