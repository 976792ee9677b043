"""What a drawing shows besides the program: prune decisions and pairs, and their colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphprobe.ir import Pair, PruneDecision


@dataclass(frozen=True, slots=True)
class Marks:
    """Findings to show in a drawing.

    Args:
        decisions: filter name -> what may be done with that convolution.
        targets: filters that a prune config names.
        after: shapes of parameters after pruning, where a plan is known.
        pairs: student and teacher variables that belong together.
    """

    decisions: Mapping[str, PruneDecision] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    after: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pairs: Sequence[Pair] = ()


# Readable in grey and by most colour-blind people; the word always stands beside the colour.
COLOURS = {
    "prunable": "#1b9e4b",
    "follower": "#2a9fb5",
    "target": "#0b5d2a",
    "concat": "#e08214",
    "residual": "#8e5bb5",
    "output": "#c8372d",
    "depthwise": "#5b7fc7",
    "grouped": "#3d4f91",
    "shared": "#a8327d",
    "unsupported_op": "#6b4423",
    "first": "#b3a100",
    "unknown": "#9aa0a6",
}
PAIR = "#d6277a"
MEANING = {
    "prunable": "may be pruned",
    "follower": "its channels go with another's",
    "target": "named by the prune config",
    "concat": "meets a concat",
    "residual": "tied by an addition",
    "output": "makes an output",
    "depthwise": "depthwise",
    "grouped": "grouped",
    "shared": "filter used twice",
    "unsupported_op": "meets an unknown op",
    "first": "first layer",
    "unknown": "not analysed",
}


def status(marks: Marks, param: str | None) -> str:
    """The word (a key of `COLOURS`) for a convolution with this filter."""
    if param is not None and param in marks.targets:
        return "target"
    decision = marks.decisions.get(param or "")
    if decision is None:
        return "unknown"
    if decision.status == "blocked" and decision.reason is not None:
        return decision.reason
    return decision.status if decision.status != "blocked" else "unknown"
