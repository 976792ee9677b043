"""The program as it is: every op and every variable a node, one section a role.

Edges between forward, backward and optimizer ops are left out: drawn, they make a layout of a
train program explode, and the forward op's node shows how many gradient ops it has anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.drawing.dag import from_successors, make_dag
from graphprobe.drawing.graph import NO_VARIABLE, ItemGraph, item_graph, natural
from graphprobe.drawing.labels import Words, shape_text
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.marks import Marks, status
from graphprobe.ir import Op, Program

ROLES = ("forward", "backward", "optimizer")


def raw_views(
    program: Program, marks: Marks, badges: dict[str, tuple[str, ...]]
) -> Iterator[LayoutGraph]:
    """A view for each role that the program has.

    Args:
        program: any program.
        marks: prune decisions, to colour convolutions.
        badges: variable -> the pairs that it belongs to.
    """
    for role in ROLES:
        graph = item_graph(program, (role,))
        if any(item.op is not None for item in graph.items):
            yield _view(graph, marks, badges, role)


class _Nodes:
    """Ops and variables under one numbering; a variable is identified by who wrote it."""

    def __init__(self, graph: ItemGraph) -> None:
        self.graph = graph
        self.words: list[Words] = []
        self.keys: list[tuple[object, ...]] = []
        self.variables: list[str] = []
        self.ops: list[list[Op]] = []
        self.succ: list[list[int]] = []
        self.by_variable: dict[tuple[str, int], int] = {}

    def add(self, words: Words, key: tuple[object, ...], variable: str, ops: list[Op]) -> int:
        self.words.append(words)
        self.keys.append(key)
        self.variables.append(variable)
        self.ops.append(ops)
        self.succ.append([])
        return len(self.succ) - 1

    def variable(self, name: str, writer: int, block: int) -> int:
        """The node of a variable; `writer` is the item that wrote it, -1 for none."""
        found = self.by_variable.get((name, writer))
        if found is None:
            var = self.graph.program.var(name, block)
            kind = "param" if var is not None and var.persistable else "var"
            text = shape_text(var.shape) if var is not None else ""
            words = Words(name, (text,) if text else (), (), kind)
            found = self.add(words, (writer, 1, natural(name)), name, [])
            self.by_variable[name, writer] = found
        return found


def _view(
    graph: ItemGraph, marks: Marks, badges: dict[str, tuple[str, ...]], role: str
) -> LayoutGraph:
    nodes = _Nodes(graph)
    for at, item in enumerate(graph.items):
        if item.op is not None:
            _add_op(nodes, at, item.op, marks)
    dag, order, cycles = from_successors(nodes.succ, nodes.keys)
    view = LayoutGraph(
        role,
        dag,
        [nodes.words[n] for n in order],
        [str(n + 1) for n in range(len(dag))],
        [badges.get(nodes.variables[n], ()) for n in order],
        [[] for _ in order],
        [nodes.ops[n] for n in order],
    )
    if role != "forward":
        view.notes.append("edges from ops of other roles are left out")
    if cycles:
        view.notes.append(f"{cycles} edges that close a cycle are left out")
    return view


def _add_op(nodes: _Nodes, at: int, op: Op, marks: Marks) -> None:
    param = op.input("Filter")
    conv = param is not None and op.role == "forward"
    statuses = (status(marks, param),) if conv and (marks.decisions or marks.targets) else ()
    words = Words(op.type, (), statuses, "conv" if conv else "op")
    here = nodes.add(words, (at, 0, ()), "", [op])
    flow, items = nodes.graph.flow, nodes.graph.item_of
    for value in flow.reads(op):
        if value.name != NO_VARIABLE:
            source = nodes.graph.writer(op, value)
            writer = items.get(source, -1) if source is not None else -1
            if writer != at:
                nodes.succ[nodes.variable(value.name, writer, op.block)].append(here)
    for value in flow.writes(op):
        if value.name != NO_VARIABLE:
            nodes.succ[here].append(nodes.variable(value.name, at, op.block))


def empty_view() -> LayoutGraph:
    """A view of a program without ops."""
    return LayoutGraph("empty", make_dag(0, ()), [], [], [], [], notes=["the program has no ops"])
