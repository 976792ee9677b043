"""Program files, recognised by content: read every format, write ProgramDesc.

A format is a sub-package that defines LOADER; `load_file` asks each whether it knows a file.
"""

from __future__ import annotations

from graphprobe.formats._base import Loader
from graphprobe.formats._open import find_file, load_bytes, load_file, loaders
from graphprobe.formats._write import add_ports, as_programdesc, write_program

__all__ = [
    "Loader",
    "add_ports",
    "as_programdesc",
    "find_file",
    "load_bytes",
    "load_file",
    "loaders",
    "write_program",
]
