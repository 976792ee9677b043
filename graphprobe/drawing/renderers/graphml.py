"""GraphML: the folded graph as data, for yEd, Gephi, Cytoscape or networkx.read_graphml."""

from __future__ import annotations

import json
from typing import Any

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.folding.fold import Level
from graphprobe.drawing.installed import networkx
from graphprobe.drawing.networkx_graphs import Graph, drawing_graph
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean
from graphprobe.errors import UsageError


def render(drawing: Drawing) -> bytes:
    """A drawing as GraphML; without a level, every op is a node.

    Raises:
        MissingDependency: networkx is not installed.
        UsageError: the raw level, which is no folded graph.
    """
    if drawing.level == "raw":
        raise UsageError("level raw is not for .graphml", hint="take level op, unit, block, stage")
    level: Level = drawing.level or "op"
    # The writer that needs no lxml, so that the bytes are the same everywhere.
    lines = networkx().generate_graphml(plain(drawing_graph(drawing, level)))
    return ("\n".join(lines) + "\n").encode()


def plain(graph: Graph) -> Graph:
    """The same graph with attributes that XML can hold: numbers, and text without controls."""
    found: Graph = networkx().DiGraph()
    for node, attributes in graph.nodes(data=True):
        found.add_node(clean(node), **{key: _plain(value) for key, value in attributes.items()})
    for u, v, attributes in graph.edges(data=True):
        values = {key: _plain(value) for key, value in attributes.items()}
        found.add_edge(clean(u), clean(v), **values)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


RENDERER = Renderer("graphml", render)
