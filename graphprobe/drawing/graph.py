"""The forward part of a program as a graph of items: its inputs, its ops and its outputs.

Items are numbered by structure, with names only to break ties, so the same program with its ops
in another order gives the same graph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from graphprobe.drawing.dag import Dag, from_successors, make_dag
from graphprobe.ir import Dataflow, Op, Program, Value
from graphprobe.ops.kinds import kind_of

_DIGITS = re.compile(r"(\d+)")
NO_VARIABLE = "@EMPTY@"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to draw.

    Args:
        kind: ``input``, ``op`` or ``output``.
        name: the variable of an input or output; the main variable that an op writes.
        op: the op; None for inputs and outputs that no op stands for.
    """

    kind: str
    name: str
    op: Op | None = None


@dataclass(slots=True, repr=False)
class ItemGraph:
    """The items of a program and the variables that flow between them.

    Args:
        program: where they came from.
        flow: its dataflow.
        items: in canonical order.
        dag: the same numbers as `items`; an edge has the names of the variables that flow along.
        item_of: op id -> item.
        writers: variable -> the op that writes it, where exactly one does.
        cycles: edges left out because they close a cycle.
    """

    program: Program
    flow: Dataflow
    items: list[Item]
    dag: Dag
    item_of: dict[int, int]
    writers: dict[str, int]
    cycles: int = 0

    def __repr__(self) -> str:
        return f"<ItemGraph: {len(self.items)} items, {len(self.dag.edges)} edges>"

    def carried(self, u: int, v: int) -> tuple[str, ...]:
        """The variables on an edge."""
        return self.dag.edges[u, v]

    def writer(self, op: Op, value: Value) -> int | None:
        """The op that a read comes from; None for parameters, inputs and dangling names.

        Where ops stand in disorder, a read before the only write of a variable means that write.
        """
        if value.producer is not None:
            return value.producer
        if is_state(self.program, value.name, op.block):
            return None
        found = self.writers.get(value.name)
        return found if found != op.id else None


@dataclass(slots=True)
class _Draft:
    items: list[Item] = field(default_factory=list)
    edges: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    item_of: dict[int, int] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)

    def add(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts ``conv2d_2`` before ``conv2d_10``."""
    parts = _DIGITS.split(text)
    return tuple((1, int(p), "") if i % 2 else (0, 0, p) for i, p in enumerate(parts) if p)


def item_graph(program: Program, roles: Iterable[str] = ("forward",)) -> ItemGraph:
    """Make the graph of the ops that have one of the roles."""
    flow = program.dataflow
    wanted = frozenset(roles)
    graph = ItemGraph(program, flow, [], make_dag(0, ()), {}, _single_writers(flow))
    draft = _Draft()
    for op in program.ops:
        if op.role in wanted:
            draft.item_of[op.id] = draft.add(_item(op))
    for op in program.ops:
        if op.id in draft.item_of:
            _link_reads(draft, graph, op)
    _add_outputs(draft, flow)
    return _numbered(graph, draft)


_MAIN_SLOTS = ("Output", "Out", "Y")


def main_output(op: Op) -> str:
    """The variable that an op is there for: not its statistics, masks or saved shapes."""
    for slot in _MAIN_SLOTS:
        if op.outputs.get(slot):
            return op.outputs[slot][0]
    return next(op.output_names(), "")


def _item(op: Op) -> Item:
    if kind_of(op.type) == "input":
        return Item("input", next(op.output_names(), ""), op)
    if kind_of(op.type) == "output":
        return Item("output", next(op.input_names(), ""), op)
    return Item("op", main_output(op), op)


def _single_writers(flow: Dataflow) -> dict[str, int]:
    """Variables that exactly one op writes: a read that stands before that op still means it."""
    writers: dict[str, list[int]] = {}
    for value in flow.values:
        if value.producer is not None:
            writers.setdefault(value.name, []).append(value.producer)
    return {name: ids[0] for name, ids in writers.items() if len(set(ids)) == 1}


def is_state(program: Program, name: str, block: int) -> bool:
    """Whether a variable is kept between runs (a parameter, a statistic, a reader)."""
    var = program.var(name, block)
    return var is not None and (var.persistable or var.kind in {"scope", "reader", "raw"})


def _link_reads(draft: _Draft, graph: ItemGraph, op: Op) -> None:
    here = draft.item_of[op.id]
    for value in graph.flow.reads(op):
        source = _source(draft, graph, op, value)
        if source is not None and source != here:
            draft.edges.setdefault((source, here), set()).add(value.name)


def _source(draft: _Draft, graph: ItemGraph, op: Op, value: Value) -> int | None:
    """The item that a read comes from; None for parameters and for ops left out."""
    writer = graph.writer(op, value)
    if writer is not None:
        return draft.item_of.get(writer)
    if value.name == NO_VARIABLE or kind_of(op.type) == "input":
        return None
    if is_state(graph.program, value.name, op.block):
        return None
    if value.name not in draft.inputs:
        draft.inputs[value.name] = draft.add(Item("input", value.name))
    return draft.inputs[value.name]


def _add_outputs(draft: _Draft, flow: Dataflow) -> None:
    """An item for each fetched variable that no fetch op stands for."""
    wanted = set(flow.program.fetches)
    wanted -= {item.name for item in draft.items if item.kind == "output"}
    last: dict[str, int] = {}
    for value in flow.values:
        if value.name in wanted and value.producer in draft.item_of:
            last[value.name] = draft.item_of[value.producer]
    for name in sorted(last):
        draft.edges[last[name], draft.add(Item("output", name))] = {name}


def _numbered(graph: ItemGraph, draft: _Draft) -> ItemGraph:
    successors: list[list[int]] = [[] for _ in draft.items]
    for source, target in draft.edges:
        successors[source].append(target)
    names = {
        edge: tuple(sorted(found, key=natural) if len(found) > 1 else found)
        for edge, found in draft.edges.items()
    }
    dag, order, cycles = from_successors(successors, _keys(draft.items), names)
    rank = {old: new for new, old in enumerate(order)}
    item_of = {op: rank[item] for op, item in draft.item_of.items()}
    items = [draft.items[old] for old in order]
    return replace(graph, items=items, dag=dag, item_of=item_of, cycles=cycles)


def _keys(items: list[Item]) -> list[tuple[object, ...]]:
    """Keys from names and types alone; ops equal in those are distinguished by their attributes."""
    keys = [tuple(_key(item)) for item in items]
    times = Counter(keys)
    return [
        (*key, repr(sorted(item.op.attrs.items())) if item.op and times[key] > 1 else "")
        for key, item in zip(keys, items, strict=True)
    ]


def _key(item: Item) -> Iterator[object]:
    yield natural(item.name)
    yield item.kind
    yield item.op.type if item.op else ""
    yield tuple(item.op.output_names()) if item.op else ()
    yield tuple(item.op.input_names()) if item.op else ()
