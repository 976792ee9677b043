"""What is to be drawn: one or two folded programs with their findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

from graphprobe.drawing.figures import Figures, measure
from graphprobe.drawing.focus import Focus, focused, nothing_matches
from graphprobe.drawing.folding.fold import Fold, Level, fold
from graphprobe.drawing.layout.layout_graph import Engine, LayoutGraph, level_view, ops_of
from graphprobe.drawing.marks import Marks
from graphprobe.drawing.overlay import ColourBy, Overlay, value_of
from graphprobe.drawing.raw import empty_view, raw_views
from graphprobe.drawing.text import clean
from graphprobe.errors import UsageError
from graphprobe.ir import Pair, Program

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.drawing.diff.changes import Diff
    from graphprobe.drawing.diff.marking import Version

# 39,000 ops take 8 to 19 seconds by their shape (docs/reliability.md).
MAX_OPS = 40_000

AnyLevel: TypeAlias = Level | Literal["raw"]


@dataclass(slots=True, repr=False)
class Side:
    """One program of a drawing.

    Args:
        role: ``student`` or ``teacher``, ``before`` or ``after``; empty where only one program
            is drawn.
        program: the program.
        fold: the same, folded.
        marks: its prune decisions and targets.
        badges: variable -> the numbers of its pairs, as ``P1``.
        engine: who lays out its views.
        overlay: what the fill of a node shows.
        version: what differs from the other program, where they are two versions of one.
    """

    role: str
    program: Program
    fold: Fold
    marks: Marks
    badges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    engine: Engine = "layered"
    overlay: Overlay = field(default_factory=Overlay)
    version: Version | None = None
    _figures: Figures | None = None
    _views: dict[Level, LayoutGraph] = field(default_factory=dict)
    _counts: str = ""

    def __repr__(self) -> str:
        return f"<Side {self.role} {self.name!r}: {len(self.fold.graph.items)} items>"

    @property
    def name(self) -> str:
        """What the user called the program, on one line, without the folders."""
        source = clean(self.program.origin.source)
        parts = PurePath(source).parts
        if ":" in source or not parts:
            return source or "program"
        return "/".join(parts[-2:])

    @property
    def figures(self) -> Figures:
        """Parameters, multiply-adds and channels of its ops, measured once."""
        if self._figures is None:
            self._figures = measure(self.program, self.marks)
        return self._figures

    @figures.setter
    def figures(self, known: Figures) -> None:
        self._figures = known

    def view(self, level: Level) -> LayoutGraph:
        """The whole program at a level."""
        if level not in self._views:
            self._views[level] = level_view(
                self.fold, level, self.marks, self.badges, self.heading(level)
            )
            self._views[level].engine = self.engine
            if self.version is not None:
                self._views[level] = self.version.marked(self._views[level])
            self._colour(self._views[level], level)
        return self._views[level]

    def _colour(self, view: LayoutGraph, level: Level) -> None:
        if self.overlay.key != "status":
            fills = self.overlay.colours(level, self.figures, view.ops)
            view.words = [replace(w, fill=f) for w, f in zip(view.words, fills, strict=True)]

    def views(self, level: AnyLevel) -> list[LayoutGraph]:
        """The program at a level; the raw level has a view for each role."""
        if level != "raw":
            return [self.view(level)] if self.fold.graph.items else [empty_view()]
        found = list(raw_views(self.program, self.marks, self.badges)) or [empty_view()]
        for view in found:
            view.engine = self.engine
            view.title = self.heading(f"raw {view.title} ops and variables")
        return found

    def heading(self, what: str) -> str:
        """What a view is called."""
        words = {"stage": "the whole model by stages", "block": "blocks", "unit": "units"}
        text = words.get(what, "ops" if what == "op" else what)
        return f"{self.role}: {text}" if self.role else text

    def counts(self) -> str:
        """How much there is, and what of it is not drawn as a node."""
        self._counts = self._counts or self._count()
        return self._counts

    def _count(self) -> str:
        ops = self.program.ops
        forward = sum(1 for op in ops if op.role == "forward")
        backward = sum(1 for op in ops if op.role == "backward")
        parts = [f"{len(ops):,} ops in {len(self.program.blocks)} block(s)"]
        if forward < len(ops):
            parts.append(
                f"drawn: {forward:,} forward; {backward:,} backward and "
                f"{len(ops) - forward - backward:,} optimizer ops are counted on their "
                "forward op (∇)"
            )
        parts.append(f"{len(self.program.parameters):,} parameters")
        if self.fold.graph.cycles:
            parts.append(f"{self.fold.graph.cycles} edges that close a cycle are left out")
        return " · ".join(parts)


@dataclass(slots=True, repr=False)
class Drawing:
    """Everything a renderer needs.

    Args:
        sides: the student (or the only program) first.
        pairs: numbered P1, P2, ... in this order.
        level: what the user insists on, or None.
        focus: the neighbourhood asked for, or None.
        notes: what was left out, for every page.
        engine: who lays it out.
    """

    sides: Sequence[Side]
    pairs: Sequence[Pair] = ()
    level: AnyLevel | None = None
    focus: Focus | None = None
    notes: Sequence[str] = ()
    engine: Engine = "layered"

    def __repr__(self) -> str:
        return f"<Drawing of {self.title}: {len(self.pairs)} pairs>"

    @property
    def title(self) -> str:
        """The names of the programs."""
        return (" → " if self.diff else " and ").join(side.name for side in self.sides)

    @property
    def diff(self) -> Diff | None:
        """What differs, where the sides are two versions of one program."""
        version = self.sides[0].version
        return version.diff if version is not None else None

    def to_networkx(self, level: Level = "op") -> nx.DiGraph[str]:
        """The folded programs with their pairs as a networkx graph.

        Args:
            level: how far to fold, where the drawing has no level of its own.

        Returns:
            See `networkx_graphs.drawing_graph`.
        """
        from graphprobe.drawing.networkx_graphs import drawing_graph

        return drawing_graph(self, level)

    def views(self, default: AnyLevel) -> list[tuple[Side, LayoutGraph]]:
        """What to draw, of every side: the level asked for (or `default`), or the focus.

        Raises:
            UsageError: the focus matches nothing.
        """
        level = self.level or (default if self.focus is None else "unit")
        found = [(side, view) for side in self.sides for view in side.views(level)]
        if self.focus is None:
            return found
        focus = self.focus
        near = [(side, focused(side.fold, view, focus)) for side, view in found]
        hits = [(side, view) for side, view in near if view is not None]
        if not hits:
            raise nothing_matches([side.fold for side in self.sides], focus)
        return hits


def check_size(*programs: Program) -> None:
    """Refuse at once programs that are too large to be drawn.

    Raises:
        UsageError: together they have more than `MAX_OPS` ops.
    """
    count = sum(len(program.ops) for program in programs)
    if count > MAX_OPS:
        raise UsageError(
            f"{count:,} ops are more than a drawing takes ({MAX_OPS:,})",
            where=" and ".join(program.origin.source or "program" for program in programs),
            hint="list its variables, find its pairs or what is prunable instead",
        )


def make_drawing(
    program: Program,
    teacher: Program | None = None,
    *,
    marks: Marks | None = None,
    teacher_marks: Marks | None = None,
    pairs: Sequence[Pair] = (),
    figures: Sequence[Figures] = (),
    level: AnyLevel | None = None,
    focus: Focus | None = None,
    engine: Engine = "layered",
    colour_by: ColourBy = "status",
) -> Drawing:
    """Fold the programs so that every pair stays visible.

    Args:
        program: the only program, or the student.
        teacher: drawn beside it.
        marks: findings in `program`.
        teacher_marks: findings in `teacher`.
        pairs: what the two share.
        figures: of both programs, where they are known already.
        level: what to draw; None leaves it to the renderer.
        focus: draw only a neighbourhood.
        engine: who lays it out: our own layers, or Graphviz's ``dot`` where it is installed.
        colour_by: what the fill of a node shows besides the prune status at its edge.
    """
    ours = {p.student for p in pairs}
    sides = [_side("student" if teacher else "", program, marks, ours, _numbered(pairs, "student"))]
    if teacher is not None:
        theirs = {p.teacher for p in pairs}
        sides.append(_side("teacher", teacher, teacher_marks, theirs, _numbered(pairs, "teacher")))
    for side, known in zip(sides, figures, strict=False):
        side.figures = known
    for side in sides:
        side.engine = engine
    colour_sides(sides, colour_by)
    return Drawing(sides, tuple(pairs), level, focus, engine=engine)


def colour_sides(sides: Sequence[Side], key: ColourBy) -> None:
    """Fill the nodes of all programs by one number, on one scale for each level."""
    overlay = Overlay(key)
    for side in sides:
        side.overlay = overlay
    if key != "status":
        overlay.tops.update(_tops(sides, key))


def _tops(sides: Sequence[Side], key: ColourBy) -> dict[str, float]:
    """The largest value of a node at each level, of all programs."""
    tops = {}
    for level in sides[0].fold.levels:
        groups = [
            (side.figures, ops_of(side.fold, items))
            for side in sides
            for items in side.fold.levels[level].items
        ]
        tops[level] = max((value_of(key, f, ops) or 0.0 for f, ops in groups), default=0.0)
    return {str(level): top for level, top in tops.items()}


def _side(
    role: str,
    program: Program,
    marks: Marks | None,
    keep: set[str],
    badges: dict[str, tuple[str, ...]],
) -> Side:
    marks = marks or Marks()
    return Side(role, program, fold(program, keep, marks.targets), marks, badges)


def _numbered(pairs: Sequence[Pair], side: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for number, pair in enumerate(pairs, 1):
        name: str = getattr(pair, side)
        found[name] = (*found.get(name, ()), f"P{number}")
    return found
