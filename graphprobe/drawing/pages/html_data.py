"""The data of the HTML page: groups that open into each other, ops, variables, findings.

Every group is laid out once, here; the page only moves things apart when a node is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.folding.fold import Level
from graphprobe.drawing.labels import shape_text
from graphprobe.drawing.layout.boxes import Box
from graphprobe.drawing.layout.layout_graph import LayoutGraph, part_without_ports
from graphprobe.drawing.layout.scene import lay_out
from graphprobe.drawing.marks import WORD_COLOURS, WORD_MEANING
from graphprobe.drawing.overlay import MEASURED, TITLES, UNKNOWN, colour_at, value_of
from graphprobe.drawing.pages.html_entries import (
    DTYPE,
    attribute,
    decision_of,
    decisions,
    difference,
    is_omitted,
    pair_of,
    without_defaults,
)
from graphprobe.drawing.text import clean
from graphprobe.ir import Op

_LEVELS: tuple[Level, ...] = ("stage", "block", "unit", "op")
_MAX_NODES = 15_000
_MAX_OPS = 20_000
_MAX_DETAILS = 8_000
_FIRST = 40  # ops that the details of an opened node list
_MAX_WIDTH = 1600.0
_MAX_BOX = 230.0
_MAX_SPAN = 40
_FLAT = 60


class PageData:
    """Collects everything that one page shows."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._groups: list[dict[str, Any]] = []
        self._ops: list[dict[str, Any]] = []
        given = {key for side in drawing.sides for key in MEASURED if getattr(side.figures, key)}
        self._keys = [key for key in TITLES if key not in MEASURED or key in given]
        self._names: dict[str, int] = {}
        self._attrs: dict[str, dict[str, str]] = {}
        self._attrs_at: dict[str, int] = {}
        self._number: dict[tuple[int, int], int] = {}
        self._nodes = 0
        self._closed = 0
        self._full = False
        self._notes: list[str] = list(drawing.notes)

    def document(self) -> dict[str, Any]:
        """The data as plain values, ready for json."""
        roots: list[list[int]] = [[] for _ in self._drawing.sides]
        for side, view in self._drawing.views(_first_level(self._drawing)):
            at = list(self._drawing.sides).index(side)
            roots[at].append(self._grow(at, side, view))
        for group in self._groups:
            for node in group["nodes"]:
                node["ops"] = self._listed(group["side"], node["ops"], node["child"] >= 0)
            group["nodes"] = [without_defaults(node) for node in group["nodes"]]
        if self._closed:
            self._notes.append(f"left out: the insides of {self._closed:,} nodes; take a focus")
        return {
            "title": clean(self._drawing.title),
            "notes": self._notes,
            "sides": [self._side(at, side) for at, side in enumerate(self._drawing.sides)],
            "roots": roots,
            "groups": self._groups,
            "ops": self._ops,
            "names": list(self._names),
            "attrs": list(self._attrs.values()),
            "partners": self._partners(),
            "pairs": [pair_of(pair) for pair in self._drawing.pairs],
            "colours": [[key, TITLES[key]] for key in self._keys],
            "scale": [colour_at(k / 16) for k in range(17)],
            "unknown": UNKNOWN,
            "colourBy": self._drawing.sides[0].overlay.key,
            "legend": [[word, WORD_COLOURS[word], WORD_MEANING[word]] for word in WORD_COLOURS],
        }

    def _grow(self, at: int, side: Side, view: LayoutGraph) -> int:
        """Add a view and, level by level, what its nodes open into."""
        self._notes += [f"{view.title}: {note}" for note in view.notes]
        whole = {level: side.view(level) for level in _LEVELS if side.fold.graph.items}
        root = self._group(at, view)
        queue = [(root, view)]
        for group, shown in queue:
            for node, items in enumerate(shown.items):
                inner = _inside(side, whole, items, shown.numbers[node])
                if inner is None:
                    continue
                if self._nodes + len(inner.dag) > _MAX_NODES:
                    self._closed += 1
                    continue
                self._groups[group]["nodes"][node]["child"] = len(self._groups)
                queue.append((self._group(at, inner), inner))
        return root

    def _group(self, at: int, view: LayoutGraph) -> int:
        boxes, layout = lay_out(view, max_width=_MAX_WIDTH, max_box=_MAX_BOX, max_span=_MAX_SPAN)
        self._nodes += len(boxes)
        nodes = [
            self._node(self._drawing.sides[at], view, box, layout.x, layout.grid.row_of)
            for box in boxes
        ]
        wires = [
            [u, v, [layout.x[point] for point in points]]
            for (u, v), points in sorted(layout.grid.routes.items())
        ]
        wires += [[u, v, None] for u, v in sorted(layout.grid.long)]
        rows = [[n for n in row if n < len(boxes)] for row in layout.grid.layers]
        self._groups.append({"title": view.title, "side": at, "nodes": nodes, "wires": wires,
                             "rows": rows})  # fmt: skip
        return len(self._groups) - 1

    def _node(
        self, side: Side, view: LayoutGraph, box: Box, x: Sequence[float], row: Sequence[int]
    ) -> dict[str, Any]:
        return {
            "n": box.number,
            "t": box.title,
            "full": clean(view.words[box.node].title),
            "l": box.lines,
            "c": [[chip.text, chip.colour, chip.x, chip.row] for chip in box.chips],
            "b": box.band,
            "p": box.badges,
            "k": box.kind,
            "w": round(box.w, 1),
            "h": round(box.h, 1),
            "x": round(x[box.node], 1),
            "r": row[box.node],
            "ops": view.ops[box.node],
            "count": len(view.ops[box.node]),
            "v": [value_of(key, side.figures, view.ops[box.node]) for key in self._keys],
            "child": -1,
        }

    def _listed(self, at: int, ops: Sequence[Op], opens: bool) -> list[int]:
        """The ops of a node by number; one that opens leaves most of them to its inside."""
        room = _FIRST if opens else max(_FIRST, _MAX_OPS - len(self._ops))
        if not opens and len(ops) > room and not self._full:
            self._full = True
            self._notes.append(f"left out: most ops of nodes that do not open, after {_MAX_OPS:,}")
        return [self._op(at, op) for op in ops[:room]]

    def _op(self, at: int, op: Op) -> int:
        """The number of an op on the page; ops are numbered in the order in which they show."""
        key = (at, op.id)
        if key not in self._number:
            self._number[key] = len(self._ops)
            self._ops.append(self._details(at, op, len(self._ops) < _MAX_DETAILS))
            self._ops[-1].update(difference(self._drawing.sides[at], op))
            if len(self._ops) == _MAX_DETAILS + 1:
                self._notes.append(
                    f"left out: attributes of all but the first {_MAX_DETAILS:,} ops"
                )
        return self._number[key]

    def _details(self, at: int, op: Op, full: bool) -> dict[str, Any]:
        """An op, with the numbers of its names and of its attributes, which many ops share."""
        found: dict[str, Any] = {"s": at} if at else {}
        found["t"] = op.type
        for key, slots in (("i", op.inputs), ("o", op.outputs)):
            found[key] = {
                slot: [self._names.setdefault(name, len(self._names)) for name in names]
                for slot, names in sorted(slots.items())
                if names
            }
        if full:
            attrs = {n: attribute(v) for n, v in sorted(op.attrs.items()) if not is_omitted(n)}
            key = repr(attrs)
            found["a"] = self._attrs_at.setdefault(key, len(self._attrs_at))
            self._attrs.setdefault(key, attrs)
        return found

    def _partners(self) -> list[tuple[int, int]]:
        """The numbers of ops that are one op in two versions of a program."""
        diff = self._drawing.diff
        if diff is None:
            return []
        before, after = diff.graphs
        found = []
        for at, other in enumerate(diff.partners[0]):
            mine = before.items[at].op
            theirs = after.items[other].op if other is not None else None
            if mine is not None and theirs is not None:
                numbers = self._number.get((0, mine.id)), self._number.get((1, theirs.id))
                if numbers[0] is not None and numbers[1] is not None:
                    found.append((numbers[0], numbers[1]))
        return found

    def _side(self, at: int, side: Side) -> dict[str, Any]:
        return {
            "role": side.role,
            "name": clean(side.name),
            "counts": side.counts(),
            "vars": self._variables(at, side),
            "convs": {d.param: decision_of(side, d.param) for d in decisions(side)},
        }

    def _variables(self, at: int, side: Side) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        shown = [op for op in side.program.ops if (at, op.id) in self._number]
        for op in shown[:_MAX_DETAILS]:
            for name in (*op.input_names(), *op.output_names()):
                var = side.program.var(name, op.block)
                if var is not None and name not in found:
                    found[name] = [shape_text(var.shape)]
                    if var.persistable or var.dtype != DTYPE:
                        found[name] += [var.dtype, "persistable" if var.persistable else ""]
        return dict(sorted(found.items()))


def _first_level(drawing: Drawing) -> Level:
    """Folded, unless everything fits a screen."""
    units = sum(len(side.fold.levels["unit"].dag) for side in drawing.sides)
    return "unit" if units <= _FLAT else "stage"


def _inside(
    side: Side, whole: dict[Level, LayoutGraph], items: Sequence[int], number: str
) -> LayoutGraph | None:
    """What a node opens into: its parts at the next finer level where it has several."""
    if len(items) < 2:
        return None
    for level in _LEVELS:
        node_of = side.fold.levels[level].node_of
        nodes = sorted({node_of[item] for item in items})
        held = sum(len(side.fold.levels[level].items[n]) for n in nodes)
        if len(nodes) > 1 and held == len(items):
            numbers = [f"{number}.{k + 1}" for k in range(len(nodes))]
            return part_without_ports(whole[level], nodes, numbers)
    return None
