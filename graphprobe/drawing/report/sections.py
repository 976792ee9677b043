"""The chapters that follow from the programs and their findings alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.figures import short
from graphprobe.drawing.labels import shape_text
from graphprobe.drawing.marks import COLOURS, MEANING, status
from graphprobe.drawing.report.document import Section, Table
from graphprobe.drawing.text import clean
from graphprobe.ir import Op, Pair, PruneDecision
from graphprobe.ir.listing import VarUse, list_vars

_MAX_ROWS = 3000
_OPEN = "Where a program leaves H and W of its images open, multiply-adds are for 608x608."


def models(drawing: Drawing) -> Section:
    """What the programs are and how large they are."""
    rows = []
    for side in drawing.sides:
        size, pruned = side.figures.size, side.figures.pruned
        for words, found in (("", size), ("after pruning", pruned)):
            if found is None:
                continue
            least = "at least " if found.uncounted else ""
            rows.append((
                words or side.role or "program",
                clean(side.program.origin.source) if not words else "",
                side.program.origin.version or "not known" if not words else "",
                short(found.params),
                f"{least}{short(found.flops + found.products)}",
                f"{found.megabytes:.3g}",
                side.counts() if not words else "",
            ))  # fmt: skip
    head = ("role", "program", "Paddle", "parameters", "multiply-adds", "MB", "contents")
    gaps = [
        f"{side.role or 'program'}: not counted: {clean('; '.join(side.figures.size.uncounted))}."
        for side in drawing.sides
        if side.figures.size is not None and side.figures.size.uncounted
    ]
    text = [_OPEN] if any(map(_is_open, drawing.sides)) else []
    return Section("programs", "The models", [*text, *gaps], tables=[Table(head, rows)])


def _is_open(side: Side) -> bool:
    shapes = (side.program.shape(name) or () for name in side.program.feeds)
    return any(len(shape) == 4 and min(shape[2:]) < 0 for shape in shapes)


def pairs(drawing: Drawing) -> Section:
    """Where the teacher can teach the student, and why."""
    if not drawing.pairs:
        return Section("pairs", "Pairs", ["No pairs."])
    rows = [_pair(number, pair) for number, pair in enumerate(drawing.pairs, 1)]
    head = ("", "student", "teacher", "shapes", "role", "loss", "score", "adapter", "why")
    text = (
        "A pair is a variable of the student and the one of the teacher that it is to come near "
        "to. A score of 1 means that nothing is left to doubt."
    )
    return Section("pairs", "Pairs", [text], tables=[Table(head, rows)])


def _pair(number: int, pair: Pair) -> tuple[str, ...]:
    adapter = pair.adapter
    parts = []
    if adapter is not None and adapter.in_channels != adapter.out_channels:
        parts.append(f"1×1 convolution {adapter.in_channels} → {adapter.out_channels}")
    if adapter is not None and adapter.resize:
        parts.append("resize")
    return (
        f"P{number}",
        clean(pair.student),
        clean(pair.teacher),
        f"{shape_text(pair.student_shape)} and {shape_text(pair.teacher_shape)}",
        clean(f"{pair.role}{f', {pair.part}' if pair.part else ''}"),
        pair.term,
        f"{pair.score:g}",
        ", ".join(parts),
        clean("; ".join((f"rule {pair.rule}", *pair.evidence))),
    )


def convolutions(drawing: Drawing) -> Section:
    """What may be done with every convolution, and why."""
    chips: list[tuple[str, str]] = []
    tables, text = [], []
    for side in drawing.sides:
        found = list(side.marks.decisions.values())
        name = f"{side.role or 'program'}: {clean(side.name)}"
        if not found:
            text.append(f"{name}: No convolutions.")
            continue
        counted = Counter(status(side.marks, d.param) for d in found)
        chips += [
            (COLOURS[word], f"{counted[word]} {word} ({MEANING[word]})")
            for word in COLOURS
            if counted[word]
        ]
        rows = [_convolution(side, d) for d in found]
        colours = [COLOURS[status(side.marks, d.param)] for d in found]
        head = ("parameter", "shape", "multiply-adds", "op", "status", "at", "why", "path", "group")
        title = f"{name}: {len(found)} convolutions"
        tables.append(Table(head, rows, title, colours, 4, long=True))
    return Section("convolutions", "Convolutions", text, chips, tables)


def _convolution(side: Side, decision: PruneDecision) -> tuple[str, ...]:
    word = status(side.marks, decision.param)
    at, macs = decision.at, side.figures.flops.get(decision.op)
    return (
        clean(decision.param),
        shape_text(decision.shape),
        short(macs) if macs is not None else "not known",
        clean(decision.type),
        decision.status if word == decision.status else f"{decision.status}: {word}",
        f"op {at.op} {clean(at.type)}" if at is not None else "",
        clean(decision.detail),
        " → ".join(clean(name) for name in decision.path),
        str(decision.group),
    )


def variables(sides: Sequence[Side]) -> Section:
    """Every variable with its producer and consumers."""
    tables = []
    head = ("name", "shape", "dtype", "", "written by", "read by")
    for side in sides:
        listed = list_vars(side.program)
        left = len(listed) - _MAX_ROWS
        note = f"Left out: {left} variables." if left > 0 else ""
        rows = [tuple(_variable(use)) for use in listed[:_MAX_ROWS]]
        title = f"{side.role or 'program'}: {len(listed)} variables"
        tables.append(Table(head, rows, title, note=note, long=True))
    return Section("variables", "Variables", tables=tables)


def _variable(use: VarUse) -> Iterator[str]:
    yield clean(use.var.name)
    yield shape_text(use.var.shape)
    yield use.var.dtype
    yield "parameter" if use.var.persistable else ""
    yield _op(use.producer) if use.producer is not None else ""
    yield ", ".join(_op(op) for op in use.consumers[:8])


def _op(op: Op) -> str:
    return f"{op.id} {clean(op.type)}"
