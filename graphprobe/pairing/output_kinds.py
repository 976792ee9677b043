"""Which outputs of two programs can be compared, and as what: by the ops that make them."""

from __future__ import annotations

from dataclasses import replace

from graphprobe.data.metrics.agreement_types import OutputKind, OutputPair, pair_outputs
from graphprobe.ir import Op, Program, Value
from graphprobe.ops.kinds import computed_by, is_identity, kind_of, moves_only
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.decoding_heads import decoding_heads
from graphprobe.pairing.features import Feature
from graphprobe.pairing.rows import why_rows_differ
from graphprobe.pairing.usage import is_one, moved_axis

# The slot that holds how many rows of an output are of each image.
_COUNTS = ("NmsRoisNum", "RoisNum")
_BOX_NUMBERS = 6


def output_kinds(program: Program) -> list[OutputKind]:
    """What each output of a program is, in its order; counts stand beside the boxes they count."""
    analysis = ProgramAnalysis(program)
    values = [analysis.flow.values[i] for i in analysis.outputs]
    origins = {value.id: _origin(analysis, value) for value in values}
    counts = _counts(analysis, values, origins)
    heads = {head.value: head for head in decoding_heads(analysis)}
    found = []
    for value in values:
        if value.id in counts.values():
            continue
        origin = origins[value.id]
        kind = _kind(analysis, value, origin, counts, heads)
        found.append(_with_classes(analysis, kind, value, origin))
    return found


def output_pairs(student: Program, teacher: Program) -> list[OutputPair]:
    """The outputs that both programs have of one kind, in the order of each kind's.

    Both are exported programs, as they are before any pruning.
    """
    return pair_outputs(output_kinds(student), output_kinds(teacher))


def _origin(analysis: ProgramAnalysis, value: Value) -> Value:
    """The value that an output is without moves and scales that change nothing."""
    for _ in range(64):
        op = analysis.producer(value)
        if op is None or not (moves_only(op.type) or is_identity(op.type) or is_one(op)):
            return value
        reads = analysis.reads(op)
        if not reads or len(reads) > 1:
            return value
        value = reads[0]
    return value


def _counts(
    analysis: ProgramAnalysis, values: list[Value], origins: dict[int, Value]
) -> dict[int, int]:
    """Id of an output that holds boxes -> that of the output with their counts."""
    rows = [value for value in values if _holds_boxes(analysis, origins[value.id])]
    found: dict[int, int] = {}
    for boxes in rows:
        op = analysis.producer(origins[boxes.id])
        for value in values:
            if value.id == boxes.id or value.id in found.values():
                continue
            if _is_count(analysis, origins[value.id], op):
                found[boxes.id] = value.id
                break
    return found


def _is_count(analysis: ProgramAnalysis, value: Value, op: Op | None) -> bool:
    """Whether a value holds how many rows of an op's result are of each image."""
    maker = analysis.producer(value)
    if maker is not None and op is not None and maker.id == op.id:
        return any(value.name in op.outputs.get(slot, ()) for slot in _COUNTS)
    shape = analysis.shape(value)
    var = analysis.program.var(value.name)
    whole = var is not None and var.dtype in ("int32", "int64")
    return whole and shape is not None and len(shape) == 1


def _holds_boxes(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is rows of class, score and corners that a network picked itself."""
    shape, op = analysis.shape(value) or (), analysis.producer(value)
    if op is None or not shape or shape[-1] != _BOX_NUMBERS:
        return False
    picks = kind_of(op.type) == "decode" and value.name in op.outputs.get("Out", ())
    return picks or (len(shape) == 2 and bool(why_rows_differ(analysis, value)))


def _kind(
    analysis: ProgramAnalysis,
    value: Value,
    origin: Value,
    counts: dict[int, int],
    heads: dict[int, Feature],
) -> OutputKind:
    name, op = value.name, analysis.producer(origin)
    shape = analysis.shape(value) or ()
    is_map = len(shape) == 4
    if _holds_boxes(analysis, origin):
        count = counts.get(value.id)
        return OutputKind(
            name, "boxes", count=analysis.flow.values[count].name if count is not None else ""
        )
    if op is not None and computed_by(op.type) == "argmax" and _is_whole(analysis, origin):
        return OutputKind(name, "map labels" if len(shape) > 2 else "labels")
    if op is not None and kind_of(op.type) == "softmax":
        axis = _class_axis(analysis, value, origin, op)
        if axis is not None:
            return OutputKind(name, "map scores" if is_map else "scores", axis)
    if op is not None and computed_by(op.type) == "sigmoid" and is_map and shape[1] == 1:
        return OutputKind(name, "mask")
    head = heads.get(origin.id) or heads.get(value.id)
    if head is not None and head.kind in (roles.CLASS, roles.SEQUENCE):
        return OutputKind(name, "scores", head.channel, doubt=head.doubt)
    if head is not None and head.kind == roles.SEGMENTATION and head.channels > 1:
        return OutputKind(name, "map scores", head.channel, doubt=head.doubt)
    return OutputKind(name, "values")


def _with_classes(
    analysis: ProgramAnalysis, found: OutputKind, value: Value, origin: Value
) -> OutputKind:
    """An output with what labels need: how many classes it knows, and the scores behind it."""
    op = analysis.producer(origin)
    if found.kind == "boxes":
        return _with_classes_of_boxes(analysis, found, op)
    if found.kind == "mask":
        return replace(found, classes=2)
    if found.kind == "values" or op is None:
        return found
    scores, axis = value, found.axis
    if computed_by(op.type) == "argmax":
        scores, axis = _read_scores(analysis, op)
        origin = _origin(analysis, scores)
        op = analysis.producer(origin)
    if op is not None and kind_of(op.type) == "softmax":
        scores, axis = _read_scores(analysis, op)
    shape = analysis.shape(scores) or ()
    if not -len(shape) <= axis < len(shape):
        return found
    count = max(shape[axis], 0)
    return replace(found, classes=count, logits=scores.name, logits_axis=axis % len(shape))


def _read_scores(analysis: ProgramAnalysis, op: Op) -> tuple[Value, int]:
    """What a softmax or arg_max reads, and the axis that it works along."""
    axis = op.attrs.get("axis", -1)
    return analysis.reads(op)[0], axis if isinstance(axis, int) else -1


def _with_classes_of_boxes(
    analysis: ProgramAnalysis, found: OutputKind, op: Op | None
) -> OutputKind:
    """Boxes with the classes of the scores that a suppression reads, [N, C, M]."""
    scores = None if op is None else analysis.flow.read(op, "Scores")
    shape = () if scores is None else analysis.shape(scores) or ()
    if op is None or len(shape) != 3:
        return found
    background = op.attrs.get("background_label", 0) == 0
    return replace(found, classes=max(shape[1], 0), background=background)


def _is_whole(analysis: ProgramAnalysis, value: Value) -> bool:
    var = analysis.program.var(value.name)
    return var is not None and var.dtype.startswith(("int", "uint"))


def _class_axis(analysis: ProgramAnalysis, value: Value, origin: Value, op: Op) -> int | None:
    """The axis of an output along which its softmax went; None where moves leave that open."""
    shape, before = analysis.shape(value) or (), analysis.shape(origin) or ()
    axis = op.attrs.get("axis", -1)
    if not isinstance(axis, int) or not before:
        return None
    return moved_axis(axis % len(before), before, shape)
