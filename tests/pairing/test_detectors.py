"""Detectors of every family: what of them can be matched, and what not and why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import PairReport, find_pairs

OPEN = (-1, -1)


def keep(b: Builder, type: str, x: str, channels: int, **more: str) -> str:
    return b.op(type, {"X": x, **more}, shape=(-1, channels, *OPEN))


def backbone(b: Builder, width: int, strides: int, size: int = -1) -> list[str]:
    """Feature maps of strides 2, 4, 8, ..."""
    x, found = b.feed("image", (-1, 3, size, size)), []
    for _ in range(strides):
        x = b.conv(x, width, k=3, stride=2)
        x = b.op("relu", {"X": x}, shape=b.build().shape(x))
        found.append(x)
    return found


def roles(report: PairReport) -> list[str]:
    return [pair.role for pair in report.pairs]


def top_k(b: Builder, x: str, k: int = 100) -> tuple[str, str]:
    """Scores and indices of the best."""
    outputs = {"Out": f"{b.fresh('top_k')}.scores", "Indices": f"{b.fresh('top_k')}.indices"}
    b.op("top_k_v2", {"X": x}, outputs, {"k": k, "axis": -1}, shape=(-1, k))
    return outputs["Out"], outputs["Indices"]


def only_peaks(b: Builder, score: str, classes: int, spelling: str) -> str:
    """A map with zeros where a neighbour is larger, in one of three spellings."""
    pooled = b.op("pool2d", {"X": score}, attrs={"strides": (1, 1)}, shape=(-1, classes, *OPEN))
    if spelling == "difference":
        less = keep(b, "ceil", keep(b, "elementwise_sub", pooled, classes, Y=score), classes)
        return keep(b, "elementwise_mul", score, classes, Y=keep(b, "scale", less, classes))
    peak = keep(b, "equal", pooled, classes, Y=score)
    if spelling == "where":
        zeros = keep(b, "fill_any_like", score, classes)
        return keep(b, "where", score, classes, Y=zeros, Condition=peak)
    return keep(b, "elementwise_mul", score, classes, Y=keep(b, "cast", peak, classes))


def decode_peaks(
    b: Builder, heat: str, maps: dict[str, str], classes: int = 3, spelling: str = "product"
) -> str:
    """CenterNet's answer: peaks of the heatmap, and what the other maps have there."""
    score = only_peaks(b, keep(b, "sigmoid", heat, classes), classes, spelling)
    best, index = top_k(b, b.op("reshape2", {"X": score}, shape=(-1, -1)))
    found = [best]
    for name, channels in (("size", 2), ("offset", 2)):
        cells = b.op("transpose2", {"X": maps[name]}, attrs={"axis": (0, 2, 3, 1)},
                     shape=(-1, *OPEN, channels))  # fmt: skip
        cells = b.op("reshape2", {"X": cells}, shape=(-1, channels))
        there = b.op("gather", {"X": cells, "Index": index}, shape=(100, channels))
        if name == "size":
            there = b.op("scale", {"X": there}, attrs={"scale": 0.5}, shape=(100, channels))
            there = b.op("elementwise_sub", {"X": index, "Y": there}, shape=(100, channels))
        else:
            there = b.op("elementwise_add", {"X": index, "Y": there}, shape=(100, channels))
        found.append(there)
    return b.op("concat", {"X": found}, shape=(100, 5))


def center_net(width: int, in_a_block: bool = False) -> Program:
    b = Builder()
    x = backbone(b, width, 2)[-1]
    heat, size, offset = b.conv(x, 3), b.conv(x, 2), b.conv(x, 2)
    maps = {"size": size, "offset": offset}
    if not in_a_block:
        return b.build(fetches=[decode_peaks(b, heat, maps)])
    b.var("found", (100, 5))
    with b.block() as block:
        b.op("assign", {"X": decode_peaks(b, heat, maps)}, {"Out": "found"})
    b.op("while", {"X": [heat, size, offset]}, {"Out": "found"}, {"sub_block": block})
    return b.build(fetches=[b.op("scale", {"X": "found"}, shape=(100, 5))])


@pytest.mark.parametrize("in_a_block", [False, True])
def test_center_net_gives_its_heatmap_sizes_and_offsets(in_a_block: bool) -> None:
    """Not the peaks, and not the best of them."""
    student, teacher = center_net(8, in_a_block), center_net(16, in_a_block)
    report = find_pairs(student, teacher)
    assert roles(report) == [
        "box head, stride 4",
        "box head, stride 4",
        "heatmap logits, stride 4",
    ]
    assert {(p.student, p.teacher) for p in report.pairs} == {
        (f"conv2d_{i}.tmp_0",) * 2 for i in (2, 3, 4)
    }
    assert [p.loss for p in report.pairs] == ["relative_l2", "relative_l2", "binary_kl"]
    named = any("in a while block" in text for p in report.pairs for text in p.evidence)
    assert named is in_a_block


@pytest.mark.parametrize("spelling", ["product", "where", "difference"])
@pytest.mark.parametrize("returned", [False, True])
def test_peaks_are_never_a_pair_of_their_own(spelling: str, returned: bool) -> None:
    """Whichever way they are kept, and where the map of peaks itself is returned, too."""

    def build(width: int) -> Program:
        b = Builder()
        heat = b.conv(backbone(b, width, 2)[-1], 3)
        score = only_peaks(b, keep(b, "sigmoid", heat, 3), 3, spelling)
        best, _ = top_k(b, b.op("reshape2", {"X": score}, shape=(-1, 3 * 256)))
        return b.build(fetches=[best, score] if returned else [best])

    (pair,) = find_pairs(build(8), build(16)).pairs
    assert (pair.student, pair.role) == ("conv2d_2.tmp_0", "heatmap logits, stride 4")
    assert (pair.loss, pair.score) == ("binary_kl", 1.0)


def test_boxes_as_distributions_are_found_where_they_are_returned() -> None:
    """YOLOv8: the mean of a softmax over 8 bins, joined for all levels and returned."""

    def build(width: int) -> Program:
        b = Builder()
        sides, scores = [], []
        for level in backbone(b, width, 3)[-2:]:
            sides.append(b.op("reshape2", {"X": b.conv(level, 32)}, shape=(-1, 32, 64)))
            flat = b.op("reshape2", {"X": b.conv(level, 3)}, shape=(-1, 3, 64))
            scores.append(b.op("sigmoid", {"X": flat}, shape=(-1, 3, 64)))
        y = b.op("concat", {"X": sides}, attrs={"axis": 2}, shape=(-1, 32, 128))
        y = b.op("reshape2", {"X": y}, shape=(-1, 4, 8, 128))
        y = b.op("softmax", {"X": y}, attrs={"axis": 2}, shape=(-1, 4, 8, 128))
        bins = b.op("range", {}, shape=(8,))
        bins = b.op("reshape2", {"X": bins}, shape=(1, 1, 8, 1))
        y = b.op("elementwise_mul", {"X": y, "Y": bins}, shape=(-1, 4, 8, 128))
        y = b.op("reduce_sum", {"X": y}, attrs={"dim": (2,)}, shape=(-1, 4, 128))
        classes = b.op("concat", {"X": scores}, attrs={"axis": 2}, shape=(-1, 3, 128))
        return b.build(fetches=[b.op("concat", {"X": [y, classes]}, shape=(-1, 7, 128))])

    report = find_pairs(build(8), build(16))
    assert {pair.loss for pair in report.pairs} == {"ld"}
    assert sorted(role.partition(",")[0] for role in roles(report)) == [
        "dense head class", "dense head class",
        "dense head distribution", "dense head distribution",
    ]  # fmt: skip


def test_sizes_and_offsets_are_told_apart_by_their_use() -> None:
    student, teacher = center_net(8), center_net(16)
    for seed in range(5):
        moved, names = rename_all(shuffle_ops(student, seed), seed)
        report = find_pairs(moved, teacher)
        assert {(p.student, p.teacher) for p in report.pairs} == {
            (names[f"conv2d_{i}.tmp_0"], f"conv2d_{i}.tmp_0") for i in (2, 3, 4)
        }


def ssd(width: int, priors: list[dict[str, object]], classes: int = 3) -> Program:
    """Two levels with 3 priors a cell each, decoded up to the suppression."""
    b = Builder()
    image, boxes, scores = "image", [], []
    for x, attrs in zip(backbone(b, width, 3, 64)[1:], priors, strict=True):
        shape = b.build().shape(x) or ()
        h, w = shape[2:]
        box, score = b.conv(x, 12), b.conv(x, 3 * classes)
        boxes.append(b.op("reshape2", {"X": box}, shape=(-1, h * w * 3, 4)))
        scores.append(b.op("reshape2", {"X": score}, shape=(-1, h * w * 3, classes)))
        b.op("prior_box", {"Input": x, "Image": image},
             {"Boxes": b.fresh("priors"), "Variances": b.fresh("variances")},
             attrs, shape=(h, w, 3, 4))  # type: ignore[arg-type] # fmt: skip
    all_boxes = b.op("concat", {"X": boxes}, shape=(-1, -1, 4))
    all_scores = b.op("concat", {"X": scores}, shape=(-1, -1, classes))
    all_scores = b.op("softmax", {"X": all_scores}, shape=(-1, -1, classes))
    found = b.op("multiclass_nms3", {"BBoxes": all_boxes, "Scores": all_scores}, shape=(-1, 6))
    return b.build(fetches=[found])


PRIORS: list[dict[str, object]] = [
    {"min_sizes": (16.0,), "aspect_ratios": (2.0,), "flip": True},
    {"min_sizes": (32.0,), "aspect_ratios": (2.0,), "flip": True},
]


def test_ssd_heads_are_pairs_where_the_priors_are_equal() -> None:
    report = find_pairs(ssd(8, PRIORS), ssd(16, PRIORS))
    assert roles(report) == [
        f"{kind} head, stride {s}" for kind in ("box", "class") for s in (8, 4)
    ]
    assert {p.score for p in report.pairs} == {1.0}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"min_sizes": (20.0,)}, "min_sizes 16 and 20"),
        ({"aspect_ratios": (3.0,)}, "aspect_ratios 2 and 3"),
        ({"min_max_aspect_ratios_order": True}, "min_max_aspect_ratios_order not set and True"),
    ],
)
def test_other_priors_or_another_order_are_no_pair(change: dict[str, object], reason: str) -> None:
    """Equal shapes say nothing: channel 7 would be another box."""
    report = find_pairs(ssd(8, PRIORS), ssd(16, [{**PRIORS[0], **change}, PRIORS[1]]))
    assert roles(report) == ["box head, stride 8", "class head, stride 8"]
    refused = [item for item in report.alternatives if item.role.endswith("stride 4")]
    assert len(refused) == 2
    assert all(f"the prior boxes differ ({reason})" in item.reason for item in refused)
    assert len([text for text in report.warnings if "prior boxes differ" in text]) == 1


def test_yolo_heads_with_other_anchors_are_no_pair() -> None:
    def build(width: int, anchors: tuple[int, ...]) -> Program:
        b = Builder()
        head = b.conv(backbone(b, width, 3)[-1], 2 * 8)
        attrs = {"anchors": anchors, "class_num": 3, "downsample_ratio": 8}
        b.op("yolo_box", {"X": head}, attrs=attrs, shape=(-1, -1, 4))
        return b.build()

    ours, theirs = (10, 13, 16, 30), (12, 13, 16, 30)
    assert find_pairs(build(8, ours), build(16, ours)).pairs[0].score == 1.0
    report = find_pairs(build(8, ours), build(16, theirs))
    assert [p.rule for p in report.pairs] == ["neck_levels"]
    assert "the anchors differ (10,13 16,30 and 12,13 16,30)" in report.warnings[0]


def slices(b: Builder, x: str, cells: tuple[int, ...], *parts: tuple[int, int]) -> Iterator[str]:
    """Parts of the last axis."""
    for start, end in parts:
        attrs = {"axes": (4,), "starts": (start,), "ends": (end,), "strides": (1,)}
        yield b.op("strided_slice", {"Input": x}, attrs=attrs, shape=(*cells, end - start))


def yolo_v5(width: int, spelling: str) -> Program:
    """Heads of 2 anchors and 3 classes that the program decodes itself, as YOLOv5 does."""
    b = Builder()
    rows = []
    for level, size in zip(backbone(b, width, 4, 64)[-2:], (8, 4), strict=True):
        cells = (-1, 2, size, size)
        y = b.op("reshape2", {"X": b.conv(level, 2 * 8)}, shape=(-1, 2, 8, size, size))
        y = b.op("transpose2", {"X": y}, attrs={"axis": (0, 1, 3, 4, 2)}, shape=(*cells, 8))
        if spelling != "raw boxes":
            y = b.op("sigmoid", {"X": y}, shape=(*cells, 8))
        if spelling == "split":
            parts = {"Out": [b.var(b.fresh("part"), (*cells, n)) for n in (2, 2, 4)]}
            b.op("split", {"X": y}, parts, {"axis": 4, "sections": (2, 2, 4)})
            xy, wh, rest = parts["Out"]
        else:
            xy, wh, rest = slices(b, y, cells, (0, 2), (2, 4), (4, 8))
        if spelling == "raw boxes":
            rest = b.op("sigmoid", {"X": rest}, shape=(*cells, 4))
            wh = b.op("exp", {"X": wh}, shape=(*cells, 2))
        grid, anchors = b.op("assign_value", shape=(2,)), b.op("assign_value", shape=(2,))
        xy = b.op("elementwise_add", {"X": xy, "Y": grid}, shape=(*cells, 2))
        wh = b.op("elementwise_mul", {"X": wh, "Y": anchors}, shape=(*cells, 2))
        if spelling == "in place":
            for part, put in (((0,), xy), ((2,), wh)):
                attrs = {"axes": (4,), "starts": part, "ends": (part[0] + 2,), "steps": (1,)}
                y = b.op("set_value", {"Input": y, "ValueTensor": put}, attrs=attrs,
                         shape=(*cells, 8))  # fmt: skip
        else:
            y = b.op("concat", {"X": [xy, wh, rest]}, attrs={"axis": 4}, shape=(*cells, 8))
        rows.append(b.op("reshape2", {"X": y}, shape=(-1, 2 * size * size, 8)))
    return b.build(fetches=[b.op("concat", {"X": rows}, attrs={"axis": 1}, shape=(-1, 160, 8))])


@pytest.mark.parametrize("spelling", ["slices", "split", "in place", "raw boxes"])
def test_heads_that_hold_boxes_and_scores_are_no_heads_of_classes(spelling: str) -> None:
    report = find_pairs(yolo_v5(8, spelling), yolo_v5(16, spelling))
    assert roles(report) == ["yolo head, stride 16", "yolo head, stride 8"]
    for pair in report.pairs:
        # The anchors are numbers that no program states as such.
        assert (pair.loss, pair.score) == ("l2", 0.8)
        assert "in doubt: the anchors that the decoding multiplies with" in " ".join(pair.evidence)


def test_channels_of_other_parts_are_a_head_in_doubt() -> None:
    """One anchor: 4 sides of a box and 3 scores, which nothing says are x, y, w, h."""

    def build(width: int) -> Program:
        b = Builder()
        rows = []
        for level in backbone(b, width, 4, 64)[-2:]:
            head = b.conv(level, 7)
            shape = b.build().shape(head)[2:]
            for start, end, activation in ((0, 4, "exp"), (4, 7, "sigmoid")):
                attrs = {"axes": (1,), "starts": (start,), "ends": (end,)}
                part = b.op("slice", {"Input": head}, attrs=attrs, shape=(-1, end - start, *shape))
                rows.append(b.op(activation, {"X": part}, shape=(-1, end - start, *shape)))
        return b.build(fetches=rows)

    report = find_pairs(build(8), build(16))
    assert {(pair.role.partition(",")[0], pair.loss, pair.score) for pair in report.pairs} == {
        ("head", "relative_l2", 0.8)
    }


def test_a_background_class_that_is_left_out_changes_nothing() -> None:
    def build(width: int) -> Program:
        b = Builder()
        found = []
        for level in backbone(b, width, 4, 64)[-2:]:
            head = b.conv(level, 7)
            shape = b.build().shape(head)[2:]
            y = b.op("softmax", {"X": head}, attrs={"axis": 1}, shape=(-1, 7, *shape))
            attrs = {"axes": (1,), "starts": (1,), "ends": (7,)}
            y = b.op("slice", {"Input": y}, attrs=attrs, shape=(-1, 6, *shape))
            found.append(b.op("scale", {"X": y}, attrs={"scale": 2.0}, shape=(-1, 6, *shape)))
        return b.build(fetches=found)

    assert {role.partition(",")[0] for role in roles(find_pairs(build(8), build(16)))} == {
        "segmentation logits"
    }


def fcos(width: int, classes: int = 3, decoded: bool = True, size: int = -1) -> Program:
    """Scores, a quality and boxes of two levels, without a suppression in the program."""
    b = Builder()
    found: dict[str, list[str]] = {"score": [], "quality": [], "box": []}
    for x in backbone(b, width, 3, size)[1:]:
        for name, channels in (("score", classes), ("quality", 1), ("box", 4)):
            y = b.conv(x, channels)
            shape = b.build().shape(y)
            if name == "box":
                y = b.op("exp", {"X": y}, shape=shape)
                if decoded:
                    scale = b.op("fill_constant", shape=(1,))
                    y = b.op("elementwise_mul", {"X": y, "Y": scale}, shape=shape)
            else:
                y = b.op("sigmoid", {"X": y}, shape=shape)
            found[name].append(b.op("reshape2", {"X": y}, shape=(-1, channels, -1)))
    fetches = [b.op("concat", {"X": parts}, shape=(-1, -1, -1)) for parts in found.values()]
    return b.build(fetches=fetches)


@pytest.mark.parametrize("decoded", [False, True])
def test_a_detector_without_suppression_gives_the_heads_of_each_level(decoded: bool) -> None:
    report = find_pairs(fcos(8, decoded=decoded), fcos(16, decoded=decoded))
    assert roles(report) == ["class head, stride 8"] * 2 + ["class head, stride 4"] * 2 + [
        "head, stride 8",
        "head, stride 4",
    ]
    assert [p.student for p in report.pairs] == [p.teacher for p in report.pairs]
    assert [p.student_shape[1] for p in report.pairs][4:] == [4, 4]
    assert {p.score for p in report.pairs[:4]} == {1.0}
    assert {p.score for p in report.pairs[4:]} == {0.8}


def test_maps_of_images_of_other_sizes_are_resized() -> None:
    report = find_pairs(fcos(8, size=32), fcos(16, size=64))
    assert len(report.pairs) == 6
    for pair in report.pairs:
        assert pair.adapter is not None and pair.adapter.resize and not pair.adapter.parameters
        assert pair.score < 1.0
    assert any("(4x4 to 8x8)" in text for text in report.pairs[0].evidence)
    assert "images of 32x32 and the teacher for 64x64" in report.warnings[0]


def attention(b: Builder, queries: str, keys: str, rows: int, width: int) -> str:
    scores = b.op("matmul_v2", {"X": queries, "Y": keys}, attrs={"trans_y": True},
                  shape=(-1, rows, -1))  # fmt: skip
    scores = b.op("scale", {"X": scores}, attrs={"scale": 0.25}, shape=(-1, rows, -1))
    share = b.op("softmax", {"X": scores}, attrs={"axis": -1}, shape=(-1, rows, -1))
    return b.op("matmul_v2", {"X": share, "Y": keys}, shape=(-1, rows, width))


def layer(b: Builder, x: str, inputs: int, outputs: int, rows: int) -> str:
    weight = b.param(f"{b.fresh('linear')}.w_0", (inputs, outputs))
    return b.op("matmul_v2", {"X": x, "Y": weight}, shape=(-1, rows, outputs))


def detr(width: int, learned: bool, heads: bool = True) -> Program:
    """Two levels of an encoder; a decoder of 20 queries, learned or picked by top_k."""
    b = Builder()
    tokens = []
    for x in backbone(b, width, 3)[1:]:
        level = b.conv(x, 16)
        flat = b.op("flatten_contiguous_range", {"X": level}, shape=(-1, 16, -1))
        tokens.append(
            b.op("transpose2", {"X": flat}, attrs={"axis": (0, 2, 1)}, shape=(-1, -1, 16))
        )
    memory = b.op("concat", {"X": tokens}, attrs={"axis": 1}, shape=(-1, -1, 16))
    if learned:
        queries = layer(b, b.param("queries", (20, 16)), 16, 16, 20)
    else:
        score = b.op("reduce_max", {"X": layer(b, memory, 16, 3, -1)}, shape=(-1, -1))
        _, index = top_k(b, score, 20)
        queries = b.op("gather_nd", {"X": memory, "Index": index}, shape=(-1, 20, 16))
    x = layer(b, attention(b, queries, memory, 20, 16), 16, 16, 20)
    classes = b.op("sigmoid", {"X": layer(b, x, 16, 3, 20)}, shape=(-1, 20, 3))
    flat = b.op("flatten_contiguous_range", {"X": classes}, shape=(-1, 60))
    best, index = top_k(b, flat, 10)
    if not heads:
        return b.build(fetches=[best])
    hidden = b.op("relu", {"X": layer(b, x, 16, 16, 20)}, shape=(-1, 20, 16))
    boxes = b.op("sigmoid", {"X": layer(b, hidden, 16, 4, 20)}, shape=(-1, 20, 4))
    boxes = b.op("gather_nd", {"X": boxes, "Index": index}, shape=(-1, 10, 4))
    return b.build(fetches=[b.op("concat", {"X": [best, boxes]}, shape=(-1, 5))])


@pytest.mark.parametrize("learned", [False, True])
def test_rows_of_queries_are_no_pair_and_the_levels_of_the_encoder_are(learned: bool) -> None:
    """Query 7 of the student and query 7 of the teacher are different objects."""
    report = find_pairs(detr(8, learned), detr(16, learned))
    assert roles(report) == ["encoder level, stride 8", "encoder level, stride 4"]
    assert {p.rule for p in report.pairs} == {"neck_levels"}
    refused = {item.role: item for item in report.alternatives}
    assert set(refused) == {"object class scores", "object boxes"}  # boxes are not forgotten
    why = "learned queries" if learned else "gather_nd"
    assert all(
        why in item.reason and "match them first" in item.reason for item in refused.values()
    )
    assert not find_pairs(detr(8, learned), detr(8, learned), "decoding_input").pairs


def r_cnn(width: int) -> Program:
    """A level with a proposal network; scores and boxes of what it proposes."""
    b = Builder()
    x = backbone(b, width, 2)[-1]
    score, delta = b.conv(x, 3), b.conv(x, 12)
    outputs = {"RpnRois": "rois", "RpnRoiProbs": "probs"}
    b.op("generate_proposals_v2", {"Scores": keep(b, "sigmoid", score, 3), "BboxDeltas": delta},
         outputs, shape=(-1, 4))  # fmt: skip
    cut = b.op("roi_align", {"X": x, "ROIs": "rois"}, shape=(-1, width, 7, 7))
    flat = b.op("flatten_contiguous_range", {"X": cut}, shape=(-1, width * 49))
    weight = b.param("hidden.w_0", (width * 49, 16))
    hidden = b.op("matmul_v2", {"X": flat, "Y": weight}, shape=(-1, 16))
    ends = []
    for name, channels in (("score", 4), ("box", 16)):
        slots = {"X": hidden, "Y": b.param(f"{name}.w_0", (16, channels))}
        ends.append(b.op("matmul_v2", slots, shape=(-1, channels)))
    share = b.op("softmax", {"X": ends[0]}, shape=(-1, 4))
    boxes = b.op("box_coder", {"PriorBox": "rois", "TargetBox": ends[1]},
                 {"OutputBox": "boxes"}, shape=(-1, 4, 4))  # fmt: skip
    found = b.op("multiclass_nms3", {"BBoxes": boxes, "Scores": share}, shape=(-1, 6))
    return b.build(fetches=[found])


def test_only_the_proposal_network_of_a_two_stage_detector_has_comparable_rows() -> None:
    report = find_pairs(r_cnn(8), r_cnn(16), "decoding_input")
    assert roles(report) == ["box head, stride 4", "class head, stride 4"]
    refused = {item.role: item.reason for item in report.alternatives}
    assert set(refused) == {"object class scores", "object boxes"}
    assert all("roi_align" in reason for reason in refused.values())
