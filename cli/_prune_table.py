"""Prune decisions as text for people, json and csv."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from graphprobe.ir import PruneDecision
from graphprobe.ops.work import NetworkSize, work_text
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.ratios import PruneChoice

from ._output import Rows
from ._var_table import printable

_STATUSES = ("prunable", "follower", "blocked")
_HEADS = {
    "depthwise": "cut with the layer whose channels they have",
    "concat": "their channels are joined with others",
    "residual": "their channels are combined one by one with other layers'",
    "output": "their channels are the answer of the network",
    "grouped": "their channels are tied by groups",
    "shared": "their filter is used more than once",
    "unsupported_op": "their channels reach an op that is not followed",
}


def document(choice: PruneChoice, regex: str) -> dict[str, Any]:
    """The json document."""
    chosen = {group.number for group in choice.groups}
    return {
        "regex": regex,
        "params": choice.params,
        "policy": choice.found.policy,
        "unsupported_ops": choice.found.unsupported,
        "convs": [_conv(d, d.group in chosen) for d in choice.found.decisions],
        "groups": [
            {"group": group.number, "ratio": ratio, "convs": [d.param for d in group.convs]}
            for group, ratio in zip(choice.groups, choice.ratios, strict=True)
        ],
        "before": _size(choice.before),
        "after": _size(choice.after),
    }


def _size(size: NetworkSize) -> dict[str, Any]:
    return {"flops": size.flops, "params": size.params, "megabytes": round(size.megabytes, 3)}


def sizes(choice: PruneChoice) -> list[str]:
    """What the cut comes to, in a line."""
    a, b = choice.before, choice.after
    if not choice.groups or not a.flops:
        return []
    ratios = sorted(set(choice.ratios))
    ratio = f"{ratios[0]:g}" if len(ratios) == 1 else f"{ratios[0]:g} to {ratios[-1]:g}"
    return [
        f"ratio {ratio}: multiply-adds {work_text(a.flops)} -> {work_text(b.flops)} "
        f"(-{1 - b.flops / a.flops:.1%}), parameters {a.params / 1e6:.3g} M -> "
        f"{b.params / 1e6:.3g} M, {a.megabytes:.3g} MB -> {b.megabytes:.3g} MB"
    ]


def _conv(d: PruneDecision, selected: bool) -> dict[str, Any]:
    return {
        "param": d.param,
        "op": d.op,
        "type": d.type,
        "shape": list(d.shape),
        "groups": d.groups,
        "status": d.status,
        "selected": selected,
        "reason": d.reason,
        "at": None if d.at is None else {"op": d.at.op, "type": d.at.type},
        "path": list(d.path),
        "group": d.group,
        "detail": d.detail,
    }


def rows(found: PruneFindings) -> Rows:
    """Head and lines for csv."""
    head = ("param", "op", "type", "shape", "groups", "status", "reason", "at", "path", "group")
    return head, [
        (d.param, d.op, d.type, _shape(d), d.groups, d.status, d.reason or "", _at(d),
         " > ".join(d.path), d.group)
        for d in found.decisions
    ]  # fmt: skip


def tables(choice: PruneChoice, regex: str, width: int, source: str) -> Iterator[str]:
    """What people read: each kind of convolution under its own head, then the regex."""
    found = choice.found
    yield _summary(found, source)
    chosen = {g.number: r for g, r in zip(choice.groups, choice.ratios, strict=True)}
    alike = len(set(choice.ratios)) < 2
    order = sorted(found.decisions, key=lambda d: (_STATUSES.index(d.status), d.reason or ""))
    for (status, reason), group in groupby(order, key=lambda d: (d.status, d.reason)):
        decisions = list(group)
        yield "\n" + _head(status, reason, len(decisions))
        names = max(len(d.param) for d in decisions)
        for d in decisions:
            ratio = chosen.get(d.group)
            note = "not selected" if ratio is None else "" if alike else f"ratio {ratio:.3g}"
            yield from _lines(d, min(names, 44), width, note)
    if found.unsupported:
        yield "\nUnknown ops that channels reach: " + ", ".join(
            f"{name} ({count})" for name, count in found.unsupported.items()
        )
    for line in sizes(choice):
        yield "\n" + textwrap.fill(line, width)
    if choice.groups:
        yield f"\nRegex of the {len(choice.params)} parameters to prune:\n{regex}"


def _summary(found: PruneFindings, source: str) -> str:
    counts = [(s, sum(d.status == s for d in found.decisions)) for s in _STATUSES]
    parts = ", ".join(f"{count} {_plural(s, count)}" for s, count in counts if count)
    total = len(found.decisions)
    lines = [f"{printable(source)}", f"  policy {found.policy}: {total} convolutions: {parts}"]
    return "\n".join(lines)


def _plural(status: str, count: int) -> str:
    return "followers" if status == "follower" and count > 1 else status


def _head(status: str, reason: str | None, count: int) -> str:
    if status == "prunable":
        return f"prunable ({count})"
    about = _HEADS.get(reason or "", "")
    if status == "follower":
        return f"follower, {reason} ({count}): cut with the group they belong to"
    return f"blocked, {reason} ({count}): {about}"


def _lines(d: PruneDecision, names: int, width: int, about: str) -> Iterator[str]:
    name, note = printable(d.param), ""
    if d.status == "prunable":
        note = f"  {about}"
    elif d.status == "follower" and d.at is not None:
        note = f"  {printable(d.detail)}"
    elif d.at is not None and d.at.op != d.op:
        note = f"  at op {d.at.op} {d.at.type}"
    if len(name) > names:
        yield f"  {name}"
        name = ""
    yield f"  {name:<{names}}  {_shape(d):<14}{note}".rstrip()
    if d.status == "blocked" and len(d.path) > 1 and d.at is not None and d.at.op != d.op:
        yield _wrapped(_way(d.path), width)


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


def _at(d: PruneDecision) -> str:
    return "" if d.at is None else f"{d.at.op} {d.at.type}"
