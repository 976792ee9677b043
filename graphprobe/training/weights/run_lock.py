"""One run, one owner: a lock on a run's folder that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from graphprobe.errors import CheckpointError
from graphprobe.training.run_folder import RUN_OF, drop_unused

LOCK = ".lock"


@contextlib.contextmanager
def own_run(folder: Path) -> Iterator[None]:
    """Hold a run's folder; it is made where it is missing, and removed if it stays empty.

    The kernel releases the lock when the process ends, however it ends. It is taken with fcntl
    and not with filelock, which empties the file that names its owner.

    Args:
        folder: of the run.

    Raises:
        CheckpointError: another process has it, or it cannot be made.
    """
    new = not folder.exists()
    handle = _take(folder)
    try:
        try:
            yield
        finally:
            _remove_empty(folder, new)
    finally:
        os.close(handle)


def _open(folder: Path) -> int:
    """The file of the lock, and the folder, made where they are missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise CheckpointError(
            f"cannot be made ({error.strerror})", where=str(folder), hint="set train.output"
        ) from error


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def is_owned(folder: Path) -> bool:
    """Whether a process of this machine is writing into a run's folder."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _remove_empty(folder: Path, new: bool) -> None:
    """Remove a folder that holds the lock alone: a run that was refused leaves nothing behind."""
    names = {path.name for path in folder.iterdir()}
    if names == {LOCK, RUN_OF} or (new and names == {LOCK}):
        (folder / LOCK).unlink()
        drop_unused(folder)


def _take(folder: Path) -> int:
    """The open file of the lock, held."""
    while True:
        handle = _open(folder)
        try:
            _lock(handle, folder)
        except CheckpointError:
            os.close(handle)
            raise
        if _is_at(handle, folder / LOCK):
            return handle
        # Another run has just removed it with its empty folder: what is held has no name.
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(handle, 200).decode(errors="replace").strip()
        raise CheckpointError(
            f"another run is writing into it ({owner or 'an unknown process'})",
            where=str(folder),
            hint="wait for it, or set another train.output",
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
