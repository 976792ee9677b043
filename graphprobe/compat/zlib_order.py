"""Paddle 2 brings a zlib of its own, which must not be loaded before Python's.

The C library that Python's zlib calls is loaded with Paddle's then, and calls Paddle's functions
in place of its own: the process dies of the first gzip, zip or PNG file. Paddle imports zlib
itself, so that afterwards only the order decides.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import zlib
from typing import Any

from graphprobe.compat.library import MODULE, loaded_library

_SHADOWED = "inflateReset2"


def warn_of_late_zlib() -> None:
    """Log a warning where Python's zlib came too late."""
    loaded = list(sys.modules)  # each takes its place when its import ends
    if MODULE not in loaded or loaded.index("zlib") < loaded.index(MODULE):
        return
    own, paddle = getattr(zlib, "__file__", None), loaded_library()
    if own is None or paddle is None:  # a zlib inside the interpreter was there first
        return
    theirs = _address(paddle)
    if theirs is not None and theirs != _address(ctypes.CDLL(own)):
        logging.getLogger("graphprobe").warning(
            "paddle was imported before Python's zlib, and reading a gzip, zip or PNG file will "
            "crash this process; import graphprobe, or zlib, before paddle"
        )


def _address(library: Any) -> int | None:
    """Where the function lies that this library would call."""
    found = getattr(library, _SHADOWED, None)
    return None if found is None else ctypes.cast(found, ctypes.c_void_p).value
