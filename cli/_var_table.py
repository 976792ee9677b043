"""The table of `graphprobe vars`, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from graphprobe.api.variables import shape_text
from graphprobe.ir import Op, Program
from graphprobe.ir.listing import VarUse

from ._escape import printable

_HEAD = ("name", "shape", "dtype", "producer", "consumers")
_LONGEST_NAME = 28
_LONGEST_SHAPE = 16
_SHORTEST_OP = 9
_BETWEEN = " | "


def summary(role: str, program: Program, shown: int) -> str:
    """Two lines: what the program is, and how much of it is listed."""
    origin = program.origin
    version = f"Paddle {origin.version}" if origin.version else "version not given"
    count = sum(len(block.vars) for block in program.blocks)
    convolutions = sum(1 for op in program.ops if "Filter" in op.inputs and op.role == "forward")
    parts = [origin.kind, version, f"{len(program.ops)} ops", f"{convolutions} convolutions"]
    if len(program.blocks) > 1:
        parts.insert(2, f"{len(program.blocks)} blocks")
    parts.append(f"{shown} of {count} variables")
    return printable(f"{role + ': ' if role else ''}{origin.source}") + f"\n  {', '.join(parts)}"


def table(listings: list[tuple[VarUse, ...]], width: int) -> str:
    """The listings side by side, with as many columns as the width allows.

    A name that is too long for its column stands on a line of its own, whole.
    """
    share = (width - len(_BETWEEN) * (len(listings) - 1)) // len(listings)
    columns = [list(_lines(uses, share)) for uses in listings]
    return "\n".join(
        _BETWEEN.join(f"{cell:<{share}}" for cell in cells).rstrip()
        for cells in zip_longest(*columns, fillvalue="")
    )


def _lines(uses: tuple[VarUse, ...], width: int) -> Iterator[str]:
    rows = [_HEAD, *map(_cells, uses)]
    widths = _widths(rows, width)
    for row in rows:
        if len(row[0]) > widths[0]:
            yield from _chunks(row[0], width)
            row = ("", *row[1:])
        yield " ".join(f"{_cut(c, w):<{w}}" for c, w in zip(row, widths, strict=False))


def _cells(use: VarUse) -> tuple[str, ...]:
    more = f" +{len(use.consumers) - 1}" if len(use.consumers) > 1 else ""
    where = f"{use.block}/" if use.block else ""
    cells = (
        where + use.var.name,
        shape_text(use),
        use.var.dtype,
        _op(use.producer),
        _op(use.consumers[0] if use.consumers else None) + more,
    )
    return tuple(map(printable, cells))


def _op(op: Op | None) -> str:
    return "-" if op is None else f"{op.id} {op.type}"


def _widths(rows: list[tuple[str, ...]], width: int) -> list[int]:
    """Name, shape and dtype as wide as they need; the rest is shared by the two op columns.

    Columns that find no room are left out, from the right.
    """
    needed = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = width - 1 - min(needed[1], _LONGEST_SHAPE)
    needed[0] = min(needed[0], max(_LONGEST_NAME, width - 52), max(room, 8))
    left = width - needed[0] - 1
    widths = needed[:1]
    for size in needed[1:3]:
        if left >= min(size, _SHORTEST_OP):
            widths.append(min(size, left))
            left -= widths[-1] + 1
    if len(widths) == 3 and left > 2 * _SHORTEST_OP:
        first = min(needed[3], (left - 1) // 2)
        widths += [first, min(needed[4], left - 1 - first)]
    return widths


def _cut(text: str, width: int) -> str:
    """Shorten in the middle, so that the op's number and ``+2`` stay."""
    if len(text) <= width:
        return text
    head, plus, count = text.partition(" +")
    tail = plus + count
    return head[: max(1, width - 1 - len(tail))] + "…" + tail


def _chunks(text: str, width: int) -> Iterator[str]:
    for start in range(0, len(text), width):
        yield text[start : start + width]
