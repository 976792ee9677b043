"""Make features of outputs: what kind they are follows from what the program does with them."""

from __future__ import annotations

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import computed_by, kind_of, label_of
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.anchors import prior_key
from graphprobe.pairing.distribution import distributions
from graphprobe.pairing.features import Activation, Feature, make_feature
from graphprobe.pairing.map_kinds import is_map, map_kind
from graphprobe.pairing.roles import Reader
from graphprobe.pairing.rows import why_rows_differ
from graphprobe.pairing.trace import block_of
from graphprobe.pairing.usage import Usage, usage
from graphprobe.pairing.vector_kinds import class_axis, flattened, vector_kind
from graphprobe.pairing.yolo_split import mixed_split_of, split_of

MIXED = "its channels hold scores and other things, which one loss compares"
_ANCHORS = "the anchors that the decoding multiplies with are not compared"


def make_head(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, many: bool = False
) -> Feature:
    """An output as a feature.

    Args:
        analysis: the program.
        value: the tensor, before activations and moves.
        reader: what reads it.
        source: what makes it an output, as ``X of arg_max``.
        many: whether it is one of several that are joined, as the levels of a detector.
    """
    name = _block_name(analysis, value)
    if name and " block" not in source:
        source = f"{source}, made in a {name} block"
    if name and block_of(analysis, value):
        head = _head(analysis, value, reader, source, many)
        return head._replace(rows=f"no variable outside a {name} block holds them")
    return _head(analysis, value, reader, source, many)


def _block_name(analysis: ProgramAnalysis, value: Value) -> str:
    """As ``while`` where a value is made in such a block, or chosen from what blocks make."""
    op = analysis.producer(value)
    if op is None or (not op.block and kind_of(op.type) != "control"):
        return ""
    ran = _runs(analysis).get(op.block, op)
    if ran.id == op.id and not isinstance(op.attrs.get("sub_block"), int):
        ran = next(iter(_runs(analysis).values()), op)
    return label_of(ran.type).removesuffix(" block")


def _runs(analysis: ProgramAnalysis) -> dict[int, Op]:
    """Index of a block -> the op that runs it."""
    if "runs" not in analysis.memo:
        ops = ((op.attrs.get("sub_block"), op) for op in analysis.ops)
        analysis.memo["runs"] = {block: op for block, op in ops if isinstance(block, int)}
    found: dict[int, Op] = analysis.memo["runs"]
    return found


def _head(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, many: bool
) -> Feature:
    if value.id in distributions(analysis):
        return make_feature(analysis, value, roles.DISTRIBUTION, source)
    used = usage(analysis, value)
    rows = why_rows_differ(analysis, value)
    if rows:
        kind = roles.ROW_CLASS if _scores_classes(analysis, value, used) else roles.ROW_BOX
        return make_feature(analysis, value, kind, source, rows=rows, readers=used.readers)
    if is_map(analysis, value):
        return _map(analysis, value, reader, source, many, used)
    return _vector(analysis, value, reader, source, used)


def _map(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, many: bool, used: Usage
) -> Feature:
    split = split_of(analysis, value)
    if split is not None:
        source = "a head that the program takes apart by anchors"
        return make_feature(analysis, value, roles.YOLO, source, classes=split.classes)
    mixed = mixed_split_of(analysis, value)
    if mixed is not None and mixed.classes is not None:
        source = "a head that the decoding takes apart by anchors"
        return make_feature(
            analysis, value, roles.YOLO, source, classes=mixed.classes, doubt=_ANCHORS
        )
    kind, use, doubt = map_kind(analysis, value, reader, many, used)
    scores = _activation(reader, used)
    if mixed is not None and (kind in roles.CLASSES or scores):
        kind, use, scores = roles.HEAD, "", ""
        doubt = MIXED
    key = prior_key(analysis, value) if kind in roles.DETECTION else ()
    feature = make_feature(
        analysis,
        value,
        kind,
        source,
        key=key,
        use=use,
        doubt=doubt,
        readers=used.readers,
        activation=scores,
    )
    if kind != roles.SEGMENTATION or feature.channels < 1:
        return feature
    return feature._replace(classes=feature.channels, readers=())


def _vector(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, used: Usage
) -> Feature:
    value = flattened(analysis, value)
    shape = analysis.shape(value) or ()
    channel = class_axis(analysis, value, used)
    size = shape[channel] if channel < len(shape) else -1
    kind, use, doubt = vector_kind(analysis, value, reader, used, size)
    classes = size if kind in (roles.CLASS, roles.SEQUENCE, roles.MULTI_LABEL) else None
    return make_feature(
        analysis,
        value,
        kind,
        source,
        channel=channel,
        use=use,
        doubt=doubt,
        classes=classes if classes is not None and classes > 0 else None,
        readers=used.readers,
        activation=_activation(reader, used),
    )


def _activation(reader: Reader, used: Usage) -> Activation:
    """What turns an output into scores, in the program or in the loss that reads it."""
    if used.softmaxed or reader == "class":
        return "softmax"
    scores = used.sigmoid and not used.stretched
    return "sigmoid" if scores or reader == "binary" else ""


def _scores_classes(analysis: ProgramAnalysis, value: Value, used: Usage) -> bool:
    """Whether rows hold scores of classes, and not boxes."""
    shape = analysis.shape(value) or ()
    if used.softmaxed or used.ranked is not None or used.ranks_others:
        return True
    return used.sigmoid and bool(shape) and any(computed_by(t) == "largest" for t in used.readers)
