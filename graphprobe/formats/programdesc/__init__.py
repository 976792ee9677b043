"""ProgramDesc protobuf files (``__model__``, ``*.pdmodel``) of every Paddle era."""

from __future__ import annotations

from graphprobe.formats._base import Loader
from graphprobe.formats.programdesc.read import read_program

__all__ = ["LOADER", "read_program"]


def _sniff(head: bytes) -> bool:
    """A ProgramDesc starts with field 1 (blocks), a message."""
    return head[:1] == b"\x0a"


LOADER = Loader("programdesc", _sniff, read_program)
