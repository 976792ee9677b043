"""Folders of runs: a second run into the same place gets the next number.

The runs into ``runs/student`` are ``runs/student``, ``runs/student-2``, ``runs/student-3``, ...
A folder of that form belongs to the row only where a file in it shows that, for people may name
folders with numbers themselves.
"""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Iterator
from pathlib import Path

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole

LATEST = Path("checkpoints") / "latest"
# In a numbered folder: the name of the first one.
RUN_OF = ".run_of"
# The program that was trained, in a run's folder.
PROGRAM = "program.pdmodel"


def holds_run(folder: Path) -> bool:
    """Whether a folder holds a run that has saved something."""
    return (folder / LATEST).exists()


def free_folder(wanted: Path) -> Path:
    """`wanted`, or the first of wanted-2, wanted-3, ... where it holds a run already.

    A numbered one is made, so that it is known by whose number it has.

    Raises:
        CheckpointError: it cannot be made.
    """
    if not holds_run(wanted):
        return wanted
    number = 2
    while holds_run(folder := _numbered(wanted, number)) or not _is_ours(folder, wanted):
        number += 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RUN_OF, wanted.name + "\n")
    except OSError as error:
        raise CheckpointError(
            f"cannot be made ({error.strerror})", where=str(folder), hint="set train.output"
        ) from error
    return folder


def drop_unused(folder: Path) -> None:
    """Remove a folder of the row that nothing was written into: its run was refused."""
    with contextlib.suppress(OSError):
        if [path.name for path in folder.iterdir()] == [RUN_OF]:
            (folder / RUN_OF).unlink()
        folder.rmdir()


def newest_run(wanted: Path) -> Path:
    """The last run into a place: the one of the highest number, or `wanted` where none has one."""
    found = wanted
    for folder in _row(wanted):
        found = folder if holds_run(folder) else found
    return found


def _row(wanted: Path) -> Iterator[Path]:
    """The numbered folders of a place, in order."""
    with contextlib.suppress(OSError):
        numbered = {}
        for folder in wanted.parent.glob(f"{glob.escape(wanted.name)}-*"):
            number = folder.name[len(wanted.name) + 1 :]
            if number.isdecimal() and (folder / RUN_OF).is_file() and _is_ours(folder, wanted):
                numbered[int(number)] = folder
        yield from (numbered[number] for number in sorted(numbered))


def _is_ours(folder: Path, wanted: Path) -> bool:
    """Whether a numbered folder is free, or was made for a run into `wanted`."""
    if (folder / RUN_OF).is_file():
        return (folder / RUN_OF).read_text(encoding="utf-8").strip() == wanted.name
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _numbered(wanted: Path, number: int) -> Path:
    return wanted.with_name(f"{wanted.name}-{number}")
