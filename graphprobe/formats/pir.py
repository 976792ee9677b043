"""PIR json files of Paddle 3 (``inference.json``).

PIR numbers its values and gives names to parameters and inputs only. Other values are called as
ProgramDesc would call them: ``conv2d_0.tmp_0`` is the first result of the first conv2d. Types,
slots and attributes are those of ProgramDesc (`_pir_ops`), and constants that PIR passes as
operands go back into attributes, so both formats read alike.
"""

from __future__ import annotations

from typing import Any

from graphprobe.errors import LoadError
from graphprobe.formats._base import Loader
from graphprobe.formats._limits import damaged
from graphprobe.formats._ports import ports
from graphprobe.ir import Origin, Program

# Each value of the parsed json takes about 100 bytes, so this bounds memory at about 1 GB.
_MAX_ITEMS = 10_000_000
_MAX_DIGITS = 20


def _sniff(head: bytes) -> bool:
    """A json object with PIR's keys near its start (Paddle writes them sorted)."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text[:1] == b"{" and (b'"base_code"' in text or b'"program"' in text)


def _load(content: bytes, source: str) -> Program:
    items = sum(map(content.count, (b",", b"[", b"{")))
    if items > _MAX_ITEMS:
        raise damaged(f"it has {items} json items, more than {_MAX_ITEMS}", source)
    # Imported here, because every command imports this module to ask it for the format.
    from graphprobe.formats._pir_translate import Translator
    from graphprobe.formats._pir_values import Malformed, main_block, malformed

    document = _parse(content, source)
    try:
        blocks = Translator().translate(main_block(document))
    except Malformed as error:
        raise malformed(error, source) from error
    return Program(blocks, *ports(blocks[0]), Origin(source, "pir", None))


def _parse(content: bytes, source: str) -> Any:
    import json

    try:
        return json.loads(content.decode("utf-8-sig"), parse_int=_integer)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise LoadError(
            f"not a readable json ({reason})",
            where=source,
            hint="it may be truncated; copy or export the model again",
        ) from error


def _integer(text: str) -> int:
    """Numbers of a million digits would take minutes; PIR has none above 64 bits."""
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


LOADER = Loader("pir", _sniff, _load)
