"""Single entries of the data of the HTML page: nodes, attributes, prune decisions, pairs."""

from __future__ import annotations

from typing import Any

from graphprobe.drawing.drawing import Side
from graphprobe.drawing.labels import shape_text
from graphprobe.drawing.marks import status
from graphprobe.ir import Op

_MAX_ATTR = 300
# What the page takes a node to have where nothing is given (web/unpack.js knows the same).
_DEFAULTS: dict[str, Any] = {
    "c": [], "b": (), "p": (), "k": "op", "r": 0, "child": -1, "l": (),
}  # fmt: skip
DTYPE = "float32"


def without_defaults(node: dict[str, Any]) -> dict[str, Any]:
    """A node without what the page takes for granted."""
    found = {
        key: value for key, value in node.items() if key not in _DEFAULTS or value != _DEFAULTS[key]
    }
    if not any(value is None or value for value in found["v"]):
        del found["v"]
    if found["full"] == found["t"]:
        del found["full"]
    if found["count"] == len(found["ops"]):
        del found["count"]
    return found


def difference(side: Side, op: Op) -> dict[str, Any]:
    """What became of an op between two versions, where it changed by itself."""
    version, item = side.version, side.fold.graph.item_of.get(op.id)
    if version is None or item is None or not version.diff.counts_for(version.side, item):
        return {}
    change = version.change(item)
    return {} if change.kind == "same" else {"d": [change.kind, change.words]}


def is_omitted(name: str) -> bool:
    """Whether an attribute has no part in what an op computes."""
    return name.startswith(("op_", "__")) or name == "with_quant_attr"


def attribute(value: object) -> str:
    """An attribute as text."""
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _MAX_ATTR else text[:_MAX_ATTR] + "…"


def decisions(side: Side) -> list[Any]:
    """The prune decisions of a side, by filter."""
    return sorted(side.marks.decisions.values(), key=lambda d: d.param)


def decision_of(side: Side, param: str) -> dict[str, Any]:
    """What is known of the convolution with this filter."""
    decision = side.marks.decisions[param]
    return {
        "word": status(side.marks, param),
        "status": decision.status,
        "reason": decision.reason,
        "at": decision.at.type if decision.at is not None else None,
        "path": decision.path,
        "detail": decision.detail,
    }


def pair_of(pair: Any) -> dict[str, Any]:
    """A pair with its loss and its reasons."""
    return {
        "student": pair.student,
        "teacher": pair.teacher,
        "role": pair.role,
        "part": pair.part,
        "loss": pair.term,
        "shapes": f"{shape_text(pair.student_shape)} and {shape_text(pair.teacher_shape)}",
        "why": f"rule {pair.rule}, score {pair.score:g}",
        "evidence": pair.evidence,
    }
