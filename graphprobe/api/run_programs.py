"""A run's folder as a PROGRAM: what its config holds on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.errors import GraphprobeError
from graphprobe.programs import LoadedProgram
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.config import Config, ProgramRef


def is_run(source: str) -> bool:
    """Whether a PROGRAM is the folder of a run."""
    folder = Path(source)
    return (folder / "checkpoints").is_dir() and (folder / "config.yaml").is_file()


def is_program_file(source: str | os.PathLike[str]) -> bool:
    """Whether a path is an exported program, or a folder with one that is no run."""
    from graphprobe.formats import find_file, load_file

    path = Path(source)
    if is_run(str(path)) or path.suffix in (".yaml", ".yml") or not path.exists():
        return False
    try:
        load_file(find_file(path))
    except GraphprobeError:
        return False  # a checkpoint, or what is refused by whoever reads it
    return True


def ref_of(loaded: LoadedProgram) -> ProgramRef:
    """What a config holds on a program: of a run, what it trained, with its weights.

    Raises:
        ConfigError: the folder's config cannot be read.
    """
    from graphprobe.config import ProgramRef
    from graphprobe.emit import program_ref

    if not is_run(loaded.source):
        return program_ref(loaded.program)
    trained = _config_of(loaded).student
    return ProgramRef(
        program=trained.program, fingerprint=trained.fingerprint, weights=loaded.source
    )


def is_exported(loaded: LoadedProgram) -> bool:
    """Whether an exported program is trained: itself, or what a run has made of it."""
    return is_file(loaded.source) and is_file(ref_of(loaded).program)


def image_of(loaded: LoadedProgram) -> tuple[int, int] | None:
    """H and W in pixels of the images that a run trained on; None where it is no run.

    Raises:
        ConfigError: the folder's config cannot be read.
    """
    return _config_of(loaded).train.input_size if is_run(loaded.source) else None


def _config_of(loaded: LoadedProgram) -> Config:
    from graphprobe.config import read_config
    from graphprobe.training.run_record import read_run

    document = read_run(Path(loaded.source))
    return read_config(document, (), where=loaded.source, allow_code=True)
