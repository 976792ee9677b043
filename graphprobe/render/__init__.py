"""Draw programs: fold, lay out once, and paint in one of several formats."""

from graphprobe.render.api import formats, render
from graphprobe.render.drawing import Drawing, make_drawing
from graphprobe.render.focus import Focus
from graphprobe.render.marks import Marks

__all__ = ["Drawing", "Focus", "Marks", "formats", "make_drawing", "render"]
