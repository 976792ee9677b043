"""The table of operators as rows of text, for lists and documentation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphprobe.ops.facets import NoMap, OpSpec
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.table import families, op_specs
from graphprobe.ops.work.rules import NoWork, Uncounted


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator.

    Args:
        type: its type in ProgramDesc.
        kind: what sort of operator it is.
        family: the file of `graphprobe.ops.families` that has it.
        label: what a drawing calls it.
        channels: how channels pass.
        spatial: how H, W and the stride pass.
        shapes: the sizes of its outputs.
        work: its multiply-adds.
        pir: what PIR calls it, names separated by spaces; empty where the name is the same.
    """

    type: str
    kind: str
    family: str
    label: str
    channels: str
    spatial: str
    shapes: str
    work: str
    pir: str


def operator_rows() -> list[OperatorRow]:
    """Every operator that is known, by family and in the order of its file."""
    names = _pir_names()
    return [
        _row(spec, family.name, " ".join(names.get(spec.type, ())))
        for family in families().values()
        for spec in family.specs.values()
    ]


def _row(spec: OpSpec, family: str, pir: str) -> OperatorRow:
    return OperatorRow(
        spec.type,
        spec.kind,
        family,
        spec.label,
        _text(spec.channels.rule),
        f"none: {spec.spatial.reason}" if isinstance(spec.spatial, NoMap) else _text(spec.spatial),
        f"as declared: {spec.shapes.reason}"
        if isinstance(spec.shapes, Declared)
        else _text(spec.shapes),
        _work_text(spec),
        pir,
    )


def _work_text(spec: OpSpec) -> str:
    if isinstance(spec.work, NoWork):
        return f"none: {spec.work.reason}"
    if isinstance(spec.work, Uncounted):
        return f"not counted: {spec.work.reason}"
    return _text(spec.work)


def _pir_names() -> dict[str, list[str]]:
    from graphprobe.ops.pir_names import op_names, pir_lines

    found: dict[str, list[str]] = {}
    for name in pir_lines():
        type_ = op_names(name).type
        if type_ in op_specs() and type_ != name:
            found.setdefault(type_, []).append(name)
    return found


def _text(rule: Callable[..., Any]) -> str:
    """The first sentence of a rule's docstring, or of the function that made the rule."""
    doc = rule.__doc__
    if doc is None and "<locals>" in rule.__qualname__:
        maker = rule.__qualname__.partition(".")[0]
        doc = getattr(sys.modules[rule.__module__], maker).__doc__
    if not doc:
        return rule.__name__.strip("_").replace("_", " ")
    first = " ".join(doc.strip().partition("\n\n")[0].split())
    return first.removeprefix("A rule: ").rstrip(".")
