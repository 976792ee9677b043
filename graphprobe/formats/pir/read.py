"""PIR json bytes -> Program."""

from __future__ import annotations

from typing import Any

from graphprobe.errors import LoadError
from graphprobe.formats._limits import damaged
from graphprobe.formats._ports import ports
from graphprobe.ir import Origin, Program

# Each value of the parsed json takes about 100 bytes, so this bounds memory at about 1 GB.
_MAX_ITEMS = 10_000_000
_MAX_DIGITS = 20


def read_program(content: bytes, source: str) -> Program:
    """The program that a PIR json holds.

    Args:
        content: the whole file.
        source: what the user typed, for messages and ``Origin.source``.

    Raises:
        LoadError: the content is no json, is too large, or is not what PIR writes.
    """
    items = sum(map(content.count, (b",", b"[", b"{")))
    if items > _MAX_ITEMS:
        raise damaged(f"it has {items} json items, more than {_MAX_ITEMS}", source)
    # Imported here, because every command imports this module to ask it for the format.
    from graphprobe.formats.pir.translate import Translator
    from graphprobe.formats.pir.values import Malformed, main_block, malformed

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
