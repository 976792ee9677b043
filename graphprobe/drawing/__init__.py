"""Draw programs: fold, lay out once, and paint in one of several formats."""

from graphprobe.drawing.drawing import Drawing, check_size, make_drawing
from graphprobe.drawing.focus import Focus
from graphprobe.drawing.marks import Marks
from graphprobe.drawing.networkx_graphs import bipartite_graph, op_graph
from graphprobe.drawing.output import formats, render

__all__ = [
    "Drawing",
    "Focus",
    "Marks",
    "bipartite_graph",
    "check_size",
    "formats",
    "make_drawing",
    "op_graph",
    "render",
]
