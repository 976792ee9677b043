"""``graphprobe export``: write a trained student for inference."""

from __future__ import annotations

from pathlib import Path

import typer

from graphprobe.api.export import export
from graphprobe.errors import UsageError

from ._output import log, own_prints_to_stderr, put
from ._train import ALLOW_CODE, CHECKPOINT, DEVICE, OVERRIDE, TRAINED, WEIGHTS, Device


def command(
    config: Path = TRAINED,
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    output: Path | None = typer.Option(
        None, "--output", help="Folder (default: export in the run's folder)."
    ),
    name: str = typer.Option(
        "model", "--name", help="Of the files, before .pdmodel; PaddleX wants inference."
    ),
    legacy: bool = typer.Option(
        False, "--legacy", help="Name the files __model__ and __params__, as Paddle 1.x does."
    ),
    form: str | None = typer.Option(
        None,
        "--form",
        metavar="pdmodel|legacy|json",
        help="Convert the program file or folder that is named in place of a config; -o FOLDER.",
    ),
    force: bool = typer.Option(
        False, "--force", help="Replace a model that is in the folder already."
    ),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
) -> None:
    """Write a trained student, or convert an exported program.

    Example: graphprobe export runs/student --output exported
    """
    if form is not None:
        _convert(config, form, output, override or [], force=force)
        return
    _refuse_program(config, override or [])
    with own_prints_to_stderr():
        made = export(
            config,
            output,
            name=name,
            legacy=legacy,
            force=force,
            override=override or (),
            resume=resume,
            weights=weights,
            device=device.value,
            allow_code=allow_code,
            progress=log,
        )
    log(f"weights of {made.weights}")
    log(f"image: {made.image}")
    if made.difference is not None:
        log(f"in the inference engine, outputs differ by {made.difference:.1e} from the training's")
    for path in made.files:
        put(str(path))


def _refuse_program(config: Path, given: list[str]) -> None:
    """Check how a program is converted, which is neither a run nor a config.

    Raises:
        UsageError: it is one.
    """
    from graphprobe.api.run_programs import is_program_file

    if not is_program_file(config):
        return
    folders = [word for word in given if "=" not in word] or ["FOLDER"]
    raise UsageError(
        "is an exported program, not a run",
        where=str(config),
        hint=f"convert it: graphprobe export {config} --form pdmodel -o {folders[0]}",
    )


def _convert(
    program: Path, form: str, output: Path | None, given: list[str], *, force: bool
) -> None:
    """Convert a program; ``-o`` names the folder here, since there is nothing to override."""
    folders = [*([output] if output is not None else []), *map(Path, given)]
    if len(folders) != 1:
        raise UsageError("one folder is needed with --form", where="-o", hint="name it: -o FOLDER")
    from graphprobe.api.conversion import convert

    result = convert(program, folders[0], form=form, force=force)
    log(result.summary())
    log(result.proof)
    for path in result.files:
        put(str(path))
