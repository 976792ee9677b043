"""What a report holds before it is a page: figures, sentences, tables, curves and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.pages.curves import CurveSheet

Row: TypeAlias = Sequence[str]


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows of text.

    Args:
        head: the names of the columns; as many as each row has cells.
        rows: from top to bottom.
        title: what the table is called where it is shut.
        colours: of a square in each row; none where the table has no squares.
        square: the column in which they stand.
        note: what was left out, or how figures are meant.
        long: of use to who looks something up: shut on the page, left out on paper.
    """

    head: Row
    rows: Sequence[Row]
    title: str = ""
    colours: Sequence[str] = ()
    square: int = 0
    note: str = ""
    long: bool = False

    def __repr__(self) -> str:
        return f"<Table {self.title!r}: {len(self.rows)} rows>"

    def colour(self, row: int) -> str:
        """The colour of the square of a row, or nothing."""
        return self.colours[row] if self.colours else ""


@dataclass(frozen=True, slots=True, repr=False)
class ImagePair:
    """Two JPEG images of one scene, with what was detected in them."""

    name: str
    before: bytes
    after: bytes

    def __repr__(self) -> str:
        return f"<ImagePair {self.name!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class Section:
    """A chapter of the report.

    Args:
        key: its anchor on the page.
        title: its heading.
        text: sentences, a paragraph each.
        chips: (colour, words) of a key.
        tables: one after another.
        curves: a sheet of curves, or None.
        images: before and after.
    """

    key: str
    title: str
    text: Sequence[str] = ()
    chips: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()
    curves: CurveSheet | None = None
    images: Sequence[ImagePair] = ()

    def __repr__(self) -> str:
        return f"<Section {self.title!r}: {len(self.text)} paragraphs, {len(self.tables)} tables>"


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A whole report.

    Args:
        title: the names of the programs.
        figures: (value, what it is), the few that matter most.
        summary: what a reader who reads no further should know, a sentence each.
        sections: what follows, before the drawing.
        behind: what follows behind it.
        drawing: of the programs.
        messages: what could not be found.
    """

    title: str
    figures: Sequence[tuple[str, str]]
    summary: Sequence[str]
    sections: Sequence[Section]
    drawing: Drawing
    behind: Sequence[Section] = ()
    messages: Sequence[str] = field(default=())

    def __repr__(self) -> str:
        return f"<Document {self.title!r}: {len(self.sections)} sections>"
