"""Rows of text in columns: pairs, convolutions and parameters, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.labels import convolutions, phrase, shape_text
from graphprobe.drawing.layout.boxes import MIN_TEXT
from graphprobe.drawing.marks import CHANGE_COLOURS, COLOURS, PAIR, status
from graphprobe.drawing.pages.sheet import A4, FOOT, HEAD, MARGIN, Bar, Page, Text
from graphprobe.drawing.text import shorten

if TYPE_CHECKING:
    from graphprobe.drawing.diff.changes import Diff

_STEP = 8.6
_ROW = MIN_TEXT + 0.3
_INDENT = 10.0
_MOST_ROWS = 3000
_GAP = 8.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its indent, its words, their colour, and the colour of a square before it."""

    indent: float
    text: str
    colour: str = palette.INK
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading, in a number of columns.

    Args:
        heading: bold, and a bookmark.
        rows: from top to bottom, column by column.
        columns: of this section.
        note: in small print under the heading.
    """

    heading: str
    rows: Sequence[Row]
    columns: int = 1
    note: str = ""


def table_pages(drawing: Drawing) -> list[Page]:
    """The pairs in words, every convolution with its reason, every other parameter."""
    sections = []
    if drawing.pairs:
        heading = f"{len(drawing.pairs)} pairs of student and teacher"
        sections.append(Section(heading, list(_pair_rows(drawing))))
    if drawing.diff is not None:
        sections.append(_changes(drawing, drawing.diff))
    for side in drawing.sides if drawing.diff is None else ():
        sections += [found for found in (_convolutions(side), _parameters(side)) if found.rows]
    pages = list(_pages(sections))
    for page in pages:
        page.heading = "tables"
        page.notes = [f"{s.role}: {s.counts()}" if s.role else s.counts() for s in drawing.sides]
    return pages


def _pages(sections: Sequence[Section]) -> Iterator[Page]:
    most = int((A4[1] - 2 * MARGIN - HEAD - FOOT) / _STEP)
    page, line = Page(A4, ""), 0
    for section in sections:
        if line > most - 8:
            yield page
            page, line = Page(A4, ""), 0
        line = _heading(page, section, line)
        rows = list(section.rows)
        while rows:
            if line >= most:
                yield page
                page, line = Page(A4, ""), 0
            taken = rows[: (most - line) * section.columns]
            rows = rows[len(taken) :]
            high = -(-len(taken) // section.columns)
            for column in range(section.columns):
                part = taken[column * high : (column + 1) * high]
                _write(page, part, line, column, section.columns)
            line += high
        line += 2
    if page.texts:
        yield page


def _heading(page: Page, section: Section, line: int) -> int:
    y = MARGIN + HEAD + _STEP * (line + 1)
    page.texts.append(Text(MARGIN, y, section.heading, 8.5, True))
    page.bookmarks.append(section.heading)
    if section.note:
        room = A4[0] - 2 * MARGIN
        text = shorten(section.note, _ROW, room)
        page.texts.append(Text(MARGIN, y + _STEP, text, _ROW, False, palette.FAINT))
    return line + 2 + bool(section.note)


def _write(page: Page, rows: Sequence[Row], line: int, column: int, columns: int) -> None:
    step = (A4[0] - 2 * MARGIN) / columns
    for at, row in enumerate(rows):
        x = MARGIN + step * column + row.indent
        y = MARGIN + HEAD + _STEP * (line + at + 1)
        shown = shorten(row.text, _ROW, step - row.indent - _GAP)
        page.texts.append(Text(x, y, shown, _ROW, False, row.colour))
        if row.mark is not None:
            page.bars.append(Bar(x - 8.0, y - 4.8, 5.0, 5.0, row.mark))


def _pair_rows(drawing: Drawing) -> Iterator[Row]:
    for number, p in enumerate(drawing.pairs, 1):
        part = f", {p.part}" if p.part else ""
        yield Row(0.0, f"P{number}  {p.student} → {p.teacher}", PAIR)
        yield Row(
            _INDENT,
            f"{p.role}{part}: {p.term} · {shape_text(p.student_shape)} and "
            f"{shape_text(p.teacher_shape)} · rule {p.rule}, score {p.score:g}",
        )
        for reason in p.evidence:
            yield Row(_INDENT, reason, palette.FAINT)


def _changes(drawing: Drawing, diff: Diff) -> Section:
    """Every op that differs, by the number of its stage: those of before, then the new ones."""
    from graphprobe.drawing.diff.changes import Change
    from graphprobe.drawing.diff.marking import diff_text

    rows = []
    for side in drawing.sides:
        version = side.version
        stage_of = side.fold.levels["stage"].node_of
        for at, item in enumerate(side.fold.graph.items):
            change = diff.changes[version.side][at] if version is not None else Change("same")
            if version is None or change.kind == "same" or not diff.counts_for(version.side, at):
                continue
            if version.side == 1 and change.kind != "new":
                continue
            where = f"{side.role} {stage_of[at] + 1}"
            what = phrase(side.fold, [at]) if item.kind == "op" else item.kind
            text = f"{where}  {change.kind}: {what}  {item.name}"
            more = f"  {'; '.join(change.words)}" if change.words else ""
            rows.append(Row(8.0, text + more, mark=CHANGE_COLOURS[change.kind]))
    note = "each with the number of its stage; layers that only pass fewer channels on are left out"
    return _limited(f"what differs: {diff_text(diff)}", rows, 1, note)


def _convolutions(side: Side) -> Section:
    """Every convolution with the number of its stage, its status and reason."""
    known = side.marks.decisions or side.marks.targets
    rows = []
    for number, items in enumerate(side.fold.levels["stage"].items, 1):
        for op in convolutions(side.fold, items):
            param = op.input("Filter") or ""
            text = f"{number}  {param} {shape_text(side.program.shape(param, op.block))}"
            word = status(side.marks, param)
            if known:
                decision = side.marks.decisions.get(param)
                why = f" · {decision.detail}" if decision is not None and decision.detail else ""
                after = side.marks.after.get(param)
                left = f" → {shape_text(after)}" if after is not None else ""
                text = f"{text}{left} · {word}{why}"
            rows.append(Row(8.0, text, mark=COLOURS[word]) if known else Row(0.0, text))
    return _limited(
        f"{side.role} convolutions".strip(), rows, 2, "each with the number of its stage"
    )


def _parameters(side: Side) -> Section:
    """Every other parameter, so that a search in the file finds its stage."""
    node_of = side.fold.levels["stage"].node_of
    stage: dict[str, int] = {}
    filters = set()
    for at, item in enumerate(side.fold.graph.items):
        if item.op is not None:
            filters.add(item.op.input("Filter"))
            for name in item.op.input_names():
                stage.setdefault(name, node_of[at] + 1)
    found = sorted(
        (stage.get(v.name, 0), v.name, v.shape)
        for v in side.program.parameters
        if v.name not in filters
    )
    rows = [Row(0.0, f"{number}  {name} {shape_text(shape)}") for number, name, shape in found]
    return _limited(
        f"{side.role} parameters".strip(), rows, 3, "all others, each with the number of its stage"
    )


def _limited(heading: str, rows: list[Row], columns: int, note: str) -> Section:
    if len(rows) > _MOST_ROWS:
        note = f"left out: {len(rows) - _MOST_ROWS:,} of {len(rows):,}; {note}"
    return Section(heading, rows[:_MOST_ROWS], columns, note)
