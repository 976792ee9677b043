"""DOT: the folded graph as text for Graphviz, xdot and whatever else reads it."""

from __future__ import annotations

from typing import Any

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.installed import graphviz
from graphprobe.drawing.marks import PAIR, SILENT, WORD_COLOURS
from graphprobe.drawing.networkx_graphs import Graph, drawing_graph
from graphprobe.drawing.pages.picture import picture_level
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean, shorten
from graphprobe.errors import UsageError

_WIDEST = 260.0


def render(drawing: Drawing) -> bytes:
    """A drawing as DOT source; ``dot -Tsvg FILE`` draws it.

    Raises:
        MissingDependency: networkx or the package graphviz is not installed.
        UsageError: the raw level, which is no folded graph.
    """
    level = drawing.level or picture_level(drawing)
    if level == "raw":
        raise UsageError("level raw is not for .dot", hint="take level op, unit, block or stage")
    return source(drawing_graph(drawing, level), drawing).encode("utf-8", "backslashreplace")


def source(graph: Graph, drawing: Drawing) -> str:
    """DOT source of a graph of a drawing."""
    font = {"fontname": "DejaVu Sans Condensed", "fontsize": "9"}
    made = graphviz().Digraph(
        graph_attr={"label": _text(drawing.title), "labelloc": "t", "ranksep": "0.3", **font},
        node_attr={"shape": "box", "style": "rounded,filled", "height": "0.3", **font},
        edge_attr={"color": palette.WIRE, "arrowsize": "0.6", **font},
    )
    # Nodes are called n0, n1, ...: names of variables may hold what DOT reads as syntax.
    number = {node: f"n{at}" for at, node in enumerate(graph)}
    for at, side in enumerate(drawing.sides):
        name = f"cluster_{at}" if side.role else None
        with made.subgraph(name=name) as part:
            if side.role:
                part.attr(label=_text(f"{side.role}: {side.name}"), color=palette.FAINT)
            for node, attributes in graph.nodes(data=True):
                if attributes["role"] == side.role:
                    part.node(number[node], **_node(attributes))
    for u, v, attributes in graph.edges(data=True):
        made.edge(number[u], number[v], **_edge(attributes))
    text: str = made.source
    return text


def _node(attributes: dict[str, Any]) -> dict[str, str]:
    kind, statuses = attributes["kind"], attributes["statuses"]
    words = ", ".join(f"{count} {word}" for word, count in statuses.items() if word not in SILENT)
    first = f"{attributes['number']}  {attributes['title']}"
    lines = [first, *attributes["lines"], words, " ".join(attributes["pairs"])]
    most = max(statuses, key=lambda word: statuses[word], default="unknown")
    return {
        "label": "\\l".join(_text(line) for line in lines if line) + "\\l",
        "fillcolor": palette.FILL[kind],
        "color": WORD_COLOURS[most] if most not in SILENT else palette.FRAME[kind],
    }


def _edge(attributes: dict[str, Any]) -> dict[str, str]:
    if attributes["kind"] != "pair":
        return {"tooltip": _text(", ".join(attributes["vars"]))}
    label = f"{attributes['name']}: {attributes['loss']} × {attributes['weight']:g}"
    return {"label": _text(label), "color": PAIR, "fontcolor": PAIR, "style": "dashed",
            "dir": "none", "constraint": "false"}  # fmt: skip


def _text(text: str) -> str:
    """Text that DOT takes literally: no escapes, no end of the string, not too wide."""
    escaped: str = graphviz().escape(shorten(clean(text), 9.0, _WIDEST))
    return escaped


RENDERER = Renderer("dot", render)
