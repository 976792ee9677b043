"""A part of a folded program, ready to be laid out: nodes with words, numbers and badges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphprobe.drawing.dag import Dag, make_dag
from graphprobe.drawing.folding.fold import Fold, Level
from graphprobe.drawing.labels import Words, describe
from graphprobe.drawing.marks import Marks
from graphprobe.ir import Op

Engine: TypeAlias = Literal["layered", "dot"]


@dataclass(slots=True)
class LayoutGraph:
    """Nodes to draw and the edges between them.

    Args:
        title: what the view shows.
        dag: the nodes and edges.
        words: the text of each node.
        numbers: what each node is called on other pages.
        badges: the pairs that end in each node, as ``P1``.
        items: the items in each node; empty for a node that stands for another page.
        ops: the ops in each node, likewise.
        names: the variables on each edge.
        notes: what was left out.
        engine: who lays it out.
    """

    title: str
    dag: Dag
    words: list[Words]
    numbers: list[str]
    badges: list[tuple[str, ...]]
    items: list[list[int]]
    ops: list[list[Op]] = field(default_factory=list)
    names: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    engine: Engine = "layered"


def level_view(
    fold: Fold, level: Level, marks: Marks, badges: dict[str, tuple[str, ...]], title: str
) -> LayoutGraph:
    """The whole program at one level.

    Args:
        fold: the folded program.
        level: which level.
        marks: prune decisions.
        badges: variable -> the pairs that it belongs to.
        title: of the view.
    """
    quotient = fold.levels[level]
    found = [_badges(fold, items, badges) for items in quotient.items]
    return LayoutGraph(
        title,
        quotient.dag,
        describe(fold, level, marks),
        [str(n + 1) for n in range(len(quotient.dag))],
        found,
        quotient.items,
        [ops_of(fold, items) for items in quotient.items],
        fold.variables(level),
    )


def ops_of(fold: Fold, items: Sequence[int]) -> list[Op]:
    """The ops among items."""
    return [op for item in items if (op := fold.graph.items[item].op) is not None]


def _badges(
    fold: Fold, items: Sequence[int], badges: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    if not badges:
        return ()
    found: dict[str, None] = {}
    for item in items:
        op = fold.graph.items[item].op
        if op is not None and fold.graph.items[item].kind == "op":
            for name in op.output_names():
                found.update(dict.fromkeys(badges.get(name, ())))
    return tuple(found)


def part(
    view: LayoutGraph, nodes: Iterable[int], title: str, numbers: Sequence[str] | None = None
) -> LayoutGraph:
    """A part of a view, with its neighbours as ports.

    Args:
        view: the whole.
        nodes: which of its nodes.
        title: of the part.
        numbers: new numbers of these nodes (ascending); the ports keep theirs.
    """
    inside = sorted(set(nodes))
    before = sorted({u for v in inside for u in view.dag.pred[v]} - set(inside))
    after = sorted({v for u in inside for v in view.dag.succ[u]} - set(inside) - set(before))
    # Ports in front have no edge into them and ports behind none out of them, so any
    # numbering that puts them first and last is topological. A node that is both is two ports.
    both = [u for u in before if any((n, u) in view.dag.edges for n in inside)]
    chosen = [*((u, True) for u in before), *((n, False) for n in inside)]
    chosen += [(v, True) for v in sorted({*after, *both})]
    place_before = {u: at for at, u in enumerate(before)}
    place = {n: len(before) + at for at, n in enumerate(inside)}
    start = len(before) + len(inside)
    place_after = {v: start + at for at, v in enumerate(sorted({*after, *both}))}
    names: dict[tuple[int, int], tuple[str, ...]] = {}
    for n in inside:
        for u in view.dag.pred[n]:
            names[place.get(u, place_before.get(u, 0)), place[n]] = view.names.get((u, n), ())
        for v in view.dag.succ[n]:
            if v not in place:
                names[place[n], place_after[v]] = view.names.get((n, v), ())
    dag = make_dag(len(chosen), names)
    fresh = list(numbers) if numbers is not None else [view.numbers[n] for n in inside]
    return LayoutGraph(
        title,
        dag,
        [_port(view, n) if port else view.words[n] for n, port in chosen],
        [
            *(view.numbers[u] for u in before),
            *fresh,
            *(view.numbers[v] for v in sorted({*after, *both})),
        ],
        [() if port else view.badges[n] for n, port in chosen],
        [[] if port else view.items[n] for n, port in chosen],
        [[] if port else view.ops[n] for n, port in chosen],
        names,
        engine=view.engine,
    )


def part_without_ports(
    view: LayoutGraph, nodes: Sequence[int], numbers: Sequence[str]
) -> LayoutGraph:
    """A part of a view alone.

    Args:
        view: the whole.
        nodes: which of its nodes, ascending.
        numbers: what they are called.
    """
    place = {n: at for at, n in enumerate(nodes)}
    return LayoutGraph(
        view.title,
        make_dag(
            len(nodes),
            ((place[n], place[v]) for n in nodes for v in view.dag.succ[n] if v in place),
        ),
        [view.words[n] for n in nodes],
        list(numbers),
        [view.badges[n] for n in nodes],
        [view.items[n] for n in nodes],
        [view.ops[n] for n in nodes],
        engine=view.engine,
    )


def _port(view: LayoutGraph, node: int) -> Words:
    return Words(view.words[node].title, (), (), "port")
