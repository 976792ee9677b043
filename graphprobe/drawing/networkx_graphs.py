"""Programs and drawings as networkx graphs, for algorithms and tools of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprobe.drawing.folding.fold import Level
from graphprobe.drawing.graph import NO_VARIABLE, item_graph
from graphprobe.drawing.installed import networkx
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.ir import Program

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.drawing.drawing import Drawing, Side

Graph: TypeAlias = "nx.DiGraph[str]"


def op_graph(program: Program) -> Graph:
    """The forward ops of a program and what flows between them.

    Returns:
        A graph with a node for each forward op, input and output. Nodes are strings (``op 12``,
        ``input image``) with the attributes ``kind`` (op, input, output), ``type``, ``id`` (of
        the op; -1 for none), ``variable`` (what it mainly writes) and ``shape`` (a tuple, -1
        where a size is unknown; None where nothing is declared). Edges have ``vars``, a tuple of
        names. Edges that close a cycle are left out.
    """
    items = item_graph(program)
    graph: Graph = networkx().DiGraph()
    names = []
    for item in items.items:
        op = item.op
        names.append(f"op {op.id}" if op is not None else f"{item.kind} {item.name}")
        graph.add_node(
            names[-1],
            kind=item.kind,
            type=op.type if op is not None else item.kind,
            id=op.id if op is not None else -1,
            variable=item.name,
            shape=program.shape(item.name, op.block if op is not None else 0),
        )
    for (u, v), found in items.dag.edges.items():
        graph.add_edge(names[u], names[v], vars=found)
    return graph


def bipartite_graph(program: Program) -> Graph:
    """Every op and every version of every variable of a program, of all roles.

    Returns:
        A graph whose nodes have ``bipartite`` (0 for ops, 1 for variables). Ops are ``op 12``
        with ``type``, ``role``, ``block``; variables are ``var NAME`` (``var NAME @ 12`` where
        op 12 has written them) with ``name``, ``shape``, ``dtype``, ``persistable``. Edges have
        ``slots``, a tuple of the op's slots that name the variable.
    """
    flow = program.dataflow
    graph: Graph = networkx().DiGraph()
    for op in program.ops:
        graph.add_node(f"op {op.id}", bipartite=0, type=op.type, role=op.role, block=op.block)
    for value in flow.values:
        if value.name == NO_VARIABLE:
            continue
        reader = value.producer if value.producer is not None else next(iter(value.consumers), 0)
        var = program.var(value.name, program.ops[reader].block)
        graph.add_node(
            _value_node(value.name, value.producer),
            bipartite=1,
            name=value.name,
            shape=var.shape if var is not None else None,
            dtype=var.dtype if var is not None else "",
            persistable=var is not None and var.persistable,
        )
    for op in program.ops:
        reads, writes = flow.inputs[op.id], flow.outputs[op.id]
        for found, inward in ((reads, True), (writes, False)):
            for slot, ids in found.items():
                for value in (flow.values[i] for i in ids):
                    if value.name != NO_VARIABLE:
                        ends = _value_node(value.name, value.producer), f"op {op.id}"
                        _add_slot(graph, *(ends if inward else ends[::-1]), slot)
    return graph


def _value_node(name: str, writer: int | None) -> str:
    return f"var {name}" if writer is None else f"var {name} @ {writer}"


def _add_slot(graph: Graph, u: str, v: str, slot: str) -> None:
    slots = graph.edges[u, v]["slots"] if graph.has_edge(u, v) else ()
    graph.add_edge(u, v, slots=(*slots, slot))


def drawing_graph(drawing: Drawing, level: Level) -> Graph:
    """The folded programs of a drawing at a level, with their pairs.

    Returns:
        A graph whose nodes are ``3`` (``student 3`` and ``teacher 7`` where there are two) with
        the attributes ``role``, ``number``, ``title``, ``lines`` (tuple), ``kind`` (input,
        output, conv, op), ``ops`` (ids), ``types`` (op type -> how many), ``statuses`` (prune
        status -> how many convolutions) and ``pairs`` (as ``P1``). Edges have ``kind``: ``data``
        with ``vars``, or ``pair`` (from student to teacher) with ``name``, ``loss``, ``weight``
        and ``variables``.
    """
    graph: Graph = networkx().DiGraph()
    for side, view in drawing.views(level):
        graph.update(view_graph(side, view))
    _add_pairs(graph, drawing)
    return graph


def view_graph(side: Side, view: LayoutGraph) -> Graph:
    """One program at one level, as in `drawing_graph`."""
    graph: Graph = networkx().DiGraph()
    names = [node_name(side, number) for number in view.numbers]
    for node, words in enumerate(view.words):
        graph.add_node(names[node], role=side.role, **_attributes(view, node), kind=words.kind)
    for u, v in view.dag.edges:
        graph.add_edge(names[u], names[v], kind="data", vars=view.names.get((u, v), ()))
    return graph


def node_name(side: Side, number: str) -> str:
    """What a node is called in these graphs."""
    return f"{side.role} {number}".strip()


def _attributes(view: LayoutGraph, node: int) -> dict[str, Any]:
    words = view.words[node]
    return {
        "number": view.numbers[node],
        "title": words.title,
        "lines": words.lines,
        "ops": tuple(op.id for op in view.ops[node]),
        "types": dict(sorted(Counter(op.type for op in view.ops[node]).items())),
        "statuses": dict(sorted(Counter(words.statuses).items())),
        "pairs": view.badges[node],
    }


def _add_pairs(graph: Graph, drawing: Drawing) -> None:
    ends: dict[str, list[str]] = {}
    for node, badges in graph.nodes(data="pairs"):
        for badge in badges:
            ends.setdefault(badge, []).append(node)
    for name, nodes in _numbered_pairs(drawing):
        if len(ends.get(name, ())) == 2:
            graph.add_edge(*ends[name], kind="pair", name=name, **nodes)


def _numbered_pairs(drawing: Drawing) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, pair in enumerate(drawing.pairs, 1):
        variables = (pair.student, pair.teacher)
        yield f"P{number}", {"loss": pair.loss, "weight": pair.weight, "variables": variables}
