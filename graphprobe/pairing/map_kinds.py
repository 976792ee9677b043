"""What an output with H and W is: segmentation, a heatmap, a detector's head, an image again."""

from __future__ import annotations

from graphprobe.ir import Value
from graphprobe.ops.kinds import computed_by, is_upsampler, kind_of, moves_only
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.roles import LOWEST, OPEN, OWN_SCORES, STRETCHED, Reader, Verdict
from graphprobe.pairing.usage import Usage, is_one

# One channel is a depth or a density, two are a flow or an offset as often as two classes.
_FIELD = 2
# A flow is added to the places of a grid, and broadcast against it.
_MEETS = ("add", "subtract")


def is_map(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a tensor has H and W: [N, C, H, W], also where their sizes and stride are unknown."""
    shape, place = analysis.shape(value) or (), analysis.spatial[value.id]
    if len(shape) != 4:
        return False
    if place is not None:
        return place.h is not None
    return shape[2:] != (1, 1) and shape[1:3] != (1, 1)


def map_kind(
    analysis: ProgramAnalysis, value: Value, reader: Reader, many: bool, used: Usage
) -> Verdict:
    """Kind, use and doubt of a map."""
    if reader == "box":
        return Verdict(roles.BOX_HEAD) if many else _regressed_map(analysis, value)
    if used.peaks:
        return Verdict(roles.HEATMAP, "its peaks are the objects")
    if reader == "output" and any(map(_gathers, used.readers)):
        return Verdict(roles.BOX_HEAD, "gathered where the objects are")
    if many and reader == "any":
        # What labels are subtracted from may be the place of a box as well as a score.
        gap = any(computed_by(type_) == "subtract" for type_ in used.readers)
        scores = used.sigmoid and not (used.stretched or gap)
        return Verdict(roles.CLASS_HEAD, OWN_SCORES) if scores else Verdict(roles.HEAD, doubt=OPEN)
    if many:
        scores = reader in ("class", "binary") or used.softmaxed or used.sigmoid
        open_ = "" if scores or reader != "output" else OPEN
        return Verdict(roles.CLASS_HEAD if scores else roles.HEAD, doubt=open_)
    if used.lowest:
        return Verdict(roles.MAP_OUTPUT, "the smallest is picked", LOWEST)
    if used.grouped:
        return Verdict(roles.CLASS_HEAD, "a softmax over the classes of each anchor")
    if used.elsewhere:
        return Verdict(roles.HEATMAP, "a softmax over all of its cells")
    if reader == "class" or used.softmaxed or used.ranked is not None:
        return Verdict(roles.SEGMENTATION)
    if used.ranks_others:
        return Verdict(roles.HEATMAP, "its largest cell is picked")
    if used.stretched:
        return Verdict(roles.MAP_OUTPUT, doubt=STRETCHED)
    if reader == "binary" or used.sigmoid:
        alike = reader == "output" and _is_like_the_image(analysis, value)
        doubt = "it has the image's channels and size, as a restored image has" if alike else ""
        return Verdict(roles.SEGMENTATION, OWN_SCORES, doubt)
    if reader == "any" and _is_restored(analysis, value):
        return Verdict(roles.RESTORED, "a loss compares it")
    if reader == "any":
        return Verdict(roles.HEAD, doubt=OPEN)
    return _raw_map(analysis, value)


def _gathers(op_type: str) -> bool:
    return kind_of(op_type) == "pick" and computed_by(op_type) != "put"


def _regressed_map(analysis: ProgramAnalysis, value: Value) -> Verdict:
    if _is_restored(analysis, value) or _is_like_the_image(analysis, value):
        return Verdict(roles.RESTORED, "a regression loss reads it")
    return Verdict(roles.BOX_HEAD)


def _raw_map(analysis: ProgramAnalysis, value: Value) -> Verdict:
    """A map that the program returns as it is."""
    if _is_restored(analysis, value):
        return Verdict(roles.RESTORED)
    if _is_like_the_image(analysis, value):
        doubt = "it has the image's channels and size, as many classes may have too"
        return Verdict(roles.RESTORED, doubt=doubt)
    channels = (analysis.shape(value) or (0, 0))[1]
    if channels > _FIELD and _is_upsampled(analysis, value) and not _is_measured(analysis, value):
        doubt = "no softmax or arg_max shows that its channels are classes"
        return Verdict(roles.SEGMENTATION, doubt=doubt)
    return Verdict(
        roles.MAP_OUTPUT, doubt="the program returns it as it is: what it stands for is open"
    )


def _is_measured(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a map is scaled, or names places that are looked up: a flow or an offset."""
    queue, seen = [value], {value.id}
    for here in queue:
        for op in analysis.consumers(here):
            if kind_of(op.type) == "sample":
                return True
            if computed_by(op.type) == "affine" and not is_one(op):
                return True
            moved = analysis.flow.writes(op) if _hands_on(op.type) else ()
            new = [v for v in moved if v.id not in seen]
            seen.update(v.id for v in new)
            queue += new
    return _is_scaled(analysis, value)


def _hands_on(op_type: str) -> bool:
    return moves_only(op_type) or is_upsampler(op_type) or computed_by(op_type) in _MEETS


def _is_scaled(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a map was multiplied with a number behind its layer, as an enlarged flow is."""
    op = analysis.producer(value)
    for _ in range(4):
        if op is None or analysis.is_layer(op):
            return False
        if computed_by(op.type) == "affine" and not is_one(op):
            return True
        reads = analysis.reads(op)
        if len(reads) != 1:
            return False
        op = analysis.producer(reads[0])
    return False


def _is_restored(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a map is an image again: the input and what is added or taken, or shuffled."""
    op = analysis.producer(value)
    for _ in range(4):
        if op is None:
            return False
        if computed_by(op.type) == "pixels":
            return True
        reads = analysis.reads(op)
        if computed_by(op.type) in ("add", "subtract") and any(
            not analysis.after_first_layer[v.id] for v in reads
        ):
            return True
        if len(reads) != 1 or analysis.is_layer(op):
            break
        op = analysis.producer(reads[0])
    return False


def _is_like_the_image(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a map has the channels of the input, at its size or finer."""
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
