"""What a format must offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from graphprobe.ir import Program


class Loader(NamedTuple):
    """One file format.

    Args:
        name: ``programdesc`` or ``pir``.
        sniff: whether the first bytes of a file (4 KiB at most) look like this format.
        load: the whole content and what the user typed -> Program; raises LoadError.
    """

    name: str
    sniff: Callable[[bytes], bool]
    load: Callable[[bytes, str], Program]
