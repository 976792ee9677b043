"""graphprobe draw: a program, or student and teacher, as PDF, SVG, PNG or HTML."""

from __future__ import annotations

import enum
from pathlib import Path

import typer

from ._output import can_be_written, log, own_prints_to_stderr, warn


class LevelName(str, enum.Enum):
    """How far the program is folded."""

    stage = "stage"
    block = "block"
    unit = "unit"
    op = "op"
    raw = "raw"


class ColourKey(str, enum.Enum):
    """What the fill of a node shows."""

    status = "status"
    macs = "macs"
    flops = "flops"
    params = "params"
    channels = "channels"
    latency = "latency"
    sensitivity = "sensitivity"


class Engine(str, enum.Enum):
    """Who lays out."""

    layered = "layered"
    dot = "dot"
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
        help="The file to write: .pdf, .svg, .png, .html, .dot or .graphml.",
    ),
    teacher: str = typer.Option(
        None, "--teacher", metavar="PROGRAM", help="Draw this one beside it, with their pairs."
    ),
    diff: str = typer.Option(
        None,
        "--diff",
        metavar="PROGRAM",
        help="Draw another version beside it: what is gone, new, narrower.",
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
        Engine.layered,
        "--engine",
        help="layered: no other program; dot: Graphviz, where it is installed; "
        "irgraph: Paddle's own drawing, with --level raw.",
    ),
    color_by: ColourKey = typer.Option(
        ColourKey.status,
        "--color-by",
        help="Colour nodes by a number, with a colour bar: multiply-adds (macs, or flops as "
        "PaddleSlim calls them), parameters, channels, or what was measured.",
    ),
    sensitivity: Path = typer.Option(
        None, "--sensitivity", help="What graphprobe sensitivity wrote: show it by layer."
    ),
    latency: Path = typer.Option(
        None, "--latency", help="A json file of milliseconds by layer: show it by layer."
    ),
) -> None:
    """Draw a program on pages that a person can read.

    Blocks are folded; prune statuses and pairs are shown where they are known.

    Example: graphprobe draw model.pdmodel -o model.pdf --prune prune.yaml
    """
    from graphprobe.api.draw import draw

    with own_prints_to_stderr():
        made = draw(
            program,
            output,
            teacher=teacher,
            diff=diff,
            pairs=pairs,
            prune=prune,
            level=level.value if level is not None else None,
            focus=focus,
            hops=hops,
            engine=engine.value,
            color_by=color_by.value,
            sensitivity=sensitivity,
            latency=latency,
        )
    warn(made.warnings)
    if made.drawing is not None and made.drawing.diff is not None:
        from graphprobe.drawing.diff.marking import diff_text

        log(f"before and after: {diff_text(made.drawing.diff)}")
    log(f"wrote {output}")
