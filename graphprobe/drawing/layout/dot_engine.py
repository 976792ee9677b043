"""Coordinates by Graphviz: boxes of our own sizes, placed and joined by the ``dot`` program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.drawing.dag import Dag, Edge
from graphprobe.drawing.installed import graphviz
from graphprobe.errors import GraphprobeError

if TYPE_CHECKING:
    from graphviz import Digraph

Point: TypeAlias = tuple[float, float]
_INCH = 72.0
_STEPS = 6


@dataclass(frozen=True, slots=True)
class DotLayout:
    """What ``dot`` answers, in points from the top left corner.

    Args:
        width, height: of the whole.
        centres: of the nodes.
        lines: edge -> a line of short straight pieces.
    """

    width: float
    height: float
    centres: list[Point]
    lines: dict[Edge, tuple[Point, ...]]


def dot_layout(
    dag: Dag, sizes: Sequence[tuple[float, float]], gap: tuple[float, float]
) -> DotLayout:
    """Lay out a graph from top to bottom with ``dot``.

    Args:
        dag: the graph.
        sizes: width and height of each node, in points.
        gap: between neighbours in a row, and between rows.

    Raises:
        MissingDependency: the package graphviz is not installed.
        GraphprobeError: ``dot`` is not installed, or fails.
    """
    graph = graphviz().Digraph(
        graph_attr={"nodesep": _inches(gap[0]), "ranksep": _inches(gap[1])},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
    )
    for node, (wide, high) in enumerate(sizes):
        graph.node(str(node), width=_inches(wide), height=_inches(high))
    for u, v in dag.edges:
        graph.edge(str(u), str(v))
    return _read(json.loads(_run(graph)))


def _inches(points: float) -> str:
    return f"{points / _INCH:.4f}"


def _run(graph: Digraph) -> str:
    try:
        text: str = graph.pipe(format="json0", encoding="utf-8", quiet=True)
    except graphviz().ExecutableNotFound as error:
        raise GraphprobeError(
            "is not installed or not on the PATH",
            where="dot",
            hint="install Graphviz (apt install graphviz), or take the layered engine",
        ) from error
    except graphviz().CalledProcessError as error:
        reason = (error.stderr or "").strip().splitlines()[-1:] or ["without a message"]
        raise GraphprobeError(
            f"failed: {reason[0]}", where="dot", hint="take the layered engine"
        ) from error
    return text


def _read(answer: dict[str, object]) -> DotLayout:
    """Turn coordinates from the bottom left into points from the top left corner."""
    _, _, width, height = (float(n) for n in str(answer["bb"]).split(","))
    objects: list[dict[str, str]] = answer.get("objects", [])  # type: ignore[assignment]
    edges: list[dict[str, object]] = answer.get("edges", [])  # type: ignore[assignment]
    centres: list[Point] = [(0.0, 0.0)] * len(objects)
    number = {}
    for at, node in enumerate(objects):
        number[at] = int(node["name"])
        x, y = (float(n) for n in node["pos"].split(","))
        centres[number[at]] = (x, height - y)
    lines = {}
    for edge in edges:
        ends = number[int(str(edge["tail"]))], number[int(str(edge["head"]))]
        lines[ends] = tuple((x, height - y) for x, y in _spline(str(edge["pos"])))
    return DotLayout(width, height, centres, lines)


def _spline(text: str) -> list[Point]:
    """The points of an edge: cubic pieces, cut into short straight ones, and the arrow's tip."""
    tip: list[Point] = []
    control: list[Point] = []
    for word in text.split():
        parts = word.split(",")
        if parts[0] == "e":
            tip = [(float(parts[1]), float(parts[2]))]
        elif parts[0] != "s":
            control.append((float(parts[0]), float(parts[1])))
    points = control[:1]
    for at in range(0, len(control) - 3, 3):
        points += (_bezier(control[at : at + 4], k / _STEPS) for k in range(1, _STEPS + 1))
    return points + tip


def _bezier(p: Sequence[Point], t: float) -> Point:
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    x, y = (a * p[0][i] + b * p[1][i] + c * p[2][i] + d * p[3][i] for i in (0, 1))
    return round(x, 2), round(y, 2)
