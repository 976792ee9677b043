"""Prune decisions as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from graphprobe.api.results import count_text
from graphprobe.ir.findings import REASONS

from ._escape import printable

if TYPE_CHECKING:
    from graphprobe.api.prune_selection import PruneSelection
    from graphprobe.ir import PruneDecision
    from graphprobe.ir.findings import Reason

_STATUSES = ("prunable", "follower", "blocked")


def tables(selection: PruneSelection, width: int) -> Iterator[str]:
    """What people read: each kind of convolution under its own head, then the regex."""
    yield _summary(selection)
    chosen = {g.number: r for g, r in zip(selection.groups, selection.ratios, strict=True)}
    alike = len(set(selection.ratios)) < 2
    for what, rows in (("", selection.decisions), ("fully connected, ", selection.linears)):
        order = sorted(rows, key=lambda d: (_STATUSES.index(d.status), d.reason or ""))
        for (status, reason), group in groupby(order, key=lambda d: (d.status, d.reason)):
            decisions = list(group)
            head = f"{what}{_head(status, reason, len(decisions))}"
            yield "\n" + textwrap.fill(head, width, subsequent_indent="  ")
            names = max(len(printable(d.param)) for d in decisions)
            for d in decisions:
                ratio = chosen.get(d.group)
                note = "not selected" if ratio is None else "" if alike else f"ratio {ratio:.3g}"
                yield from _lines(d, min(names, 44), width, note)
    if selection.unsupported_ops:
        yield "\nUnknown ops that channels reach: " + ", ".join(
            f"{printable(name)} ({count})" for name, count in selection.unsupported_ops.items()
        )
    sizes = selection.sizes()
    for line in sizes:
        yield "\n" + textwrap.fill(line, width)
    if sizes and selection.image is not None:
        yield "counted for images of {} x {} pixels".format(*selection.image)
    if selection.groups:
        count = len(selection.params)
        yield f"\nRegex of the {count} parameters to prune:\n{printable(selection.regex)}"


def _summary(selection: PruneSelection) -> str:
    lines = [printable(selection.program.source)]
    about = f"policy {selection.policy}: "
    lines.append(f"  {about}{_counts('convolution', selection.decisions)}")
    if selection.linears:
        lines.append(f"  {_counts('fully connected layer', selection.linears)}")
    for what, rows in (("filter", selection.decisions), ("weight", selection.linears)):
        own = len({d.param for d in rows})
        if own < len(rows):
            shared = f"a {what} that several layers share has a row for each"
            lines.append(f"  {len(rows)} rows for {count_text(own, what)}: {shared}")
    return "\n".join(lines)


def _counts(what: str, rows: Sequence[PruneDecision]) -> str:
    counts = [(s, sum(d.status == s for d in rows)) for s in _STATUSES]
    parts = ", ".join(f"{count} {_plural(s, count)}" for s, count in counts if count)
    return count_text(len(rows), what) + (f": {parts}" if parts else "")


def _plural(status: str, count: int) -> str:
    return "followers" if status == "follower" and count > 1 else status


def _head(status: str, reason: Reason | None, count: int) -> str:
    if reason is None:
        return f"{status} ({count})"
    if status == "follower":
        return f"follower, {reason} ({count}): pruned with the group they belong to"
    return f"blocked, {reason} ({count}): their {REASONS[reason].about}"


def _lines(d: PruneDecision, names: int, width: int, about: str) -> Iterator[str]:
    name, note = printable(d.param), ""
    if d.status == "prunable":
        note = f"  {about}"
    elif d.status == "follower" and d.at is not None:
        note = f"  {printable(d.detail)}"
    elif d.at is not None and d.at.op != d.op:
        note = f"  at op {d.at.op} {printable(d.at.type)}"
    if len(name) > names:
        yield f"  {name}"
        name = ""
    row = f"  {name:<{names}}  {_shape(d):<14}{note}".rstrip()
    if len(row) > width and note:
        yield row[: -len(note)].rstrip()
        row = _wrapped(note.strip(), width)
    yield row
    if d.status != "blocked":
        return
    elsewhere = d.at is not None and d.at.op != d.op
    if elsewhere and len(d.path) > 1:
        yield _wrapped(_way(d.path), width)
    elif not elsewhere and d.reason in _OWN and d.detail:
        yield _wrapped(f"at op {d.op} itself: {printable(d.detail)}", width)


# Reasons for which the heading is not enough where the layer itself is the cause.
_OWN = ("unsupported_op", "output")


def _way(path: Sequence[str]) -> str:
    """The way, its middle left out where it is long (json has all of it)."""
    names = [printable(name) for name in path]
    if len(names) > 7:
        names = [*names[:3], f"({len(names) - 6} more)", *names[-3:]]
    return " > ".join(names)


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(
        text, width, initial_indent="      ", subsequent_indent="        ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _shape(d: PruneDecision) -> str:
    return "x".join(map(str, d.shape)) or "unknown"
