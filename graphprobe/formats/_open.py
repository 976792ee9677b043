"""Find the program in a path and read it with the loader that recognises its content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphprobe.collector import collector_paused
from graphprobe.errors import LoadError
from graphprobe.formats._base import Loader
from graphprobe.formats._foreign import foreign, identify
from graphprobe.formats._limits import MAX_BYTES
from graphprobe.ir import Program
from graphprobe.registry import discover

_HEAD = 4096
# What Paddle calls a program, besides *.pdmodel.
_NAMES = ("__model__", "inference.json")


def load_file(path: Path, source: str | None = None) -> Program:
    """Read a program file, or the one program file in a folder.

    Args:
        path: a file of any name, or a folder whose direct children hold exactly one program.
        source: what the user typed, for messages and ``Origin.source``; by default the path.

    Raises:
        LoadError: missing, unreadable, too large, not a program, or a folder with none or several.
    """
    source = str(path) if source is None else source
    with _readable(source):
        return _load_one(find_file(path, source), source)


def find_file(path: Path, source: str | None = None) -> Path:
    """The program file that a path means: itself, or the one program in a folder.

    Args:
        path: a file of any name, or a folder whose direct children hold exactly one program.
        source: what the user typed, for messages; by default the path.

    Raises:
        LoadError: missing, unreadable, or a folder with no program or several.
    """
    source = str(path) if source is None else source
    with _readable(source):
        if not path.exists():
            raise LoadError("no such file or folder", where=source, hint="check the path")
        return _in_folder(path, source) if path.is_dir() else path


@contextmanager
def _readable(source: str) -> Iterator[None]:
    """Errors of the file system as LoadError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise LoadError(
            f"cannot be read ({reason})", where=source, hint="check the path"
        ) from error
    except ValueError as error:  # a path with a null character
        raise LoadError("not a path", where=repr(source), hint="check the path") from error


@collector_paused()
def load_bytes(content: bytes, source: str) -> Program:
    """Read a program from memory.

    Args:
        content: what a program file would hold.
        source: what the user typed, for messages and ``Origin.source``.

    Raises:
        LoadError: not a program, or a damaged one.
    """
    loader = _recognise(content[:_HEAD])
    if loader is None:
        raise _unknown(content[:_HEAD], source)
    return loader.load(content, source)


def _in_folder(folder: Path, source: str) -> Path:
    files = [p for p in sorted(folder.iterdir()) if p.is_file()]
    found = [p for p in files if _recognise(_head(p))]
    named = [p for p in files if p.name in _NAMES or p.suffix == ".pdmodel"]
    if not found and len(named) == 1:
        _load_one(named[0], str(named[0]))  # reports what is wrong with it
    if not found:
        raise LoadError(
            "the folder holds no program", where=source, hint="name the program file itself"
        )
    if len(found) > 1:
        names = ", ".join(p.name for p in found[:5]) + (", ..." if len(found) > 5 else "")
        raise LoadError(
            f"the folder holds {len(found)} programs ({names})", where=source, hint="name one file"
        )
    return found[0]


def _load_one(path: Path, source: str) -> Program:
    if not path.is_file():
        raise LoadError("neither a file nor a folder", where=source, hint="name a program file")
    size = path.stat().st_size
    if size == 0:
        raise LoadError("the file is empty", where=source, hint="save or copy the model again")
    if _recognise(_head(path)) is None:
        raise _unknown(_head(path), source)
    if size > MAX_BYTES:
        raise LoadError(
            f"{size} bytes are too many for a program (at most {MAX_BYTES})",
            where=source,
            hint="name the program file, not its weights",
        )
    return load_bytes(path.read_bytes(), source)


def loaders() -> dict[str, Loader]:
    """Every format by its name."""
    return discover("graphprobe.formats", "LOADER", Loader)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _recognise(head: bytes) -> Loader | None:
    if foreign(head) is not None:
        return None
    return next((loader for loader in loaders().values() if loader.sniff(head)), None)


def _unknown(head: bytes, source: str) -> LoadError:
    what, hint = identify(head)
    return LoadError(what, where=source, hint=hint)
