"""Variables, pairs, prune table and drawings of one or two programs on one page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from graphprobe.api.arguments import refuse_no_file, refuse_suffix
from graphprobe.api.findings import PairsLike, PruneLike, gather
from graphprobe.collector import collector_paused
from graphprobe.files import write_whole
from graphprobe.programs import ProgramLike, load
from graphprobe.waits import waiting_for

# Characters of a page that a notebook shows in a frame, and keeps in its file.
_MOST_INLINE = 200_000


@dataclass(frozen=True, repr=False)
class Report:
    """One offline page.

    Args:
        title: the names of the programs.
        html: the page.
        warnings: what could not be found.
    """

    title: str
    html: str
    warnings: tuple[str, ...] = ()

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all, and return the path.

        Raises:
            UsageError: the file's name does not end in .html.
            GraphprobeError: the file cannot be written.
        """
        refuse_other_than_html(path)
        write_whole(Path(path), self.html)
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """``title``, ``html`` and ``warnings``."""
        return {"title": self.title, "html": self.html, "warnings": list(self.warnings)}

    def __repr__(self) -> str:
        return f"<Report on {self.title}: {len(self.html):,} characters>"

    def _repr_html_(self) -> str:
        """The page in a frame; of a large one a line, which keeps the notebook's file small."""
        if len(self.html) > _MOST_INLINE:
            return (
                f"<p>Report on {escape(self.title)}: {len(self.html):,} characters; "
                "<code>write('report.html')</code> makes a page of it.</p>"
            )
        page = escape(self.html, quote=True)
        return f'<iframe style="width:100%;height:40em;border:0" srcdoc="{page}"></iframe>'


@collector_paused()
def report(
    student: ProgramLike,
    output: str | os.PathLike[str] | None = None,
    *,
    teacher: ProgramLike | None = None,
    pairs: PairsLike | None = None,
    prune: PruneLike | None = None,
) -> Report:
    """Make one offline page to hand to a colleague.

    Args:
        student: the program, or the student.
        output: an .html file to write too.
        teacher: shown beside it, with their pairs.
        pairs: a distillation config or what `find_pairs` gave; by default the pairs are found.
        prune: a pruning config or what `find_prunable` gave: what it prunes is marked.

    Raises:
        GraphprobeError: a program or config cannot be read, or a config is for another program.
        UsageError: `output` is no .html file: a second program is given as `teacher`.

    Example:
        >>> student = graphprobe.load("zoo:yolov3_mobilenet_v1")
        >>> graphprobe.report(student, "report.html", teacher="zoo:yolov3_r34").title
        'zoo:yolov3_mobilenet_v1 and zoo:yolov3_r34'
    """
    if output is not None:
        refuse_other_than_html(output)
    from graphprobe.drawing.pages.report import render_report

    found = gather(load(student), teacher, pairs, prune)
    with waiting_for("drawing"):
        drawing = found.drawing()
        page = render_report(drawing, found.messages).decode()
    made = Report(drawing.title, page, tuple(found.messages))
    if output is not None:
        made.write(output)
    return made


def refuse_other_than_html(path: str | os.PathLike[str]) -> None:
    """A report is one HTML file.

    Raises:
        UsageError: the name ends otherwise.
    """
    refuse_no_file(path, hint="give a second program as teacher=PROGRAM")
    refuse_suffix(path, (".html", ".htm"), "a report is one HTML file")
