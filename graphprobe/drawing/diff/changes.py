"""What became of each op between two versions of a program, in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from graphprobe.drawing.diff.align import align
from graphprobe.drawing.graph import Item, ItemGraph, is_state
from graphprobe.ir import Op, Program
from graphprobe.ops.kinds import has_weights, is_convolution, label_of

ChangeKind: TypeAlias = Literal["gone", "new", "narrower", "wider", "changed", "moved", "same"]
_MOST_WORDS = 3
# Attributes of how an op is run or where it came from, or that count channels.
_DULL = frozenset(
    (
        "use_cudnn", "use_mkldnn", "use_quantizer", "mkldnn_data_type", "exhaustive_search",
        "fuse_relu_before_depthwise_conv", "with_quant_attr", "is_test", "use_global_stats",
        "trainable_statistics", "fix_seed", "seed", "Scale_in", "Scale_out", "Scale_weights",
        "Scale_in_eltwise", "force_fp32_output", "workspace_size_MB", "use_addto",
        "fuse_with_relu", "fuse_activation", "fuse_alpha", "fuse_beta", "col", "data_layout",
        "fuse_residual_connection", "groups", "shape", "sections", "num", "expand_shape",
        "out_size", "target_shape",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an op.

    Args:
        kind: ``gone`` (only before), ``new`` (only after), ``narrower`` or ``wider`` (fewer or
            more channels), ``changed`` (another type or other attributes), ``moved`` (it reads
            from other ops than before), ``same``.
        words: before and after, as ``[64, 32, 3, 3] → [32, 16, 3, 3]``; empty for ``gone``,
            ``new`` and ``same``.
    """

    kind: ChangeKind
    words: tuple[str, ...] = ()


_GONE, _NEW, _SAME = Change("gone"), Change("new"), Change("same")


@dataclass(slots=True)
class Diff:
    """The difference of two programs, item by item of their forward ops.

    Args:
        graphs: the items before and after.
        changes: for each item of either.
        partners: the same item on the other side; None where there is none.
    """

    graphs: tuple[ItemGraph, ItemGraph]
    changes: tuple[list[Change], list[Change]]
    partners: tuple[list[int | None], list[int | None]]

    def counts(self) -> dict[str, int]:
        """How many ops are gone, new, ...: those that stay are counted once; none of ``same``.

        Ops without weights that only pass fewer channels on are not counted.
        """
        found = Counter(
            change.kind
            for side, changes in enumerate(self.changes)
            for at, change in enumerate(changes)
            if (side == 0 or change.kind == "new") and self.counts_for(side, at)
        )
        return {
            kind: found[kind] for kind in get_args(ChangeKind) if kind != "same" and found[kind]
        }

    def counts_for(self, side: int, item: int) -> bool:
        """Whether an item's change is one of its own and not only passed on."""
        change = self.changes[side][item]
        return change.kind not in ("narrower", "wider") or self.is_layer(side, item)

    def is_layer(self, side: int, item: int) -> bool:
        """Whether an item is a convolution or another op with a trained weight of rank 2 and up."""
        graph = self.graphs[side]
        op = graph.items[item].op
        return op is not None and bool(_weights(graph.program, op))

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return all(change.kind == "same" for side in self.changes for change in side)


def compare(before: ItemGraph, after: ItemGraph) -> Diff:
    """Compare two versions of a program. Linear, but for sorting; weights' values are not read.

    Args:
        before: the forward ops of the one.
        after: of the other.
    """
    there = align(before, after)
    back: list[int | None] = [None] * len(after.items)
    for a, b in enumerate(there):
        if b is not None:
            back[b] = a
    first = [_GONE if b is None else _SAME for b in there]
    second = [_NEW if a is None else _SAME for a in back]
    sources = before.dag.pred, after.dag.pred
    for a, b in enumerate(there):
        if b is None:
            continue
        change = _change(before, after, a, b)
        if change.kind == "same" and _has_moved(sources[0][a], sources[1][b], there, back):
            change = Change("moved", ("reads from other ops",))
        first[a] = second[b] = change
    return Diff((before, after), (first, second), (there, back))


def _change(before: ItemGraph, after: ItemGraph, a: int, b: int) -> Change:
    mine, theirs = before.items[a], after.items[b]
    sizes = list(_sizes(before.program, mine, after.program, theirs))
    words = [f"{_text(old)} → {_text(new)}" for old, new in sizes]
    attributes = list(_attributes(mine.op, theirs.op))
    if sizes and not any(_direction(*pair) is None for pair in sizes):
        less = any(_direction(*pair) == "narrower" for pair in sizes)
        kind: ChangeKind = "narrower" if less else "wider"
        return Change(kind, _shown([*words, *attributes]))
    if sizes or attributes:
        return Change("changed", _shown([*attributes, *words]))
    return _SAME


def _shown(words: Sequence[str]) -> tuple[str, ...]:
    more = len(words) - _MOST_WORDS
    return (*words[:_MOST_WORDS], f"and {more} more") if more > 0 else tuple(words)


def _sizes(
    one: Program, mine: Item, other: Program, theirs: Item
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Shapes that differ: of the weights where an op has some, otherwise of what it writes."""
    old = _weights(one, mine.op) if mine.op is not None else []
    new = _weights(other, theirs.op) if theirs.op is not None else []
    if not old or not new:
        old, new = [_written(one, mine)], [_written(other, theirs)]
    for a, b in zip(old, new, strict=False):
        if a is not None and b is not None and a != b and _known_alike(a, b):
            yield a, b


def _known_alike(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether shapes differ in more than that one leaves a size open."""
    return len(a) != len(b) or any(x != y for x, y in zip(a, b, strict=True) if x >= 0 and y >= 0)


def _written(program: Program, item: Item) -> tuple[int, ...] | None:
    return program.shape(item.name, item.op.block if item.op is not None else 0)


def _weights(program: Program, op: Op) -> list[tuple[int, ...] | None]:
    """The shapes of the filters or matrices of a layer."""
    if not (is_convolution(op.type) or has_weights(op.type)):
        return []
    names = [n for n in op.input_names() if is_state(program, n, op.block)]
    shapes = [program.shape(name, op.block) for name in names]
    return [shape for shape in shapes if shape is not None and len(shape) > 1]


def _direction(old: Sequence[int], new: Sequence[int]) -> ChangeKind | None:
    """Narrower or wider; None where some sizes fall and others rise, or the rank differs."""
    if len(old) != len(new):
        return None
    pairs = [(x, y) for x, y in zip(old, new, strict=True) if x >= 0 and y >= 0 and x != y]
    if all(y < x for x, y in pairs):
        return "narrower"
    return "wider" if all(y > x for x, y in pairs) else None


def _attributes(mine: Op | None, theirs: Op | None) -> Iterator[str]:
    """The type and the attributes that differ, where both versions have them."""
    if mine is None or theirs is None:
        return
    if label_of(mine.type) != label_of(theirs.type):
        yield f"{mine.type} → {theirs.type}"
        return
    for name in sorted(mine.attrs.keys() & theirs.attrs.keys()):
        old, new = mine.attrs[name], theirs.attrs[name]
        if old != new and not _is_omitted(name):
            yield f"{name} {_text(old)} → {_text(new)}"


def _is_omitted(name: str) -> bool:
    return name in _DULL or name.startswith(("op_", "__"))


def _text(value: object) -> str:
    if isinstance(value, tuple):
        text = ", ".join(map(str, value[:8])) + (", …" if len(value) > 8 else "")
        return f"[{text}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _has_moved(
    mine: Iterable[int],
    theirs: Iterable[int],
    there: Sequence[int | None],
    back: Sequence[int | None],
) -> bool:
    """Whether an op reads from others than before; reads from gone and new ops show by those."""
    images = [there[u] for u in mine]
    if None in images or any(back[v] is None for v in theirs):
        return False
    return sorted(v for v in images if v is not None) != sorted(theirs)
