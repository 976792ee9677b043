"""What the outputs of exported programs are compared as."""

from __future__ import annotations

import pytest

from graphprobe.ir.builder import Builder
from graphprobe.pairing.output_kinds import OutputKind, output_kinds, output_pairs


def kept(b: Builder, x: str, shape: tuple[int, ...]) -> str:
    """The scale by 1 that exporters put before an output."""
    return b.op("scale", {"X": x}, attrs={"scale": 1.0, "bias": 0.0}, shape=shape)


def classifier(op: str, shape=(-1, 10), **attrs):
    b = Builder()
    y = b.conv(b.feed("image", (-1, 3, 32, 32)), 10)
    y = b.op("pool2d", {"X": y}, attrs={"global_pooling": True}, shape=(-1, 10, 1, 1))
    y = b.op("reshape2", {"X": y}, attrs={"shape": [0, -1]}, shape=(-1, 10))
    return b.build(fetches=[kept(b, b.op(op, {"X": y}, attrs=attrs, shape=shape), shape)])


def dense(op: str, channels: int, shape, dtype="float32", **attrs):
    b = Builder()
    y = b.conv(b.feed("image", (-1, 3, 32, 32)), channels)
    out = b.var("out", shape, dtype)
    return b.build(fetches=[b.op(op, {"X": y}, {"Out": out}, attrs)])


def detector(count: bool):
    b = Builder()
    image = b.feed("image", (-1, 3, 32, 32))
    boxes, scores = b.conv(image, 4), b.conv(image, 3)
    boxes = b.op("reshape2", {"X": boxes}, shape=(-1, 1024, 4))
    scores = b.op("reshape2", {"X": scores}, shape=(-1, 3, 1024))
    if not count:
        rows = b.op("multiclass_nms", {"BBoxes": boxes, "Scores": scores}, shape=(-1, 6))
        return b.build(fetches=[kept(b, rows, (-1, 6))])
    rows, number = b.var("rows", (-1, 6)), b.var("number", (-1,), "int32")
    b.op(
        "multiclass_nms3",
        {"BBoxes": boxes, "Scores": scores},
        {"Out": rows, "NmsRoisNum": number},
    )
    return b.build(fetches=[rows, number])


CASES = {
    "softmax": (classifier("softmax", axis=-1), "scores", 1),
    "raw": (classifier("scale", scale=2.0), "values", -1),
    "softmax of maps": (dense("softmax", 5, (-1, 5, 32, 32), axis=1), "map scores", 1),
    "arg_max of maps": (dense("arg_max", 5, (-1, 32, 32), "int64", axis=1), "map labels", -1),
    "mask": (dense("sigmoid", 1, (-1, 1, 32, 32)), "mask", -1),
    "many masks": (dense("sigmoid", 4, (-1, 4, 32, 32)), "values", -1),
}


@pytest.mark.parametrize("case", CASES)
def test_the_op_that_makes_an_output_tells_what_it_is(case):
    program, kind, axis = CASES[case]
    (found,) = output_kinds(program)
    assert (found.name, found.kind, found.axis) == (program.fetches[0], kind, axis)


def test_scores_before_a_softmax_or_a_choice_are_what_labels_teach():
    of_softmax, before = CASES["softmax"][0], []
    for case in ("softmax", "softmax of maps", "arg_max of maps"):
        program = CASES[case][0]
        (found,) = output_kinds(program)
        maker = next(op for op in program.ops if found.logits in op.input_names())
        before.append((maker.type, found.classes, found.logits_axis))
    assert before == [("softmax", 10, 1), ("softmax", 5, 1), ("arg_max", 5, 1)]
    assert output_kinds(of_softmax)[0].names == (of_softmax.fetches[0],)
    (mask,) = output_kinds(CASES["mask"][0])
    assert (mask.classes, mask.logits) == (2, "")


def test_boxes_come_with_their_counts():
    wanted = OutputKind("rows", "boxes", count="number", classes=3, background=True)
    assert output_kinds(detector(count=True)) == [wanted]
    (old,) = output_kinds(detector(count=False))
    assert (old.kind, old.count) == ("boxes", "")


def test_outputs_of_one_kind_are_compared_in_their_order():
    new, old = detector(count=True), detector(count=False)
    (pair,) = output_pairs(new, old)
    assert (pair.student, pair.teacher, pair.kind) == ("rows", old.fetches[0], "boxes")
    assert (pair.student_count, pair.teacher_count) == ("number", "")
    assert output_pairs(new, CASES["softmax"][0]) == []


def test_real_programs(shared_models):
    from graphprobe.programs import load_program

    kinds = {
        "deeplabv3p_resnet101_p2.2": ["map labels"],
        "ssd_mobilenet_v1_p2.2": ["boxes"],
        "yolov3_darknet53_p1.8": ["boxes"],
        "mobilenet_v1_p1.x": ["scores"],
    }
    for name, expected in kinds.items():
        found = output_kinds(load_program(str(shared_models / name)))
        assert [output.kind for output in found] == expected
