"""The outputs of a network: what its losses read, or what its decoding reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.distribution import distributions, map_channels
from graphprobe.pairing.features import Feature, Key, make_feature
from graphprobe.pairing.trace import pre_activation, producing_layers, source_before_reshape
from graphprobe.pairing.yolo_split import split_of

YOLO = "yolo head"
SEGMENTATION = "segmentation logits"
CLASS = "class logits"
SEQUENCE = "sequence logits"
CLASS_HEAD = "class head"
BOX_HEAD = "box head"
DISTRIBUTION = "distribution head"
HEAD = "head"


@dataclass(frozen=True, slots=True)
class LossSlot:
    """The slot of a loss op that reads what the network predicts.

    Args:
        slot: its name.
        what: ``class``, ``box`` or ``any``.
        squashed: whether it reads probabilities, so that the logits are before an activation.
    """

    slot: str
    what: str = "class"
    squashed: bool = False


# The loss and weight that published work uses for each kind of output: YOLOv3 on VOC, DeepLabv3+.
DISTILL_LOSS = {
    YOLO: ("l2", 100.0),
    SEGMENTATION: ("l2", 0.1),
    CLASS: ("soft_label", 1.0),
    SEQUENCE: ("soft_label", 1.0),
}


def loss_of(kind: str) -> tuple[str, float]:
    """The distillation loss of a kind of output and its weight."""
    return DISTILL_LOSS.get(kind, ("l2", 1.0))


LOSSES = {
    "softmax_with_cross_entropy": LossSlot("Logits"),
    "cross_entropy": LossSlot("X", squashed=True),
    "cross_entropy2": LossSlot("X", squashed=True),
    "sigmoid_cross_entropy_with_logits": LossSlot("X"),
    "sigmoid_focal_loss": LossSlot("X"),
    "bce_loss": LossSlot("X", squashed=True),
    "log_loss": LossSlot("Predicted", squashed=True),
    "nll_loss": LossSlot("X", squashed=True),
    "margin_cross_entropy": LossSlot("Logits"),
    "bpr_loss": LossSlot("X"),
    "hinge_loss": LossSlot("Logits"),
    "warpctc": LossSlot("Logits"),
    "linear_chain_crf": LossSlot("Emission"),
    "smooth_l1_loss": LossSlot("X", "box"),
    "huber_loss": LossSlot("X", "box"),
    "squared_l2_distance": LossSlot("X", "box"),
    "square_error_cost": LossSlot("X", "box"),
    "kldiv_loss": LossSlot("X", "any", squashed=True),
    "iou_similarity": LossSlot("X", "box"),
}


def loss_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the losses of a train program read; empty for a program without a loss."""
    if "loss_heads" not in analysis.memo:
        analysis.memo["loss_heads"] = _loss_heads(analysis)
    return list(analysis.memo["loss_heads"])


def decoding_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the decoding of an inference program reads, or what it returns."""
    if "decoding_heads" not in analysis.memo:
        analysis.memo["decoding_heads"] = _decoding_heads(analysis)
    return list(analysis.memo["decoding_heads"])


def _loss_heads(analysis: ProgramAnalysis) -> list[Feature]:
    yolo = yolo_heads(analysis, "yolov3_loss")
    if yolo:
        return yolo
    typed = _typed_heads(analysis)
    boxes = yolo_heads(analysis, "yolo_box")
    if {head.value for head in boxes} & {head.value for head in typed}:
        return boxes
    return _once([*typed, *_heads_of_composite_loss(analysis, {head.value for head in typed})])


def _decoding_heads(analysis: ProgramAnalysis) -> list[Feature]:
    yolo = yolo_heads(analysis, "yolo_box")
    return (
        yolo
        or _once(_nms_heads(analysis))
        or _once(_labels_heads(analysis))
        or _once(_fetched(analysis))
    )


def _once(heads: Iterable[Feature]) -> list[Feature]:
    """The first feature of each value."""
    return list({head.value: head for head in reversed(list(heads))}.values())[::-1]


def yolo_heads(analysis: ProgramAnalysis, type: str) -> list[Feature]:
    """X of every yolov3_loss or every yolo_box."""
    heads = (_yolo_head(analysis, op) for op in analysis.ops if op.type == type)
    return _once(head for head in heads if head is not None)


def _yolo_head(analysis: ProgramAnalysis, op: Op) -> Feature | None:
    """X of a yolov3_loss or yolo_box, with its own anchors."""
    value = analysis.flow.read(op, "X")
    if value is None:
        return None
    anchors = anchors_of(op)
    classes = op.get_int("class_num")
    ratio = op.get_int("downsample_ratio")
    text = " ".join(f"{w},{h}" for w, h in anchors)
    source = f"X of {op.type} with anchors {text}" if anchors else f"X of {op.type}"
    key: Key = tuple(float(n) for pair in anchors for n in pair)
    return make_feature(
        analysis,
        value,
        YOLO,
        source,
        key=key,
        stride=(float(ratio), float(ratio)) if ratio else None,
        classes=classes or None,
    )


def anchors_of(op: Op) -> tuple[tuple[int, int], ...]:
    """The anchors (w, h) that a YOLO op itself uses; a mask picks them from all."""
    flat = op.get_ints("anchors")
    every = tuple(zip(flat[::2], flat[1::2], strict=False))
    mask = op.get_ints("anchor_mask")
    return tuple(every[i] for i in mask if 0 <= i < len(every)) if mask else every


def _typed_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What loss ops read: class scores first, so that a box loss never claims their layers."""
    reads = [(op, LOSSES[op.type]) for op in analysis.ops if op.type in LOSSES]
    reads.sort(key=lambda pair: pair[1].what == "box")
    return _once(head for op, slot in reads for head in _typed(analysis, op, slot))


def _typed(analysis: ProgramAnalysis, op: Op, known: LossSlot) -> Iterator[Feature]:
    """What one loss op reads, before it was moved about."""
    value = analysis.flow.read(op, known.slot)
    if value is None or not analysis.after_first_layer[value.id]:
        return
    ends = (
        pre_activation(analysis, value)
        if known.squashed
        else source_before_reshape(analysis, value)
    )
    if known.what == "box" or any(analysis.depends_on_label[end.id] for end in ends):
        # Offsets are decoded, and samples picked by the labels, before such a loss reads them.
        ends = producing_layers(analysis, ends)
    for end in ends:
        yield _head(analysis, end, known.what, f"{known.slot} of {op.type}", len(ends) > 1)


def _head(analysis: ProgramAnalysis, value: Value, what: str, source: str, many: bool) -> Feature:
    """A head whose kind follows from what reads it and from its axes."""
    if value.id in distributions(analysis):
        return make_feature(analysis, value, DISTRIBUTION, source)
    shape = analysis.shape(value) or ()
    place = analysis.spatial[value.id]
    spatial = place is not None and place.h is not None and len(shape) == 4
    split = split_of(analysis, value) if spatial else None
    if split is not None:
        source = "a head that the program takes apart by anchors"
        return make_feature(analysis, value, YOLO, source, classes=split.classes)
    if what == "box":
        return make_feature(analysis, value, BOX_HEAD, source)
    if what == "any":
        return make_feature(analysis, value, HEAD, source)
    if spatial and many:
        return make_feature(analysis, value, CLASS_HEAD, source)
    kind = SEGMENTATION if spatial else SEQUENCE if len(shape) == 3 else CLASS
    feature = make_feature(analysis, value, kind, source)
    classes = feature.channels if feature.channels > 0 else None
    return make_feature(analysis, value, kind, source, classes=classes)


def _heads_of_composite_loss(analysis: ProgramAnalysis, known: set[int]) -> list[Feature]:
    """The last layers before predictions meet labels, where a scalar loss comes of it.

    Args:
        analysis: the program.
        known: ids of what losses with an op of their own read; nothing behind it is looked at.
    """
    if not analysis.labels:
        return []
    behind = reachable(_totals(analysis), analysis.predecessors)
    heads: list[Feature] = []
    for op in analysis.ops:
        reads = analysis.reads(op)
        if not any(analysis.depends_on_label[v.id] for v in reads):
            continue
        if not any(v.id in behind for v in analysis.flow.writes(op)):
            continue
        pure = [
            v
            for v in reads
            if analysis.after_first_layer[v.id] and not analysis.depends_on_label[v.id]
        ]
        source = f"meets the labels at {op.type}"
        heads += [
            _head(analysis, end, "any", source, True)
            for end in producing_layers(analysis, pure, known)
        ]
    return _once(head for head in heads if head.value not in known)


def _totals(analysis: ProgramAnalysis) -> Iterator[int]:
    """Ids of the scalars that both the network and the labels go into."""
    for value in analysis.flow.values:
        mixed = analysis.after_first_layer[value.id] and analysis.depends_on_label[value.id]
        if mixed and analysis.producer(value) is not None and analysis.shape(value) in ((), (1,)):
            yield value.id


_NMS_SLOTS = {
    "Scores": CLASS_HEAD,
    "BBoxes": BOX_HEAD,
    "TargetBox": BOX_HEAD,
    "BboxDeltas": BOX_HEAD,
}


def _nms_heads(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """The last layers before non-maximum suppression and box decoding."""
    ops = [op for op in analysis.ops if "nms" in op.type or op.type in _DECODERS]
    reached: dict[int, set[str]] = {}
    sources: dict[int, str] = {}
    for op in ops:
        for slot, kind in _NMS_SLOTS.items():
            value = analysis.flow.read(op, slot)
            if value is None:
                continue
            for end in producing_layers(analysis, [value], distributions(analysis)):
                reached.setdefault(end.id, set()).add(_kind_of(analysis, end, op, kind))
                sources.setdefault(end.id, f"reaches {slot} of {op.type}")
    for i, kinds in reached.items():
        kind = HEAD if len(kinds) > 1 else next(iter(kinds))
        yield make_feature(analysis, analysis.flow.values[i], kind, sources[i])


def _kind_of(analysis: ProgramAnalysis, end: Value, op: Op, kind: str) -> str:
    """What a head is that reaches one slot of non-maximum suppression."""
    if end.id in distributions(analysis):
        return DISTRIBUTION
    scores = analysis.flow.read(op, "Scores")
    sizes = (analysis.shape(scores) if scores is not None else None) or ()
    classes = sizes[1] if kind == CLASS_HEAD and len(sizes) > 1 else 0
    # One number a cell (as a quality that scales all scores) is no score of classes.
    return HEAD if classes > 1 and map_channels(analysis, end) % classes else kind


_DECODERS = frozenset({"box_coder", "generate_proposals", "generate_proposals_v2"})


def _labels_heads(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """What an arg_max or a decoder of sequences picks from."""
    for op in analysis.ops:
        value = analysis.flow.read(op, _PICKERS[op.type]) if op.type in _PICKERS else None
        if value is not None and analysis.after_first_layer[value.id]:
            source = f"{_PICKERS[op.type]} of {op.type}"
            for end in pre_activation(analysis, value):
                yield _head(analysis, end, "class", source, False)


# Ops that pick the best class or path, and the slot that they pick from.
_PICKERS = {
    "arg_max": "X",
    "top_k": "X",
    "top_k_v2": "X",
    "crf_decoding": "Emission",
    "ctc_align": "Input",
}


def _fetched(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """What the program returns, before activations."""
    fetched = [v for op in analysis.ops if op.type == "fetch" for v in analysis.reads(op)]
    if not fetched:
        names = set(analysis.program.fetches)
        last = {v.name: v for v in analysis.flow.values if v.name in names}
        fetched = [last[name] for name in analysis.program.fetches if name in last]
    for value in fetched:
        if not analysis.after_first_layer[value.id]:
            continue
        ends = pre_activation(analysis, value)
        for end in ends:
            yield _head(analysis, end, "class", "logits of an output", len(ends) > 1)
