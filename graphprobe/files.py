"""Write a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from graphprobe.errors import GraphprobeError, UsageError, listed


def write_whole(path: Path, content: bytes | str) -> None:
    """Write to a temporary file beside `path`, sync it, then rename it over `path`.

    Raises:
        GraphprobeError: the folder is missing or cannot be written, or the disk is full.
    """
    import tempfile  # slow to import, and most commands print

    # A name of a file may hold bytes that are no UTF-8: written as JSON and Python read them.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a file that users asked for follows their umask.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        hint = "name a folder that exists and can be written"
        raise GraphprobeError(
            f"cannot be written ({error.strerror or error})", where=str(path), hint=hint
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def refuse_taken(folder: Path, names: Iterable[str], *, force: bool) -> None:
    """Refuse to write into a folder over files that are there, unless it is forced.

    Raises:
        UsageError: one of the names is there.
    """
    taken = [] if force else [name for name in names if (folder / name).exists()]
    if taken:
        hint = "name another folder, or take force=True"
        raise UsageError(f"would replace {listed(taken)}", where=str(folder), hint=hint)
