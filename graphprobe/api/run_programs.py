"""A run's folder as a PROGRAM: what a config says of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.programs import LoadedProgram

if TYPE_CHECKING:
    from graphprobe.config import ProgramRef


def is_run(source: str) -> bool:
    """Whether a PROGRAM is the folder of a run."""
    folder = Path(source)
    return (folder / "checkpoints").is_dir() and (folder / "config.yaml").is_file()


def ref_of(loaded: LoadedProgram) -> ProgramRef:
    """What a config says of a program: of a run, what it trained, with its weights.

    Raises:
        ConfigError: the folder's config cannot be read.
    """
    from graphprobe.config import ProgramRef
    from graphprobe.emit import program_ref

    if not is_run(loaded.source):
        return program_ref(loaded.program)
    from graphprobe.config import read_config
    from graphprobe.training.run_record import read_run

    document = read_run(Path(loaded.source))
    trained = read_config(document, (), where=loaded.source, allow_code=True).student
    return ProgramRef(
        program=trained.program, fingerprint=trained.fingerprint, weights=loaded.source
    )
