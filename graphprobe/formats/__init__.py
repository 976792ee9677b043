"""Program files, recognised by content. One file a format; each defines LOADER."""

from __future__ import annotations

from graphprobe.formats._base import Loader
from graphprobe.formats._open import load_bytes, load_file

__all__ = ["Loader", "load_bytes", "load_file"]
