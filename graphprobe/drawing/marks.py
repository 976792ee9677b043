"""What a drawing shows besides the program: prune decisions and pairs, and their colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphprobe.drawing import palette
from graphprobe.ir import Pair, PruneDecision
from graphprobe.ir.findings import REASONS


@dataclass(frozen=True, slots=True, repr=False)
class Marks:
    """Findings to show in a drawing.

    Args:
        decisions: filter name -> what may be done with that convolution.
        targets: filters that a prune config names.
        after: shapes of parameters after pruning, where a plan is known.
        pairs: student and teacher variables that belong together.
        latency: filter or output variable of a layer -> milliseconds, where measured.
        sensitivity: filter -> the share of the metric lost when its group alone is pruned at
            `ratio`, where measured.
        ratio: see `sensitivity`.
    """

    decisions: Mapping[str, PruneDecision] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    after: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pairs: Sequence[Pair] = ()
    latency: Mapping[str, float] = field(default_factory=dict)
    sensitivity: Mapping[str, float] = field(default_factory=dict)
    ratio: float = 0.5

    def __repr__(self) -> str:
        return f"<Marks: {len(self.decisions)} decisions, {len(self.targets)} targets>"


# Chosen by search so that no two lie close in CIELAB, for full colour vision and as people without
# red or green cones see them (Machado 2009); the word always stands beside the colour.
COLOURS = {
    "prunable": "#108e34",
    "follower": "#74ab79",
    "target": "#053a3b",
    "concat": "#d10b0c",
    "residual": "#3d2466",
    "output": "#d211a6",
    "depthwise": "#05a8f2",
    "grouped": "#1805f2",
    "shared": "#5f50e1",
    "unsupported_op": "#541805",
    "first": "#c49b06",
    "unknown": "#9aa0a6",
}
PAIR = "#d6277a"
MEANING: dict[str, str] = {
    "prunable": "may be pruned",
    "follower": "its channels go with another's",
    "target": "named by the prune config",
    **{reason: text.short for reason, text in REASONS.items()},
    "unknown": "not analysed",
}

CHANGE_COLOURS = {**palette.CHANGE, "same": "#dadce0"}
CHANGE_MEANING = {
    "gone": "only before",
    "new": "only after",
    "narrower": "fewer channels than before",
    "wider": "more channels than before",
    "changed": "another type or other attributes",
    "moved": "reads from other ops than before",
    "same": "no difference",
}
# Every word that a box may have a colour for.
WORD_COLOURS = {**COLOURS, **CHANGE_COLOURS}
WORD_MEANING = {**MEANING, **CHANGE_MEANING}
SILENT = frozenset(("unknown", "same"))  # their colour shows, their word would add nothing


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
