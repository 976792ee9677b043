"""Match the ops of two versions of a program by structure; names only decide between equals.

Passes, each over what the ones before have left:
    1. Ops whose whole past (all that leads to them) and whole future (all that they lead to)
       are alike. Pruning changes sizes only, so this matches a pruned program in full.
    2. Ops whose past is alike, or whose future is: what stands before a first edit and after a
       last one.
    3. Neighbours of matched ops, where the choice is clear.
    4. The longest common subsequence of what is left between matched ops, in a topological order
       that follows structure; first of ops with like surroundings, then of like ops.
    5. Neighbours again, now of one kind rather than one type: a relu that became a hard_swish.

Everything is linear in ops and edges, but for sorting and for the fourth pass, whose work for
each op is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from graphprobe.drawing.dag import topological_order
from graphprobe.drawing.diff.matching import Matching
from graphprobe.drawing.graph import Item, ItemGraph
from graphprobe.ops.kinds import is_depthwise, kind_of, label_of

_RADII = (12, 6, 3)
# A convolution is also identified by these; counts of channels are not, for pruning changes them.
_ATTRS = (
    "strides", "dilations", "ksize", "pooling_type", "axis", "axes", "perm", "starts", "ends",
    "value", "str_value",
)  # fmt: skip


def align(before: ItemGraph, after: ItemGraph) -> list[int | None]:
    """For each item of `before`, the same item of `after`; None where there is none.

    Args:
        before: the items of the one program.
        after: of the other.
    """
    ends = _End(before), _End(after)
    matching = Matching(*ends)
    labels = [end.labels for end in ends]
    past = _hashes(labels, [end.pred for end in ends], backwards=False)
    future = _hashes(labels, [end.succ for end in ends], backwards=True)
    both = [list(zip(p, f, strict=True)) for p, f in zip(past, future, strict=True)]
    for named in (True, False):
        matching.match_groups(both, named=named)
        matching.match_groups(both, named=named, backwards=True)
        matching.match_groups(past, named=named)
        matching.match_groups(future, named=named, backwards=True)
    matching.spread(labels)
    if matching.is_open:
        for radius in _RADII:
            around = _surroundings(ends, radius)
            matching.match_unique(around)
            matching.spread(labels)
        orders = [end.order(keys) for end, keys in zip(ends, around, strict=True)]
        for keys in (around, labels):
            matching.match_sequences(keys, orders)
            matching.spread(labels)
        matching.spread([_kinds(before), _kinds(after)])
    matching.untangle(labels)
    return matching.after_of


class _End:
    """One of the two graphs, with what aligning needs of it."""

    def __init__(self, graph: ItemGraph) -> None:
        self.pred, self.succ = graph.dag.pred, graph.dag.succ
        self.labels: list[Hashable] = [_label(graph, item) for item in graph.items]
        self.names = [_name(item) for item in graph.items]
        self.size = len(graph.items)

    def order(self, keys: Sequence[int]) -> list[int]:
        """A topological order that takes what `keys` puts first, and names only between equals."""
        return topological_order(self.succ, [(keys[n], n) for n in range(self.size)])


def _label(graph: ItemGraph, item: Item) -> Hashable:
    op = item.op
    if op is None or item.kind != "op":
        return item.kind
    found: tuple[Hashable, ...] = (label_of(op.type), *(op.attrs.get(name) for name in _ATTRS))
    shape = graph.program.shape(op.input("Filter"), op.block)
    return found if shape is None else (*found, shape[2:], is_depthwise(op, graph.program))


def _kinds(graph: ItemGraph) -> list[Hashable]:
    """A coarse label: the kind of operator; None is equal to nothing."""
    return [kind_of(item.op.type) if item.op is not None else item.kind for item in graph.items]


def _hashes(
    labels: Sequence[Sequence[Hashable]],
    near: Sequence[Sequence[Sequence[int]]],
    *,
    backwards: bool,
) -> list[list[int]]:
    """A number for each item, equal where label and everything on one side of it are alike."""
    known: dict[Hashable, int] = {}
    found = []
    for label, neighbours in zip(labels, near, strict=True):
        number = [0] * len(label)
        for at in range(len(label) - 1, -1, -1) if backwards else range(len(label)):
            key = label[at], tuple(sorted(number[other] for other in neighbours[at]))
            number[at] = known.setdefault(key, len(known))
        found.append(number)
    return found


def _surroundings(ends: Sequence[_End], radius: int) -> list[list[int]]:
    """A number for each item, equal where all within `radius` edges is alike."""
    numbers: list[list[Hashable]] = [list(end.labels) for end in ends]
    for _ in range(radius):
        known: dict[Hashable, int] = {}
        found: list[list[Hashable]] = []
        for end, old in zip(ends, numbers, strict=True):
            found.append([])
            for at in range(end.size):
                key = (
                    old[at],
                    frozenset(Counter(old[u] for u in end.pred[at]).items()),
                    frozenset(Counter(old[v] for v in end.succ[at]).items()),
                )
                found[-1].append(known.setdefault(key, len(known)))
        numbers = found
    return numbers  # type: ignore[return-value]


def _name(item: Item) -> str:
    """What an item is called: by its filter or matrix, otherwise by what it writes."""
    if item.op is not None and item.kind == "op":
        weight = item.op.input("Filter") or item.op.input("Y") or item.op.input("W")
        return f"{weight} {item.name}" if weight is not None else item.name
    return item.name
