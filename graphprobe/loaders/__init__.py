"""Program files, recognised by content. One file a format; each defines LOADER."""

from __future__ import annotations

from graphprobe.loaders._base import Loader
from graphprobe.loaders._open import load_bytes, load_file

__all__ = ["Loader", "load_bytes", "load_file"]
