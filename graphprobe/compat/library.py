"""What is read or set in the compiled library of the Paddle that is imported, by its symbols."""

from __future__ import annotations

import ctypes
import os
import sys

from graphprobe.compat.paddle_import import GLOG_LEVEL

MODULE = "paddle.base.libpaddle"
_FLAG = "_ZN3fLI17FLAGS_minloglevelE"  # fLI::FLAGS_minloglevel of glog, an int32


def loaded_library() -> ctypes.CDLL | None:
    """The library, or None where there is none, or none that can be looked into."""
    path = getattr(sys.modules.get(MODULE), "__file__", None)
    try:
        return ctypes.CDLL(path) if path else None
    except OSError:
        return None


def quiet_glog() -> None:
    """Drop what glog prints below errors where Paddle was imported before `filter_warnings`.

    It reads the level from the environment while it is loaded; one that the user set there counts.
    """
    library = loaded_library()
    level = os.environ.setdefault(GLOG_LEVEL, "2")
    if library is None or not level.isdigit():
        return
    try:
        flag = ctypes.c_int32.in_dll(library, _FLAG)
    except ValueError:  # not built with this glog
        return
    flag.value = max(flag.value, int(level))
