"""Draw a program, or student and teacher with their pairs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphprobe.api.arguments import PatternLike, pattern, refuse_count, refuse_no_file
from graphprobe.api.findings import PruneLike, gather, unknown_operators
from graphprobe.api.given_pairs import PairsLike
from graphprobe.api.measures import LatencyLike, with_measures
from graphprobe.collector import collector_paused
from graphprobe.drawing import Drawing, Focus, check_size
from graphprobe.drawing.focus import refuse_no_match
from graphprobe.drawing.output import render, renderer_for
from graphprobe.drawing.overlay import COLOUR_KEYS, ColourBy
from graphprobe.errors import UsageError, did_you_mean
from graphprobe.files import write_whole
from graphprobe.programs import ProgramLike, load
from graphprobe.waits import waiting_for

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.api.measured_ratios import SensitivityLike
    from graphprobe.drawing.drawing import AnyLevel
    from graphprobe.drawing.folding.fold import Level

_GIVE = {
    "sensitivity": "give the record of a sensitivity measurement",
    "latency": "give a json file of milliseconds by layer",
}
LEVELS: tuple[AnyLevel, ...] = ("stage", "block", "unit", "op", "raw")
ENGINES = ("layered", "dot", "irgraph")


@dataclass(frozen=True, repr=False)
class Picture:
    """A drawing that can be shown in a notebook and written in every format.

    Args:
        title: the names of the programs.
        make: a file name -> the bytes of that format.
        drawing: the programs with their findings; None where Paddle itself draws.
        warnings: what could not be found.
    """

    title: str
    make: Callable[[str], bytes]
    drawing: Drawing | None = None
    warnings: tuple[str, ...] = ()

    def render(self, format: str = "svg") -> bytes:
        """The whole file in a format: ``pdf``, ``svg``, ``png``, ``html``, ``dot`` or ``graphml``.

        Raises:
            UsageError: no such format, or a focus that matches nothing.
        """
        with collector_paused():
            return self.make(f"drawing.{format}")

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write it in the format of the suffix, whole or not at all, and return the path.

        Raises:
            UsageError: as `render`.
            GraphprobeError: the file cannot be written.
        """
        with collector_paused():
            content = self.make(os.fspath(path))
        write_whole(Path(path), content)
        return Path(path)

    def to_networkx(self, level: Level = "op") -> nx.DiGraph[str]:
        """The folded programs as a networkx graph, with prune statuses and pairs.

        Args:
            level: how far to fold (``stage``, ``block``, ``unit`` or ``op``) where the drawing
                has no level of its own.

        Returns:
            A graph whose nodes are ``3`` (``student 3`` and ``teacher 7`` where there are two) with
            ``role``, ``number``, ``title``, ``lines``, ``kind`` (input, output, conv, op), ``ops``
            (their ids), ``types`` (op type -> how many), ``statuses`` (prune status -> how many
            convolutions) and ``pairs`` (as ``P1``). Edges have ``kind``: ``data`` with ``vars``, or
            ``pair`` (from student to teacher) with ``name``, ``loss``, ``weight``, ``variables``.

        Raises:
            MissingDependency: networkx is not installed.
            UsageError: Paddle itself has drawn, or there is no such level.

        Example:
            >>> picture = graphprobe.draw("zoo:yolov3_mobilenet_v1")
            >>> len(picture.to_networkx("stage")) < len(picture.to_networkx("op"))
            True
        """
        if self.drawing is None:
            raise UsageError("Paddle's own drawing is no graph", hint="take another engine")
        if _level(level) == "raw":
            hint = "take op, unit, block or stage, or to_networkx(variables=True) of the program"
            raise UsageError("level raw is no folded graph", where="level", hint=hint)
        return self.drawing.to_networkx(level)

    def to_dict(self) -> dict[str, Any]:
        """``title``, ``programs`` (name -> stages, blocks, units, ops), ``pairs``, ``warnings``."""
        sides = () if self.drawing is None else self.drawing.sides
        return {
            "title": self.title,
            "programs": {
                side.name: {f"{level}s": len(view.dag) for level, view in side.fold.levels.items()}
                for side in sides
            },
            "pairs": 0 if self.drawing is None else len(self.drawing.pairs),
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        return f"<Picture of {self.title}>"

    def _repr_svg_(self) -> str | None:
        return None if self.drawing is None else self.render("svg").decode()


@collector_paused()
def draw(
    program: ProgramLike,
    output: str | os.PathLike[str] | None = None,
    *,
    teacher: ProgramLike | None = None,
    diff: ProgramLike | None = None,
    pairs: PairsLike | None = None,
    prune: PruneLike | None = None,
    level: str | None = None,
    focus: PatternLike | None = None,
    hops: int = 2,
    engine: str = "layered",
    color_by: str = "status",
    sensitivity: SensitivityLike | None = None,
    latency: LatencyLike | None = None,
) -> Picture:
    """Draw a program folded so that a person can read it, with prune status and pairs.

    Args:
        program: the program, or the student.
        output: a file to write too; its suffix is the format.
        teacher: drawn beside it, with their pairs.
        diff: another version of the program (pruned, retrained, edited), drawn beside it: what
            is gone, new, narrower or changed, in colour and numbers.
        pairs: a distillation config or what `find_pairs` gave; by default the pairs are found.
        prune: a pruning config or what `find_prunable` gave: what it prunes is marked.
        level: how far to fold: ``stage``, ``block``, ``unit``, ``op`` or ``raw``; by default what
            the page holds.
        focus: only what matches this regular expression by type or name, and around it.
        hops: how many edges around `focus`.
        engine: who lays out: ``layered`` (no other program), ``dot`` (Graphviz, where it is
            installed; PDF, SVG and PNG), or ``irgraph``: Paddle's own drawing, with level raw,
            as PDF.
        color_by: what the fill of a node shows: ``macs`` or ``flops`` (both: multiply-adds),
            ``params``, ``channels``, ``latency``, ``sensitivity``, or only the prune ``status`` at
            its edge.
        sensitivity: the record of what `sensitivity` measured of `program`, or its file: shown by
            layer.
        latency: milliseconds by layer (filter or output variable), or a json file of that.

    Raises:
        GraphprobeError: a program or config cannot be read, or a config is for another program.
        UsageError: an unknown level, engine or suffix, a focus that matches nothing, `hops`
            below 0, or a diff together with a teacher, pairs, pruning or measures.

    Example:
        >>> graphprobe.draw("zoo:yolov3_mobilenet_v1", "student.pdf", level="block")
        <Picture of zoo:yolov3_mobilenet_v1>
    """
    if output is not None:
        refuse_no_file(output, hint="give a second program as teacher=PROGRAM or diff=PROGRAM")
        renderer_for(os.fspath(output))
    refuse_count(hops, "hops", least=0)
    around = pattern(focus, "focus")
    near = Focus(around, hops) if around is not None else None
    chosen = _level(level)
    if engine == "irgraph":
        _check_irgraph(chosen, output, alone=teacher is None and diff is None and near is None)
        picture = _irgraph(program)
    elif engine in ("layered", "dot"):
        laid_out: Literal["dot", "layered"] = "dot" if engine == "dot" else "layered"
        measures = {"sensitivity": sensitivity, "latency": latency}
        messages: tuple[str, ...] = ()
        if diff is not None:
            if any(given is not None for given in (teacher, pairs, prune, *measures.values())):
                hint = "leave out the teacher, the pairs, the pruning and the measures"
                raise UsageError("compares two versions of one program", where="diff", hint=hint)
            if color_by in measures:
                hint = "colour by macs, params or channels"
                raise UsageError("a diff has no such figures", where=_by(color_by), hint=hint)
            before, after = load(program), load(diff)
            check_size(before.program, after.program)
            from graphprobe.drawing.diff.drawing import make_diff

            with waiting_for("laying out the drawing"):
                drawing = make_diff(
                    before.program,
                    after.program,
                    level=chosen,
                    focus=near,
                    engine=laid_out,
                    colour_by=_colour_key(color_by),
                )
            messages = unknown_operators(before, after)
        else:
            if color_by in measures and measures[color_by] is None:
                raise UsageError("no figures", where=_by(color_by), hint=_GIVE[color_by])
            found = gather(load(program), teacher, pairs, prune)
            found = with_measures(found, sensitivity, latency)
            with waiting_for("laying out the drawing"):
                drawing = found.drawing(chosen, near, laid_out, _colour_key(color_by))
            messages = tuple(found.messages)
        refuse_no_match([side.fold for side in drawing.sides], near)
        picture = Picture(drawing.title, lambda name: render(drawing, name), drawing, messages)
    else:
        hint = did_you_mean(engine, ENGINES) or f"use {', '.join(ENGINES)}"
        raise UsageError(f"nothing draws as {engine!r}", where="engine", hint=hint)
    if output is not None:
        with waiting_for(f"drawing {os.fspath(output)}"):
            picture.write(output)
    return picture


def _by(name: str) -> str:
    return f"color_by={name!r}"


def _colour_key(name: str) -> ColourBy:
    for key in COLOUR_KEYS:
        if key == ("flops" if name == "macs" else name):
            return key
    known = ("macs", *COLOUR_KEYS)
    hint = did_you_mean(name, known) or f"use {', '.join(known)}"
    raise UsageError(f"there is no colour by {name!r}", where="color_by", hint=hint)


def _level(name: str | None) -> AnyLevel | None:
    if name is None:
        return None
    for level in LEVELS:
        if level == name:
            return level
    hint = did_you_mean(name, LEVELS) or f"use {', '.join(LEVELS)}"
    raise UsageError(f"there is no level {name!r}", where="level", hint=hint)


def _check_irgraph(
    level: AnyLevel | None, output: str | os.PathLike[str] | None, *, alone: bool
) -> None:
    where = "engine='irgraph'"
    if level != "raw" or (output is not None and Path(output).suffix.lower() != ".pdf"):
        hint = "add level='raw' and name a .pdf file"
        raise UsageError("draws raw PDF files only", where=where, hint=hint)
    if not alone:
        hint = "leave out the teacher and the focus"
        raise UsageError("draws one whole program", where=where, hint=hint)


def _irgraph(program: ProgramLike) -> Picture:
    from graphprobe.drawing.irgraph import draw_irgraph

    loaded = load(program)
    content = draw_irgraph(loaded.program)

    def make(name: str) -> bytes:
        if Path(name).suffix.lower() != ".pdf":
            raise UsageError("Paddle's own drawing is a PDF", where=name, hint="name a .pdf file")
        return content

    return Picture(loaded.source, make)
