"""Numbers that a drawing shows: parameters, multiply-adds and channels, op by op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphprobe.drawing.graph import is_state
from graphprobe.drawing.marks import COLOURS, Marks, status
from graphprobe.ir import Op, Program
from graphprobe.ops.kinds import has_weights, is_transposed
from graphprobe.ops.work.count import (
    NetworkSize,
    count_work,
    multiply_adds,
    network_size,
    parameters_of_ops,
)


@dataclass(frozen=True, slots=True, repr=False)
class Figures:
    """What is known of each op of a program.

    Args:
        flops: op id -> multiply-adds for one image, of layers with weights and of products.
        params: op id -> numbers in the trained parameters that it is the first to read.
        channels: op id of a convolution -> its output channels.
        kept: the same after pruning, where a plan is known.
        latency: op id -> milliseconds, where a table was given.
        sensitivity: op id of a convolution -> the share of the metric that pruning its group
            costs, where it was measured.
        unmeasured: ids of layers with weights that the tables lack, by table.
        uncounted: ids of ops whose multiply-adds are not known.
        size: of the whole program.
        pruned: of the whole program after pruning, where a plan is known.
    """

    flops: Mapping[int, int] = field(default_factory=dict)
    params: Mapping[int, int] = field(default_factory=dict)
    channels: Mapping[int, int] = field(default_factory=dict)
    kept: Mapping[int, int] = field(default_factory=dict)
    latency: Mapping[int, float] = field(default_factory=dict)
    sensitivity: Mapping[int, float] = field(default_factory=dict)
    unmeasured: Mapping[str, frozenset[int]] = field(default_factory=dict)
    uncounted: frozenset[int] = frozenset()
    size: NetworkSize | None = None
    pruned: NetworkSize | None = None

    def __repr__(self) -> str:
        return f"<Figures: {self.size}>"

    def line(self, ops: Iterable[Op]) -> str:
        """Parameters and multiply-adds of some ops, as ``1.2 M params · 3.4 G MACs``."""
        ids = [op.id for op in ops]
        params = sum(self.params.get(i, 0) for i in ids)
        flops = sum(self.flops.get(i, 0) for i in ids)
        parts = [f"{short(params)} params"] if params else []
        least = "at least " if any(i in self.uncounted for i in ids) else ""
        if flops or least:
            parts.append(f"{least}{short(flops)} MACs")
        return " · ".join(parts)


def measure(program: Program, marks: Marks, pruned: NetworkSize | None = None) -> Figures:
    """The figures of a program. Linear in its size.

    Args:
        program: any program; H and W that it leaves open count as 608.
        marks: with the shapes after pruning, where a plan is known.
        pruned: the size of the whole program after the plan; without it the shapes of the weights
            decide, which know nothing of layers over the H or W of a smaller map.
    """
    if pruned is None and marks.after:
        pruned = network_size(program, None, marks.after)
    work = count_work(program)
    flops: Counter[int] = Counter()
    for use in work.uses:
        flops[use.op] += multiply_adds([use])
    for product in work.products:
        flops[product.op] += product.macs
    channels, kept = {}, {}
    for op in program.ops:
        if op.role != "forward":
            continue
        count = channels_made(op, program.shape(op.input("Filter"), op.block))
        if count is not None:
            channels[op.id] = count
            after = channels_made(op, marks.after.get(op.input("Filter") or ""))
            kept[op.id] = count if after is None else after
    size = network_size(program)
    gaps = frozenset(gap.op for gap in work.gaps)
    left = kept if marks.after else {}
    params = parameters_of_ops(program)
    found = Figures(flops, params, channels, left, uncounted=gaps, size=size, pruned=pruned)
    return with_tables(found, program, marks)


def with_tables(figures: Figures, program: Program, marks: Marks) -> Figures:
    """The figures of a program with what tables by layer hold on it."""
    latency, slow = _measured(program, marks.latency)
    sensitivity, deaf = _measured(program, marks.sensitivity)
    unmeasured = {"latency": slow, "sensitivity": deaf}
    return replace(figures, latency=latency, sensitivity=sensitivity, unmeasured=unmeasured)


def _measured(
    program: Program, table: Mapping[str, float]
) -> tuple[dict[int, float], frozenset[int]]:
    """The ops that a table by layers names, and the convolutions and linear layers it lacks."""
    if not table:
        return {}, frozenset()
    found: dict[int, float] = {}
    lacking: set[int] = set()
    for op in program.ops:
        if op.role != "forward":
            continue
        own = (name for name in op.input_names() if is_state(program, name, op.block))
        names = (*own, *op.output_names())
        value = next((table[name] for name in names if name in table), None)
        if value is not None:
            found[op.id] = value
        elif has_weights(op.type):
            lacking.add(op.id)
    return found, frozenset(lacking)


def channels_made(op: Op, shape: Sequence[int] | None) -> int | None:
    """The output channels of a convolution with a filter of this shape; None for other ops."""
    if op.input("Filter") is None or shape is None or len(shape) < 2 or min(shape) <= 0:
        return None
    return shape[1] * op.get_int("groups", 1) if is_transposed(op.type) else shape[0]


def shares(figures: Figures, marks: Marks, ops: Iterable[Op]) -> tuple[tuple[str, float], ...]:
    """The prune statuses of some ops and the share of output channels that each has."""
    if not marks.decisions and not marks.targets:
        return ()
    found: Counter[str] = Counter()
    for op in ops:
        if op.id in figures.channels:
            found[status(marks, op.input("Filter"))] += figures.channels[op.id]
    total = sum(found.values())
    return tuple((word, found[word] / total) for word in COLOURS if found[word])


def kept_share(figures: Figures, ops: Iterable[Op]) -> float | None:
    """The share of output channels that stay after pruning; None without a plan or channels."""
    ids = [op.id for op in ops if op.id in figures.kept]
    total = sum(figures.channels[i] for i in ids)
    return sum(figures.kept[i] for i in ids) / total if total else None


def short(count: float) -> str:
    """A count in three digits: ``12``, ``3.71 k``, ``24.2 M``, ``21.7 G``."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.3g}{name}"
    return f"{count:.3g}"


def change_text(old: float, now: float) -> str:
    """How much a count has changed: ``-46%``, ``+3.2%``; from nothing, the count itself."""
    if not old:
        return f"+{short(now)}"
    share = now / old - 1
    return f"{share:+.0%}" if abs(share) >= 0.0995 or not share else f"{share:+.1%}"


def compared_text(old: NetworkSize | None, now: NetworkSize) -> str:
    """A program's size against an older one, as ``-50% parameters · -46% multiply-adds``."""
    if old is None:
        return ""
    parts = (
        (old.params, now.params, "parameters"),
        (old.flops + old.products, now.flops + now.products, "multiply-adds"),
        (old.megabytes, now.megabytes, "MB"),
    )
    texts = [f"{change_text(a, b)} {word}" for a, b, word in parts if a != b]
    return " · ".join(texts) or "parameters and multiply-adds are the same"


def size_text(size: NetworkSize) -> str:
    """A program's size as ``24.3 M parameters · 19.6 G multiply-adds · 92.8 MB``."""
    flops = f"{short(size.flops + size.products)} multiply-adds"
    if size.uncounted:
        flops = f"more than {flops} ({len(size.uncounted)} kinds of ops not counted)"
    return f"{short(size.params)} parameters · {flops} · {size.megabytes:.3g} MB"
