"""What kind of output a tensor is, by what the program does with it and by its axes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from graphprobe.ir import Value
from graphprobe.ops.kinds import kind_of, moves_only
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.anchors import prior_key
from graphprobe.pairing.distribution import distributions
from graphprobe.pairing.features import Feature, make_feature
from graphprobe.pairing.rows import why_rows_differ
from graphprobe.pairing.usage import Usage, usage
from graphprobe.pairing.yolo_split import split_of

Reader: TypeAlias = Literal["class", "binary", "box", "any", "output"]
"""What reads a tensor: a loss over classes, a loss over scores that are each on their own, a
regression loss, a loss that does not tell, or the caller of the program."""


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


def is_map(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a tensor has H and W: [N, C, H, W], also where their sizes and stride are unknown."""
    shape, place = analysis.shape(value) or (), analysis.spatial[value.id]
    if len(shape) != 4:
        return False
    if place is not None:
        return place.h is not None
    return shape[2:] != (1, 1) and shape[1:3] != (1, 1)


def _map(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, many: bool, used: Usage
) -> Feature:
    split = split_of(analysis, value)
    if split is not None:
        source = "a head that the program takes apart by anchors"
        return make_feature(analysis, value, roles.YOLO, source, classes=split.classes)
    kind, use, doubt = _map_kind(analysis, value, reader, many, used)
    key = prior_key(analysis, value) if kind in roles.DETECTION else ()
    feature = make_feature(
        analysis, value, kind, source, key=key, use=use, doubt=doubt, readers=used.readers
    )
    if kind != roles.SEGMENTATION or feature.channels < 1:
        return feature
    return make_feature(
        analysis, value, kind, source, use=use, doubt=doubt, classes=feature.channels
    )


def _map_kind(
    analysis: ProgramAnalysis, value: Value, reader: Reader, many: bool, used: Usage
) -> tuple[str, str, str]:
    """Kind, use and doubt of a map."""
    if reader == "box":
        return (roles.BOX_HEAD, "", "") if many else _regressed_map(analysis, value)
    if _has_peaks(used):
        return roles.HEATMAP, "its peaks are the objects", ""
    if reader == "output" and any(kind_of(kind) == "pick" for kind in used.readers):
        return roles.BOX_HEAD, "gathered where the objects are", ""
    if many and reader == "any":
        return roles.HEAD, "", ""
    if many:
        scores = reader in ("class", "binary") or used.softmaxed or used.sigmoid
        open_ = "" if scores or reader != "output" else "what its channels stand for is open"
        return (roles.CLASS_HEAD if scores else roles.HEAD), "", open_
    if reader == "class" or used.softmaxed or used.ranked is not None:
        return roles.SEGMENTATION, "", ""
    if used.ranks_others:
        return roles.HEATMAP, "its largest cell is the answer", ""
    if reader == "binary" or used.sigmoid:
        return roles.SEGMENTATION, "a sigmoid makes each entry a score of its own", ""
    if reader == "any":
        return roles.HEAD, "", ""
    return _raw_map(analysis, value)


def _has_peaks(used: Usage) -> bool:
    """Whether a program looks for the local maxima of a map: pooled, then compared with itself."""
    kinds = {kind_of(kind) for kind in used.readers}
    return {"pool", "comparison"} <= kinds


def _regressed_map(analysis: ProgramAnalysis, value: Value) -> tuple[str, str, str]:
    if _is_restored(analysis, value):
        return roles.RESTORED, "a regression loss reads it", ""
    return roles.BOX_HEAD, "", ""


def _raw_map(analysis: ProgramAnalysis, value: Value) -> tuple[str, str, str]:
    """A map that the program returns as it is."""
    if _is_restored(analysis, value):
        return roles.RESTORED, "", ""
    if _is_upsampled(analysis, value):
        doubt = "no softmax or arg_max tells that its channels are classes"
        return roles.SEGMENTATION, "", doubt
    return roles.MAP_OUTPUT, "", "the program returns it as it is: what it stands for is open"


def _is_restored(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a map is an image again: of the channels of the input, at its size or finer.

    Either it is added to the input, or pixels are shuffled out of channels, or it has the input's
    channels at a stride of at most 1.
    """
    op = analysis.producer(value)
    for _ in range(4):
        if op is None:
            return False
        if op.type == "pixel_shuffle":
            return True
        reads = analysis.reads(op)
        if op.type == "elementwise_add" and any(
            not analysis.after_first_layer[v.id] for v in reads
        ):
            return True
        if len(reads) != 1 or analysis.is_layer(op):
            break
        op = analysis.producer(reads[0])
    stride, shape = analysis.stride(value), analysis.shape(value) or ()
    images = [analysis.shape(v) or () for v in analysis.inputs]
    return (
        stride is not None
        and max(stride) <= 1
        and len(shape) == 4
        and any(len(image) == 4 and image[1] == shape[1] > 0 for image in images)
    )


def _is_upsampled(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether an upsampling led to a map of the image's size, or of a size that is unknown."""
    stride = analysis.stride(value)
    return analysis.upsampled[value.id] and (stride is None or max(stride) <= 4)


def _vector(
    analysis: ProgramAnalysis, value: Value, reader: Reader, source: str, used: Usage
) -> Feature:
    value = _flattened(analysis, value)
    shape = analysis.shape(value) or ()
    channel = _class_axis(analysis, value, used)
    size = shape[channel] if channel < len(shape) else -1
    kind, use, doubt = _vector_kind(analysis, value, reader, used, size)
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
    )


def _flattened(analysis: ProgramAnalysis, value: Value) -> Value:
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


def _class_axis(analysis: ProgramAnalysis, value: Value, used: Usage) -> int:
    """The axis that a softmax or arg_max works along; else 1 of [N, C, 1, 1], or the last."""
    shape = analysis.shape(value) or ()
    axis = used.softmax if used.softmax is not None else used.ranked
    if axis is not None:
        return axis
    if len(shape) == 4 and shape[2:] == (1, 1):
        return 1
    return max(len(shape) - 1, 0)


def _vector_kind(
    analysis: ProgramAnalysis, value: Value, reader: Reader, used: Usage, size: int
) -> tuple[str, str, str]:
    """Kind, use and doubt of what has no H and W."""
    shape = analysis.shape(value) or ()
    sequence = len(shape) == 3
    what = roles.SEQUENCE_OUTPUT if sequence else roles.VECTOR_OUTPUT
    if reader == "box":
        return roles.REGRESSION, "a regression loss reads it", ""
    classes = roles.SEQUENCE if sequence else roles.CLASS
    over = f" over {size} classes" if size > 0 else ""
    if size != 1 and (used.softmaxed or reader == "class"):
        loss = "" if used.softmaxed else "a loss"
        return classes, f"{loss or 'a softmax'}{over}", ""
    if reader == "binary" or used.sigmoid:
        kind = what if sequence else roles.BINARY if size == 1 else roles.MULTI_LABEL
        return kind, "a sigmoid makes each entry a score of its own", ""
    if used.ranked is not None and size != 1:
        doubt = "" if sequence else "an arg_max or top_k picks among values of actions too"
        return classes, f"the best is picked{over}", doubt
    if _is_normalised(analysis, value):
        return roles.EMBEDDING, "scaled to length 1", ""
    if reader == "any":
        return what, "", ""
    return what, "", "the program returns it as it is: class logits, an embedding or a regression"


def _is_normalised(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a tensor was divided by its own norm."""
    op = analysis.producer(value)
    if op is None:
        return False
    if op.type == "norm":
        return True
    if op.type not in ("elementwise_div", "elementwise_mul"):
        return False
    return any(_comes_from_norm(analysis, v) for v in analysis.reads(op))


def _comes_from_norm(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is a norm, or the root of a sum, a little changed."""
    for _ in range(6):
        op = analysis.producer(value)
        if op is None:
            return False
        is_length = kind_of(op.type) == "reduce" and op.type.endswith("_norm")
        if is_length or op.type.endswith("sqrt"):
            return True
        reads = analysis.reads(op)
        if len(reads) != 1 or analysis.is_layer(op):
            return False
        value = reads[0]
    return False


def _scores_classes(analysis: ProgramAnalysis, value: Value, used: Usage) -> bool:
    """Whether rows hold scores of classes, and not boxes."""
    shape = analysis.shape(value) or ()
    if used.softmaxed or used.ranked is not None or used.ranks_others:
        return True
    return used.sigmoid and bool(shape) and "reduce_max" in used.readers
