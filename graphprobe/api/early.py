"""What can be said of a command's words before Paddle is imported, which takes seconds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphprobe.errors import CheckpointError, UsageError, did_you_mean
from graphprobe.programs import LoadedProgram, ProgramLike, load_program, source_of
from graphprobe.user_code import is_code, is_file

# Sections of a config that depend on what is found; the rest is looked at first.
_FOUND = ("teacher", "pairs", "prune")


def refuse_program(program: ProgramLike | None) -> None:
    """Refuse a name that no program has; one that is there is not read.

    Raises:
        LoadError: as `load_program`.
    """
    if program is None or not isinstance(program, (str, os.PathLike)):
        return
    text = os.fspath(program)
    if text.startswith("zoo:"):
        from graphprobe.zoo import parse_zoo

        parse_zoo(text)
    elif not is_code(text) and not Path(text).expanduser().exists():
        load_program(text)


def refuse_weights(weights: str | os.PathLike[str] | None) -> None:
    """Refuse a path where nothing is; an address is fetched later.

    Raises:
        CheckpointError: nothing is there.
    """
    from graphprobe.training.weights.download import is_url

    if weights is None or is_url(os.fspath(weights)):
        return
    path = Path(weights).expanduser()
    if not path.exists():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*")))
        raise CheckpointError("no such weights", where=str(path), hint=near)


def refuse_checkpoint(checkpoint: str | None) -> None:
    """Refuse a checkpoint that is not there.

    Raises:
        CheckpointError: it is not there.
    """
    if checkpoint not in (None, "auto") and not Path(str(checkpoint)).expanduser().is_dir():
        raise CheckpointError("no such checkpoint", where=str(checkpoint))


def refuse_untrained(output: str, checkpoint: str, weights: str | None) -> None:
    """Refuse a run's folder without a checkpoint, where nothing else is named.

    Raises:
        CheckpointError: there is none, and no weights are named.
    """
    from graphprobe.training.weights.checkpoint import checkpoint_folders

    if (
        weights is None
        and checkpoint == "auto"
        and not checkpoint_folders(Path(output) / "checkpoints")
    ):
        raise CheckpointError("holds no checkpoint", where=output, hint="train first")


def refuse_settings(student: ProgramLike, words: Sequence[str]) -> None:
    """Refuse keys that no config has and values that they cannot have.

    Args:
        student: the program that will be trained.
        words: as ``train.batch_size=4``; of pairs, pruning and teacher they are looked at later.

    Raises:
        ConfigError: every problem at once.
    """
    from graphprobe.config import read_config

    text = student.source if isinstance(student, LoadedProgram) else str(student)
    if any(word.startswith("train.preparation") for word in words):
        refuse_preparation(text)
    document: dict[str, Any] = {
        "version": 1,
        "kind": "train",
        "student": {"program": text},
    }
    known = [word for word in words if not word.startswith(_FOUND)]
    read_config(document, known, where="override", allow_code=True)


def refuse_preparation(program: ProgramLike) -> None:
    """Refuse values of images for what is no exported program.

    Raises:
        UsageError: it is a bundled one, or one's own function.
    """
    text = source_of(program)
    if not is_file(text):
        raise UsageError(
            "prepares images as its network was published with, and takes no other values",
            where=text,
            hint="leave out mean, std, size, channels and scale; train.image_size is the size",
        )


def refuse_engine(engine: str | None) -> None:
    """Refuse what prunes nothing.

    Raises:
        UsageError: it is none of the engines.
    """
    if engine not in (None, "own", "paddleslim"):
        raise UsageError("must be own or paddleslim", where=f"engine={engine}")


def refuse_share(prune: float | None) -> None:
    """Refuse a share that is none.

    Raises:
        UsageError: it is not above 0 and below 1.
    """
    if prune is not None and not 0 < prune < 1:
        hint = "0.5 takes half away"
        raise UsageError(f"must be above 0 and below 1, not {prune:g}", where="prune", hint=hint)
