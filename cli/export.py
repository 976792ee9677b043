"""``graphprobe export``: write a trained student for inference."""

from __future__ import annotations

from pathlib import Path

import typer

from graphprobe.errors import UsageError

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
    form: str | None = typer.Option(
        None,
        "--form",
        metavar="pdmodel|legacy",
        help="Convert the program file or folder that is named in place of a config; -o FOLDER.",
    ),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
) -> None:
    """Write a config's trained student for inference, or convert an exported program."""
    if form is not None:
        _convert(config, form, output, override or [])
        return
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.training.export import export_network
    from graphprobe.training.feeding.feeding import describe_pixels
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    place = choose_place(device.value, say)
    trained = open_trained(
        settings, place, "infer", where=str(config), checkpoint=resume, weights=weights
    )
    folder = output if output is not None else Path(settings.train.output) / "export"
    say(f"weights of {trained.source}")
    say(f"image: {describe_pixels(trained.built)}")
    for path in export_network(trained.built, trained.scope, place, folder, legacy=legacy):
        typer.echo(str(path))


def _convert(program: Path, form: str, output: Path | None, given: list[str]) -> None:
    """Convert a program; ``-o`` names the folder here, since there is nothing to override."""
    folders = [*([output] if output is not None else []), *map(Path, given)]
    if len(folders) != 1:
        raise UsageError("one folder is needed with --form", where="-o", hint="name it: -o FOLDER")
    from graphprobe.api.conversion import convert

    result = convert(program, folders[0], form=form)
    say(result.summary())
    for path in result.files:
        typer.echo(str(path))
