"""The outputs of a network as its inference program shows them: what its decoding reads."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import (
    computed_by,
    head_slots,
    is_upsampler,
    kind_of,
    label_of,
    moves_only,
)
from graphprobe.pairing import roles
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.anchors import prior_key
from graphprobe.pairing.classify import MIXED, make_head
from graphprobe.pairing.distribution import distributions, expectations, map_channels
from graphprobe.pairing.features import Feature, make_feature
from graphprobe.pairing.loss_heads import loss_heads
from graphprobe.pairing.parts import vector_parts
from graphprobe.pairing.roles import Reader
from graphprobe.pairing.rows import picks_by_content, why_rows_differ
from graphprobe.pairing.trace import (
    ends_layer,
    final_layers,
    outside,
    pre_activation,
    producing_layers,
)
from graphprobe.pairing.usage import keeps_size, ranks, usage
from graphprobe.pairing.yolo_heads import once, yolo_heads
from graphprobe.pairing.yolo_split import mixed_split_of


def decoding_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the decoding of an inference program reads, or what it returns."""
    if "decoding_heads" not in analysis.memo:
        analysis.memo["decoding_heads"] = _decoding_heads(analysis)
    return list(analysis.memo["decoding_heads"])


def _decoding_heads(analysis: ProgramAnalysis) -> list[Feature]:
    yolo = yolo_heads(analysis, "decode")
    if yolo:
        return yolo
    found = once(_nms_heads(analysis)) or once(_returned(analysis))
    return _without_single_rows(found) or once(_labels_heads(analysis))


def _without_single_rows(heads: list[Feature]) -> list[Feature]:
    """Rows of learned queries are objects only where scores and boxes are made of them."""
    rows = [head for head in heads if head.rows]
    if len(rows) != 1 or "learned queries" not in rows[0].rows:
        return heads
    (head,) = rows
    doubt = "its rows are learned queries: characters in their order, or objects in none"
    kind = roles.SEQUENCE if head.kind == roles.ROW_CLASS else roles.SEQUENCE_OUTPUT
    return [
        head._replace(kind=kind, rows="", doubt=doubt) if other is head else other
        for other in heads
    ]


def _nms_heads(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """The last layers before non-maximum suppression and box decoding."""
    reached: dict[int, set[str]] = {}
    sources: dict[int, str] = {}
    for op in analysis.ops:
        for head in head_slots(op.type) if kind_of(op.type) == "decode" else ():
            slot, kind = head.slot, _NMS_KINDS[head.what]
            value = analysis.flow.read(op, slot)
            for end in _ends(analysis, op, value) if value is not None else ():
                reached.setdefault(end.id, set()).add(_kind_of(analysis, end, op, kind))
                sources.setdefault(end.id, f"reaches {slot} of {op.type}")
    for i, kinds in reached.items():
        kind = roles.HEAD if len(kinds) > 1 else next(iter(kinds))
        yield _nms_head(analysis, analysis.flow.values[i], kind, sources[i])


_NMS_KINDS = {
    "class": roles.CLASS_HEAD,
    "binary": roles.CLASS_HEAD,
    "box": roles.BOX_HEAD,
    "any": roles.HEAD,
}


def _nms_head(analysis: ProgramAnalysis, value: Value, kind: str, source: str) -> Feature:
    rows = why_rows_differ(analysis, value)
    if rows:
        kind = roles.ROW_CLASS if kind == roles.CLASS_HEAD else roles.ROW_BOX
    used = usage(analysis, value)
    scores = kind == roles.CLASS_HEAD and used.sigmoid and not (used.softmaxed or used.stretched)
    mixed = kind == roles.HEAD and mixed_split_of(analysis, value) is not None
    return make_feature(
        analysis,
        value,
        kind,
        source,
        key=prior_key(analysis, value),
        rows=rows,
        activation="sigmoid" if scores else "",
        doubt=MIXED if mixed else "",
    )


def _ends(analysis: ProgramAnalysis, op: Op, value: Value) -> list[Value]:
    """The heads before one input of a decoder.

    What only leads to the proposals of another head is left to the op that makes proposals.
    """
    ends = producing_layers(analysis, [value], distributions(analysis))
    if computed_by(op.type) == "proposals" or not any(
        why_rows_differ(analysis, end) for end in ends
    ):
        return ends
    return [end for end in ends if why_rows_differ(analysis, end)]


def _kind_of(analysis: ProgramAnalysis, end: Value, op: Op, kind: str) -> str:
    """What a head is that reaches one slot of non-maximum suppression."""
    if end.id in distributions(analysis):
        return roles.DISTRIBUTION
    scores = analysis.flow.read(op, "Scores")
    sizes = (analysis.shape(scores) if scores is not None else None) or ()
    classes = sizes[1] if kind == roles.CLASS_HEAD and len(sizes) > 1 else 0
    # One number a cell (as a quality that scales all scores) is no score of classes.
    return roles.HEAD if classes > 1 and map_channels(analysis, end) % classes else kind


def _labels_heads(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """What an arg_max or a decoder of sequences picks from."""
    for op in analysis.ops:
        yield from _picked_from(analysis, op)


def _picked_from(analysis: ProgramAnalysis, op: Op) -> Iterator[Feature]:
    slot = _picker_slot(op)
    value = analysis.flow.read(op, slot)
    if value is None or not analysis.after_first_layer[value.id]:
        return
    reader: Reader = "output" if ranks(op.type) else "class"
    for end in _unsquashed(analysis, value):
        yield make_head(analysis, end, reader, f"{slot} of {op.type}")


def _picker_slot(op: Op) -> str:
    """The slot that an op picks the best class or path from; empty for other ops."""
    heads = head_slots(op.type) if kind_of(op.type) in ("select", "path") else ()
    return heads[0].slot if heads else ""


def _returned(analysis: ProgramAnalysis) -> Iterator[Feature]:
    """What the program returns, before activations, arg_max and other decoding."""
    decoded = []
    for i in analysis.outputs:
        value = analysis.flow.values[i]
        if not analysis.after_first_layer[i]:
            continue
        ends = list(_before_scores(analysis, _unsquashed(analysis, value)))
        makers = [op for end in ends if (op := analysis.producer(end)) is not None]
        if all(_picks_classes(analysis, op) for op in makers):
            for op in makers:
                yield from _picked_from(analysis, op)
        elif all(_is_plain(analysis, end) for end in ends):
            for end in outside(analysis, ends, value):
                yield make_head(analysis, end, "output", "output of the program", len(ends) > 1)
        else:
            decoded.append(value)
    yield from _before_decoding(analysis, decoded)


def _before_scores(analysis: ProgramAnalysis, ends: list[Value]) -> Iterator[Value]:
    """The values as they are; of scores that are made larger, what the scores are made of."""
    for end in ends:
        value, op = end, analysis.producer(end)
        while op is not None and len(analysis.reads(op)) == 1:
            if not (is_upsampler(op.type) or moves_only(op.type)) or analysis.is_layer(op):
                break
            value = analysis.reads(op)[0]
            op = analysis.producer(value)
        scores = op is not None and (
            kind_of(op.type) == "softmax" or computed_by(op.type) == "sigmoid"
        )
        yield from _unsquashed(analysis, value) if scores else [end]


def _unsquashed(analysis: ProgramAnalysis, value: Value) -> list[Value]:
    return pre_activation(analysis, value, vector_parts(analysis))


def _before_decoding(analysis: ProgramAnalysis, outputs: list[Value]) -> Iterator[Feature]:
    """The last layers before outputs that a program computes from those of the network."""
    ends = final_layers(analysis, outputs, vector_parts(analysis)) if outputs else []
    blocks = _block_inputs(analysis) if ends else {}
    for end in ends:
        names = sorted(name for name, values in blocks.items() if end.id in values)
        where = "".join(f" in a {name} block" for name in names)
        source = f"last layer before the decoding of the outputs{where}"
        yield make_head(analysis, end, "output", source, len(ends) > 1)


def _block_inputs(analysis: ProgramAnalysis) -> dict[str, set[int]]:
    """``while``, ``conditional`` -> ids of the values that such blocks are computed from."""
    starts: dict[str, list[int]] = {}
    for op in analysis.ops:
        if isinstance(op.attrs.get("sub_block"), int):
            name = label_of(op.type).removesuffix(" block")
            starts.setdefault(name, []).extend(v.id for v in analysis.reads(op))
    return {name: reachable(ids, analysis.predecessors) for name, ids in starts.items()}


def _picks_classes(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op picks along the channels of what layers made, and not among cells or rows."""
    value = analysis.flow.read(op, _picker_slot(op))
    if value is None:
        return False
    if not ranks(op.type):
        return True
    ends = _unsquashed(analysis, value)
    return all(_is_plain(analysis, end) for end in ends) and not any(
        why_rows_differ(analysis, end) for end in ends
    )


# Kinds of ops that decode a network's own outputs.
_DECODING = frozenset({"select", "path", "control", "decode", "comparison"})


def _is_plain(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is made by the network itself, and not by a decoding of its outputs."""
    op = analysis.producer(value)
    if op is None or ends_layer(analysis, op) or is_upsampler(op.type):
        return True
    if kind_of(op.type) in _DECODING or computed_by(op.type) == "largest":
        return False
    if computed_by(op.type) == "put":
        return False
    if _is_whole(analysis, value):
        return False
    if picks_by_content(analysis, op) or value.id in expectations(analysis):
        return False
    if kind_of(op.type) == "elementwise" and _keeps_peaks(analysis, op):
        return False
    reads = analysis.reads(op)
    if any(analysis.depends_on_label[v.id] for v in reads):
        return False
    if kind_of(op.type) not in ("elementwise", "linear") or len(reads) > 1:
        return True
    # A fixed factor or summand (a grid of cells, a stride) belongs to a decoding; a bias does not.
    return any(_is_bias(analysis, v) for v in analysis.flow.reads(op))


# So many values are looked at behind what may keep the peaks of a map alone.
_FEW = 24


def _keeps_peaks(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op joins a map with what the largest around each of its entries gives."""
    reads = analysis.reads(op)
    queue = list(reads) if len(reads) > 1 else []
    for value in queue:
        before = analysis.producer(value)
        if before is None or len(queue) > _FEW or analysis.is_layer(before):
            continue
        if keeps_size(analysis, before):
            return True
        if kind_of(before.type) in _MASKING:
            queue += analysis.reads(before)
    return False


_MASKING = ("elementwise", "comparison", "activation", "unary", "identity")


def _is_whole(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value holds whole numbers: classes, rows, places."""
    var = analysis.program.var(value.name, value.block)
    return var is not None and var.dtype.startswith("int")


def _is_bias(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is a parameter with one number a channel, or with one."""
    var = analysis.program.var(value.name, value.block)
    if var is None or not var.persistable or value.producer is not None:
        return False
    return sum(size > 1 for size in var.shape or ()) <= 1


def network_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the losses of a program read; of a program without losses, what it decodes."""
    return loss_heads(analysis) or decoding_heads(analysis)
