"""Pairs as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphprobe.api.pairs import PairFindings
    from graphprobe.ir import Pair
    from graphprobe.pairing.find import Rejected

from ._escape import printable

_HEAD = ("student", "teacher", "role", "loss", "score")


def tables(found: PairFindings, width: int) -> Iterator[str]:
    """What people read: the pairs, why, and what was left out."""
    if found.pairs:
        yield _summary(found.pairs)
        yield from _pair_lines(found.pairs, width)
    shown = found.alternatives[:_MOST]
    if shown:
        yield "\nNot paired:"
        for item in shown:
            names = " and ".join(name for name in (item.student, item.teacher) if name)
            side = "" if item.student and item.teacher else _side(item)
            yield _wrapped(printable(f"{side}{names} ({item.role}): {item.reason}"), width, "  ")
        if len(found.alternatives) > _MOST:
            yield f"  and {len(found.alternatives) - _MOST} more (--format json lists them)"


_MOST = 12


def _side(item: Rejected) -> str:
    return "student's " if item.student else "teacher's "


def _summary(pairs: Sequence[Pair]) -> str:
    rules = ", ".join(dict.fromkeys(pair.rule for pair in pairs))
    return f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} by {rules}\n"


def _pair_lines(pairs: Sequence[Pair], width: int) -> Iterator[str]:
    """A line a pair and its evidence; a block a pair where the names are too long for that."""
    cells = [_cells(pair) for pair in pairs]
    widths = [max(len(row[i]) for row in (_HEAD, *cells)) for i in range(len(_HEAD))]
    if sum(widths) + 2 * (len(_HEAD) - 1) > width:
        for number, (row, pair) in enumerate(zip(cells, pairs, strict=True)):
            yield from ([""] if number else [])
            yield from _block(row, pair, width)
        return
    yield _line(_HEAD, widths)
    for row, pair in zip(cells, pairs, strict=True):
        yield _line(row, widths)
        yield _wrapped(printable("; ".join(pair.evidence)), width, "    ")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()


def _block(row: Sequence[str], pair: Pair, width: int) -> Iterator[str]:
    """What a pair is, then its names whole, its loss and why."""
    student, teacher, role, loss, score = row
    yield from textwrap.wrap(role, width, subsequent_indent="  ") or ["pair"]
    why = printable("; ".join(pair.evidence))
    for label, text in (
        ("student", student),
        ("teacher", teacher),
        ("loss", f"{loss}, score {score}"),
        ("why", why),
    ):
        yield textwrap.fill(
            text,
            max(width, 40),
            initial_indent=f"  {label:<8} ",
            subsequent_indent=" " * 11,
            break_on_hyphens=False,
        )


def _cells(pair: Pair) -> tuple[str, ...]:
    return (
        printable(pair.student),
        printable(pair.teacher),
        printable(pair.role),
        f"{pair.loss} x {pair.weight:g}",
        f"{pair.score:.2f}",
    )


def _wrapped(text: str, width: int, indent: str) -> str:
    return textwrap.fill(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
