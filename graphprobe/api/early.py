"""What can be checked of a command's words before Paddle is imported, which takes seconds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphprobe.errors import UsageError
from graphprobe.programs import LoadedProgram, ProgramLike, load_program, source_of
from graphprobe.user_code import is_code, is_file

# Sections of a config that depend on what is found; the rest is looked at first.
_FOUND = ("teacher", "pairs", "prune", "task")


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
    from graphprobe.training.weights.read import refuse_no_weights

    if weights is None or is_url(os.fspath(weights)):
        return
    refuse_no_weights(Path(weights).expanduser())


def refuse_checkpoint(checkpoint: str | None) -> None:
    """Refuse a checkpoint that is not there.

    Raises:
        CheckpointError: it is not there.
    """
    from graphprobe.training.weights.checkpoint import checkpoint_folder

    if checkpoint is not None and checkpoint != "auto":
        checkpoint_folder(checkpoint)


def refuse_untrained(output: str) -> None:
    """Refuse a run's folder without a checkpoint.

    Raises:
        CheckpointError: there is none.
    """
    from graphprobe.training.weights.checkpoint import checkpoint_folders
    from graphprobe.training.weights.read import untrained

    if not checkpoint_folders(Path(output) / "checkpoints"):
        raise untrained(output)


def refuse_settings(student: ProgramLike, words: Sequence[str]) -> None:
    """Refuse keys that no config has and values that they cannot have.

    Args:
        student: the program that will be trained.
        words: as ``train.batch_size=4``; of teacher, pairs, pruning and task they are looked at
            later.

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
