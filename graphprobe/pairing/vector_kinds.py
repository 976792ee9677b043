"""What an output without H and W is: logits, scores, an embedding, numbers."""

from __future__ import annotations

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import computed_by, moves_only
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.parts import vector_parts
from graphprobe.pairing.roles import LOWEST, OWN_SCORES, STRETCHED, Reader, Verdict
from graphprobe.pairing.usage import Usage

_PICKED = "an arg_max or top_k picks among values of actions too, so the loss compares the values"
_ROWS = "a softmax compares the rows of a batch, and not the entries of a row"
_GROUP = "an arg_max or top_k picks in groups of one vector, which may be values of actions too"
_ANY = "its loss does not show what it is: class logits, an embedding or a regression"
_IN_PARTS = "a softmax is over parts of it, each a distribution of its own"


def flattened(analysis: ProgramAnalysis, value: Value) -> Value:
    """Of [N, C, 1, 1] the [N, C] that the program makes of it, where it does."""
    shape = analysis.shape(value) or ()
    if len(shape) != 4:
        return value
    for op in analysis.consumers(value):
        for written in analysis.flow.writes(op) if moves_only(op.type) else ():
            after = analysis.shape(written) or ()
            if len(after) == 2 and after[1] == shape[1]:
                return written
    return value


def class_axis(analysis: ProgramAnalysis, value: Value, used: Usage) -> int:
    """The axis that a softmax or arg_max works along; else 1 of [N, C, 1, 1], or the last."""
    shape = analysis.shape(value) or ()
    axis = used.softmax if used.softmax is not None else used.ranked
    if axis is not None:
        return axis
    if len(shape) == 4 and shape[2:] == (1, 1):
        return 1
    return max(len(shape) - 1, 0)


def vector_kind(
    analysis: ProgramAnalysis, value: Value, reader: Reader, used: Usage, size: int
) -> Verdict:
    """Kind, use and doubt of what has no H and W."""
    shape = analysis.shape(value) or ()
    sequence = len(shape) == 3
    what = roles.SEQUENCE_OUTPUT if sequence else roles.VECTOR_OUTPUT
    if reader in ("box", "any") and _is_normalised(analysis, value):
        return Verdict(roles.EMBEDDING, "scaled to length 1")
    if reader == "box":
        return Verdict(roles.REGRESSION, "a regression loss reads it")
    if used.softmaxed and used.softmax == 0:
        return Verdict(what, doubt=_ROWS)
    classes = roles.SEQUENCE if sequence else roles.CLASS
    over = f" over {size} classes" if size > 0 else ""
    if used.elsewhere and used.softmax is None and reader != "class":
        return Verdict(what, doubt=_IN_PARTS)
    if size != 1 and (used.softmaxed or reader == "class"):
        loss = "" if used.softmaxed else "a loss"
        return Verdict(classes, f"{loss or 'a softmax'}{over}")
    if used.lowest:
        return Verdict(roles.REGRESSION, "the smallest is picked", LOWEST)
    if used.stretched:
        return Verdict(what, doubt=STRETCHED)
    if reader == "binary" or used.sigmoid:
        kind = what if sequence else roles.BINARY if size == 1 else roles.MULTI_LABEL
        return Verdict(kind, OWN_SCORES)
    if used.ranked is not None and size != 1:
        grouped = _GROUP if value.id in vector_parts(analysis) else ""
        doubt = grouped if sequence else _PICKED
        return Verdict(classes, f"the best is picked{over}", doubt)
    if _is_normalised(analysis, value):
        return Verdict(roles.EMBEDDING, "scaled to length 1")
    if reader == "any":
        return Verdict(what, doubt=_ANY)
    return Verdict(
        what, doubt="the program returns it as it is: class logits, an embedding or a regression"
    )


def _is_normalised(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a tensor was divided by its own norm."""
    op = analysis.producer(value)
    return op is not None and scales_to_unit(analysis, op)


def scales_to_unit(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op divides a tensor by its own norm."""
    if computed_by(op.type) == "unit":
        return True
    if computed_by(op.type) not in ("divide", "multiply"):
        return False
    return any(_comes_from_norm(analysis, v) for v in analysis.reads(op))


def _comes_from_norm(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is a norm, or the root of a sum, a little changed."""
    for _ in range(6):
        op = analysis.producer(value)
        if op is None:
            return False
        if computed_by(op.type) in ("length", "root"):
            return True
        reads = analysis.reads(op)
        if len(reads) != 1 or analysis.is_layer(op):
            return False
        value = reads[0]
    return False
