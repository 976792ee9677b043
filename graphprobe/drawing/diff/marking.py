"""Put what differs between two versions of a program on the nodes of a drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphprobe.drawing.diff.changes import Change, Diff
from graphprobe.drawing.figures import Figures, change_text
from graphprobe.drawing.folding.fold import Fold
from graphprobe.drawing.folding.quotient import lift
from graphprobe.drawing.labels import Words
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.ir import Op


@dataclass(slots=True)
class Version:
    """One of two versions of a program.

    Args:
        diff: the difference.
        side: 0 for before, 1 for after.
        stages: for each stage, the same stage of the other version; None where there is none.
        other: the figures of the other version.
    """

    diff: Diff
    side: int
    stages: list[int | None]
    other: Figures = field(default_factory=Figures)

    def change(self, item: int) -> Change:
        """What became of an item."""
        return self.diff.changes[self.side][item]

    def statuses(self, items: Sequence[int]) -> tuple[str, ...]:
        """The kinds of change to show on a node: of its layers, and of whatever else changed by
        itself; where it has none, of its last op."""
        found = tuple(
            self.change(i).kind
            for i in items
            if self.diff.is_layer(self.side, i)
            or (self.change(i).kind != "same" and self.diff.counts_for(self.side, i))
        )
        return found or (self.change(items[-1]).kind,)

    def marked(self, view: LayoutGraph) -> LayoutGraph:
        """A view with the changes as statuses, colours and lines of its nodes."""
        words = [
            self._words(old, items) if items else old
            for old, items in zip(view.words, view.items, strict=True)
        ]
        return replace(view, words=words)

    def _words(self, old: Words, items: Sequence[int]) -> Words:
        statuses = self.statuses(items)
        kinds = set(statuses)
        kind = next(iter(kinds)) if len(kinds) == 1 and "same" not in kinds else old.kind
        lines: tuple[str, ...] = ()
        own = [i for i in items if self.diff.counts_for(self.side, i) and self.change(i).words]
        if len(own) == 1:
            lines = self.change(own[0]).words
        return replace(old, lines=(*lines, *old.lines), statuses=statuses, kind=kind)


def fold_alike(before: Fold, after: Fold, diff: Diff) -> list[int | None]:
    """Give `after` the stages of `before`, so that both can be read stage by stage.

    A block joins the stage in which most of its ops were; a block of new ops joins the stage
    of what it reads. Where that would make a cycle, `after` keeps stages of its own.

    Returns:
        For each stage of `after`, the stage of `before` that shares most ops with it.
    """
    blocks = after.levels["block"]
    stage_of = before.levels["stage"].node_of
    fresh = len(before.levels["stage"].dag)
    group: list[int | None] = []
    for node, items in enumerate(blocks.items):
        votes = Counter(stage_of[p] for i in items if (p := diff.partners[1][i]) is not None)
        found = min(votes, key=lambda stage: (-votes[stage], stage)) if votes else None
        if found is None and after.graph.items[items[0]].kind != "op":
            found = fresh + node
        if found is None:
            near = [group[u] for u in blocks.dag.pred[node]]
            found = max((g for g in near if g is not None and g < fresh), default=None)
        group.append(found)
    chosen = [fresh + node if g is None else g for node, g in enumerate(group)]
    try:
        made = lift(blocks, chosen)
    except ValueError:  # the stages of before would close a cycle
        made = after.levels["stage"]
    after.levels["stage"] = made
    return [_most_shared(items, diff.partners[1], stage_of) for items in made.items]


def _most_shared(
    items: Sequence[int], partners: Sequence[int | None], stage_of: Sequence[int]
) -> int | None:
    votes = Counter(stage_of[p] for i in items if (p := partners[i]) is not None)
    return min(votes, key=lambda stage: (-votes[stage], stage)) if votes else None


def inverse(stages: Sequence[int | None], size: int) -> list[int | None]:
    """The same relation seen from the other version, which has `size` stages."""
    found: list[int | None] = [None] * size
    for at, other in enumerate(stages):
        if other is not None and found[other] is None:
            found[other] = at
    return found


def delta_line(mine: Figures, ops: Sequence[Op], other: Figures, others: Sequence[Op]) -> str:
    """How parameters and multiply-adds of some ops differ from those before, in percent."""
    parts = []
    for word, now, old in (
        ("params", _total(mine.params, ops), _total(other.params, others)),
        ("MACs", _total(mine.flops, ops), _total(other.flops, others)),
    ):
        if now != old:
            parts.append(f"{change_text(old, now)} {word}")
    return " · ".join(parts)


def _total(values: Mapping[int, int], ops: Sequence[Op]) -> int:
    return sum(values.get(op.id, 0) for op in ops)


def diff_text(diff: Diff) -> str:
    """What differs in one line: ``3 gone · 2 new · 21 narrower``."""
    counts = diff.counts()
    text = " · ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return text or "no difference in structure"
