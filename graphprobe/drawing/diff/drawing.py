"""Two versions of a program as one drawing; a drawing of one program needs nothing of it."""

from __future__ import annotations

from graphprobe.drawing.diff.changes import compare
from graphprobe.drawing.diff.marking import Version, fold_alike, inverse
from graphprobe.drawing.drawing import AnyLevel, Drawing, colour_sides, make_drawing
from graphprobe.drawing.focus import Focus
from graphprobe.drawing.layout.layout_graph import Engine
from graphprobe.drawing.overlay import ColourBy
from graphprobe.ir import Program


def make_diff(
    before: Program,
    after: Program,
    *,
    level: AnyLevel | None = None,
    focus: Focus | None = None,
    engine: Engine = "layered",
    colour_by: ColourBy = "status",
) -> Drawing:
    """Fold two versions of a program alike and mark what differs.

    Args:
        before: the one version.
        after: the other: pruned, retrained, edited.
        level, focus, engine, colour_by: as for `make_drawing`.
    """
    drawing = make_drawing(before, after, level=level, focus=focus, engine=engine)
    one, two = drawing.sides
    diff = compare(one.fold.graph, two.fold.graph)
    stages = fold_alike(one.fold, two.fold, diff)
    back = inverse(stages, len(one.fold.levels["stage"].dag))
    one.role, two.role = "before", "after"
    one.version = Version(diff, 0, back, two.figures)
    two.version = Version(diff, 1, stages, one.figures)
    colour_sides(drawing.sides, colour_by)
    return drawing
