"""The report: variables, pairs, prune table and drawings of one or two programs on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.figures import short, size_text
from graphprobe.drawing.labels import shape_text
from graphprobe.drawing.marks import COLOURS, MEANING, status
from graphprobe.drawing.pages.picture import make_picture
from graphprobe.drawing.renderers.html import asset, script
from graphprobe.drawing.renderers.html import render as render_html
from graphprobe.drawing.renderers.svg import svg_text
from graphprobe.drawing.text import clean
from graphprobe.ir import Op
from graphprobe.ir.listing import VarUse, list_vars

_MAX_ROWS = 3000
_MAX_PICTURE = 400


def render_report(drawing: Drawing, messages: Sequence[str] = ()) -> bytes:
    """One offline HTML file.

    Args:
        drawing: the programs with their findings.
        messages: what could not be found, in words.
    """
    from jinja2 import Environment

    page = Environment(autoescape=True, trim_blocks=True).from_string(asset("report.html"))
    level = drawing.level
    drawing.level = "stage"
    picture = svg_text(make_picture(drawing, _MAX_PICTURE), drawing.title)
    drawing.level = level
    text = page.render(
        title=clean(drawing.title),
        style=asset("report.css"),
        script=script("report.js"),
        messages=[clean(message) for message in messages],
        sides=[_side(side) for side in drawing.sides],
        pairs=[_pair(number, pair) for number, pair in enumerate(drawing.pairs, 1)],
        two=len(drawing.sides) > 1,
        picture=picture,
        frame=escape(render_html(drawing).decode(), quote=True),
    )
    return text.encode()


def _side(side: Side) -> dict[str, Any]:
    listed = list_vars(side.program)
    return {
        "role": side.role or "program",
        "name": clean(side.name),
        "source": clean(side.program.origin.source),
        "version": side.program.origin.version or "unknown",
        "counts": side.counts(),
        "size": size_text(side.figures.size) if side.figures.size is not None else "",
        "pruned": size_text(side.figures.pruned) if side.figures.pruned is not None else "",
        "convs": [_conv(side, d) for d in side.marks.decisions.values()],
        "summary": _summary(side),
        "vars": [_variable(use) for use in listed[:_MAX_ROWS]],
        "total": len(listed),
        "left": max(0, len(listed) - _MAX_ROWS),
    }


def _summary(side: Side) -> list[tuple[str, str, str, int]]:
    counted = Counter(status(side.marks, param) for param in side.marks.decisions)
    return [(w, COLOURS[w], MEANING[w], counted[w]) for w in COLOURS if counted[w]]


def _conv(side: Side, decision: Any) -> dict[str, Any]:
    word = status(side.marks, decision.param)
    at = decision.at
    macs = side.figures.flops.get(decision.op)
    return {
        "macs": short(macs) if macs is not None else "not known",
        "param": clean(decision.param),
        "shape": shape_text(decision.shape),
        "type": clean(decision.type),
        "word": word,
        "colour": COLOURS[word],
        "status": decision.status,
        "detail": clean(decision.detail),
        "at": f"op {at.op} {clean(at.type)}" if at is not None else "",
        "path": " → ".join(clean(name) for name in decision.path),
        "group": decision.group,
    }


def _variable(use: VarUse) -> dict[str, str]:
    return {
        "name": clean(use.var.name),
        "shape": shape_text(use.var.shape),
        "dtype": use.var.dtype,
        "kept": "parameter" if use.var.persistable else "",
        "producer": _op(use.producer) if use.producer is not None else "",
        "consumers": ", ".join(_op(op) for op in use.consumers[:8]),
    }


def _op(op: Op) -> str:
    return f"{op.id} {clean(op.type)}"


def _pair(number: int, pair: Any) -> dict[str, Any]:
    adapter = pair.adapter
    parts = []
    if adapter is not None and adapter.in_channels != adapter.out_channels:
        parts.append(f"1×1 convolution {adapter.in_channels} → {adapter.out_channels}")
    if adapter is not None and adapter.resize:
        parts.append("resize")
    return {
        "number": f"P{number}",
        "student": clean(pair.student),
        "teacher": clean(pair.teacher),
        "shapes": f"{shape_text(pair.student_shape)} and {shape_text(pair.teacher_shape)}",
        "role": clean(f"{pair.role}{f', {pair.part}' if pair.part else ''}"),
        "loss": pair.term,
        "score": f"{pair.score:g}",
        "why": clean("; ".join((f"rule {pair.rule}", *pair.evidence))),
        "adapter": ", ".join(parts),
    }
