"""What programs are, what can be pruned and taught, and what came of it: to hand to a colleague."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprobe.api.arguments import refuse_no_file, refuse_suffix
from graphprobe.api.findings import Findings, Parts, PruneLike, choice_of, gather
from graphprobe.api.given_pairs import PairsLike
from graphprobe.api.measures import LatencyLike, record_of, with_measures
from graphprobe.collector import collector_paused
from graphprobe.errors import UsageError
from graphprobe.files import write_whole
from graphprobe.programs import LoadedProgram, ProgramLike, load
from graphprobe.pruning.ratios import PruneChoice, choose
from graphprobe.waits import waiting_for

if TYPE_CHECKING:
    from graphprobe.api.measured_ratios import SensitivityLike
    from graphprobe.api.runs import RunComparison
    from graphprobe.drawing.report.document import Document

# The folder of a run, or of several.
RunsLike: TypeAlias = "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"
SUFFIXES = (".html", ".htm", ".pdf")
# Characters of a page that a notebook shows in a frame, and keeps in its file.
_MOST_INLINE = 200_000


@dataclass(frozen=True, repr=False)
class Report:
    """A report on one or two programs.

    Args:
        title: the names of the programs.
        document: what it holds.
        warnings: what could not be found.
    """

    title: str
    document: Document
    warnings: tuple[str, ...] = ()

    @cached_property
    def html(self) -> str:
        """The report as one offline page."""
        from graphprobe.drawing.report.page import render_page

        return render_page(self.document)

    def render(self, format: str = "html") -> bytes:
        """The report as ``html`` or ``pdf``.

        Raises:
            UsageError: another format.
        """
        if format == "html":
            return self.html.encode()
        if format != "pdf":
            raise UsageError("must be html or pdf", where=f"format={format!r}")
        from graphprobe.drawing.report.paper import render_paper

        return render_paper(self.document)

    @collector_paused()
    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the report, whole or not at all, and return the path.

        Raises:
            UsageError: the file's name ends neither in .html nor in .pdf.
            GraphprobeError: the file cannot be written.
        """
        refuse_other_suffix(path)
        kind = "pdf" if Path(path).suffix.lower() == ".pdf" else "html"
        write_whole(Path(path), self.render(kind))
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """``title``, ``figures``, ``summary``, ``html`` and ``warnings``."""
        return {
            "title": self.title,
            "figures": {what: value for value, what in self.document.figures},
            "summary": list(self.document.summary),
            "html": self.html,
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        return f"<Report on {self.title}: {len(self.document.sections)} sections>"

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
    sensitivity: SensitivityLike | None = None,
    latency: LatencyLike | None = None,
    runs: RunsLike = (),
    images: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = None,
) -> Report:
    """Make one offline page, or a PDF, to hand to a colleague.

    Args:
        student: the program, or the student.
        output: an .html or .pdf file to write too.
        teacher: shown beside it, with their pairs.
        pairs: a distillation config or what `find_pairs` gave; by default the pairs are found.
        prune: a pruning config or what `find_prunable` gave: what it prunes is marked. Without one
            the report has what half of the channels would save.
        sensitivity: the record of what `sensitivity` measured of the student, or its file.
        latency: milliseconds by layer of the student, or a json file of that.
        runs: folders of runs, whose figures and curves are shown beside each other.
        images: two folders that `predict` drew into from the same images, before and after.

    Raises:
        GraphprobeError: a program, config, run or folder cannot be read, or a config is for
            another program.
        UsageError: `output` is neither .html nor .pdf (a second program is given as `teacher`),
            or the folders of images share none.

    Example:
        >>> student = graphprobe.load("zoo:yolov3_mobilenet_v1")
        >>> graphprobe.report(student, "report.html", teacher="zoo:yolov3_r34").title
        'zoo:yolov3_mobilenet_v1 and zoo:yolov3_r34'
    """
    if output is not None:
        refuse_other_suffix(output)
    compared = _runs(runs)
    loaded = load(student)
    found = with_measures(gather(loaded, teacher, pairs, prune), sensitivity, latency)
    with waiting_for("drawing"):
        parts = Parts()
        what = f"{loaded.source}: what pruning saves"
        choice = parts.get(what, lambda: _choice(loaded, found), None)
        messages = (*found.messages, *parts.faults)
        document = _document(found, choice, messages, sensitivity, compared, images)
        made = Report(document.title, document, messages)
        if output is not None:
            made.write(output)
    return made


def _document(
    found: Findings,
    choice: PruneChoice | None,
    messages: Sequence[str],
    sensitivity: SensitivityLike | None,
    runs: RunComparison | None,
    images: tuple[str | os.PathLike[str], str | os.PathLike[str]] | None,
) -> Document:
    from graphprobe.api import report_sections as made
    from graphprobe.drawing.report import sections
    from graphprobe.drawing.report.document import Document
    from graphprobe.drawing.text import clean

    drawing, planned = found.drawing(), bool(found.plan.groups)
    scores = None if found.teacher is None else [pair.score for pair in found.pairs]
    chapters = [sections.models(drawing)]
    chapters += [sections.pairs(drawing)] if found.teacher is not None else []
    if choice is not None:
        chapters.append(made.savings(choice, found.figures[0], planned=planned))
    chapters += [made.sensitivity(record_of(sensitivity))] if sensitivity is not None else []
    chapters += [made.training(runs)] if runs is not None else []
    chapters += [made.images(Path(images[0]), Path(images[1]))] if images is not None else []
    return Document(
        clean(drawing.title),
        list(made.key_figures(found.figures, choice, scores, runs, planned=planned)),
        list(made.summary(found.figures, choice, scores, runs, planned=planned)),
        chapters,
        drawing,
        [sections.convolutions(drawing), sections.variables(drawing.sides)],
        [clean(message) for message in messages],
    )


def _choice(loaded: LoadedProgram, found: Findings) -> PruneChoice:
    """What the config prunes, or half of the channels of what can be."""
    planned = choice_of(loaded, found.plan)
    return planned if found.plan.groups else choose(planned.found)


def _runs(given: RunsLike) -> RunComparison | None:
    from graphprobe.api.runs import read_runs

    folders = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    return read_runs(folders) if folders else None


def refuse_other_suffix(path: str | os.PathLike[str]) -> None:
    """A report is one HTML or PDF file.

    Raises:
        UsageError: the name ends otherwise.
    """
    refuse_no_file(path, hint="give a second program as teacher=PROGRAM")
    refuse_suffix(path, SUFFIXES, "a report is one HTML or PDF file")
