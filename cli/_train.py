"""What the commands that write configs, train, check, evaluate, infer and export share."""

from __future__ import annotations

import enum

import typer

from . import _complete


class Device(str, enum.Enum):
    """Where programs run."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


CONFIG = typer.Argument(..., help="A config file (kind: distill, prune or train).")
TRAINED = typer.Argument(
    ..., metavar="RUN|CONFIG", help="A run's folder, one of its checkpoints, or a config file."
)
MEASURED_ON = typer.Option(
    None,
    "--data",
    metavar="NAME:PATH",
    help="Other data than the run was evaluated on, as voc:PATH?split=test.",
)
TRAINED_ON = typer.Option(
    None,
    "--data",
    metavar="NAME:PATH",
    help="What will be trained on: bundled models get its classes, the config its schedule.",
)
OVERRIDE = typer.Option(
    None,
    "-o",
    "--set",
    "--override",
    metavar="KEY.PATH=VALUE",
    autocompletion=_complete.keys,
    help="Set a value of the config, as train.batch_size=4; repeatable.",
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
ENGINE = typer.Option(
    None,
    "--engine",
    metavar="own|paddleslim",
    help="Who prunes, of a pruning config: graphprobe (default) or PaddleSlim (policy seeds only).",
)
WEIGHTS = typer.Option(
    None, "--weights", help="Weights (a path or an address) in place of a checkpoint."
)
