"""graphprobe draw: a program, or student and teacher, as PDF, SVG, PNG or HTML."""

from __future__ import annotations

import enum
from pathlib import Path

import typer

from graphprobe.api.patterns import pattern
from graphprobe.errors import UsageError
from graphprobe.files import write_whole

from ._output import can_be_written, say


class LevelName(str, enum.Enum):
    """How far the program is folded."""

    stage = "stage"
    block = "block"
    unit = "unit"
    op = "op"
    raw = "raw"


class Engine(str, enum.Enum):
    """Who draws."""

    graphprobe = "graphprobe"
    irgraph = "irgraph"


def command(
    program: str = typer.Argument(
        ..., metavar="PROGRAM", help="File, folder, zoo:NAME or package.module:callable."
    ),
    output: Path = typer.Option(
        ...,
        "--output",
        "-o",
        callback=can_be_written,
        help="The file to write: .pdf, .svg, .png or .html.",
    ),
    teacher: str = typer.Option(
        None, "--teacher", metavar="PROGRAM", help="Draw this one beside it, with their pairs."
    ),
    pairs: Path = typer.Option(
        None, "--pairs", help="A distillation config: show its pairs (default: find them)."
    ),
    prune: Path = typer.Option(None, "--prune", help="A pruning config: show what it prunes."),
    level: LevelName = typer.Option(
        None, "--level", help="How far to fold (default: what the page holds)."
    ),
    focus: str = typer.Option(
        None, "--focus", metavar="REGEX", help="Only what matches a type or name, and around it."
    ),
    hops: int = typer.Option(2, "--hops", min=0, max=100, help="How far around --focus."),
    engine: Engine = typer.Option(
        Engine.graphprobe, "--engine", help="irgraph: Paddle's own picture, with --level raw."
    ),
) -> None:
    """Draw a program folded so that a person can read it, with prune status and pairs."""
    from graphprobe.drawing import Focus
    from graphprobe.drawing.output import renderer_for
    from graphprobe.programs import load_program

    renderer = renderer_for(str(output))
    around = pattern(focus, "focus")
    near = Focus(around, hops) if around is not None else None
    if engine is Engine.irgraph:
        _check_irgraph(level, output, teacher, near)
        from graphprobe.drawing.irgraph import draw_irgraph

        write_whole(output, draw_irgraph(load_program(program)))
        say(f"wrote {output}")
        return
    from . import _findings

    found = _findings.gather(load_program(program), teacher, pairs, prune)
    for message in found.messages:
        say(f"warning: {message}")
    drawing = found.drawing(level.value if level is not None else None, near)
    write_whole(output, renderer.render(drawing))
    say(f"wrote {output}")


def _check_irgraph(
    level: LevelName | None, output: Path, teacher: str | None, focus: object
) -> None:
    if level is not LevelName.raw or output.suffix.lower() != ".pdf":
        raise UsageError(
            "draws raw PDF files only", where="--engine irgraph", hint="add --level raw -o FILE.pdf"
        )
    if teacher is not None or focus is not None:
        raise UsageError(
            "draws one whole program", where="--engine irgraph", hint="leave out --teacher, --focus"
        )
