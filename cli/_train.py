"""What the commands that train, check, evaluate, infer and export share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._output import log_to_stderr

if TYPE_CHECKING:
    from graphprobe.config import Config


class Device(str, enum.Enum):
    """Where programs run."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


CONFIG = typer.Argument(..., help="A config file (kind: distill, prune or train).")
OVERRIDE = typer.Option(
    None, "-o", "--override", metavar="KEY.PATH=VALUE", help="Override a value; repeatable."
)
DEVICE = typer.Option(
    Device.auto, "--device", help="Where to run; auto takes a GPU if there is one."
)
ALLOW_CODE = typer.Option(False, "--allow-code", help="Run user code that the config names.")
CHECKPOINT = typer.Option(
    "auto",
    "-r",
    "--resume",
    metavar="CHECKPOINT|auto",
    help="A checkpoint, or auto: the best of the config's run, else its newest.",
)
WEIGHTS = typer.Option(
    None, "--weights", help="Weights (a path or an address) in place of a checkpoint."
)


def open_config(path: Path, overrides: list[str] | None, *, allow_code: bool) -> Config:
    """Read a config, then make sure that Paddle is there for what follows."""
    from graphprobe.config import load_config
    from graphprobe.training.runtime.dependencies import require_paddle

    config = load_config(path, overrides or (), allow_code=allow_code)
    require_paddle()
    log_to_stderr()
    return config
