"""PIR json files of Paddle 3 (``inference.json``).

PIR numbers its values and gives names to parameters and inputs only. Other values are called as
ProgramDesc would call them: ``conv2d_0.tmp_0`` is the first result of the first conv2d. Types,
slots and attributes are those of ProgramDesc (`graphprobe.ops.pir_names`), and constants that PIR
passes as operands go back into attributes, so both formats give the same program.
"""

from __future__ import annotations

import re

from graphprobe.formats._base import Loader
from graphprobe.formats.pir.read import read_program

__all__ = ["LOADER", "read_program"]


# Other json files name a program: then it is text, as in the result.json of a run.
_PROGRAM = re.compile(rb'"program"\s*:\s*(?![\s])(?!"[\w./])')


def _sniff(head: bytes) -> bool:
    """A json object with PIR's keys near its start (Paddle writes them sorted)."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text[:1] == b"{" and (b'"base_code"' in text or bool(_PROGRAM.search(text)))


LOADER = Loader("pir", _sniff, read_program)
