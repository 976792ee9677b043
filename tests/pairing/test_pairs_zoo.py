"""The published pairs, found on the bundled programs, whatever their names and order of ops."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import PairReport, find_pairs

pytestmark = pytest.mark.paddle

Programs = Callable[[str], Program]

STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34"
FINE = "?fine_grained=true"
SEGMENT = ("zoo:deeplabv3p_mobilenetv2", "zoo:deeplabv3p_xception65")
RETINA = ("zoo:retinanet_r50", "zoo:retinanet_r101")
GFL = ("zoo:gfl_r18vd", "zoo:gfl_r101vd")
STRIDES = (128, 64, 32, 16, 8)
YOLO_NAMES = [
    ("conv2d_20.tmp_1", "conv2d_6.tmp_1"),
    ("conv2d_28.tmp_1", "conv2d_14.tmp_1"),
    ("conv2d_36.tmp_1", "conv2d_22.tmp_1"),
]
PARTS = [
    name
    for i in range(3)
    for name in (
        *(f"strided_slice_{5 * i + k}.tmp_0" for k in range(5)),
        f"transpose_{2 * i}.tmp_0",
    )
]
CASES = {
    "yolo train": (STUDENT, TEACHER),
    "yolo eval": (f"{STUDENT}?mode=eval", f"{TEACHER}?mode=eval"),
    "yolo infer": (f"{STUDENT}?mode=infer", f"{TEACHER}?mode=infer"),
    "yolo fine": (STUDENT + FINE, TEACHER + FINE),
    "deeplab train": SEGMENT,
    "deeplab infer": tuple(f"{name}?mode=infer" for name in SEGMENT),
    "retinanet train": RETINA,
    "gfl train": GFL,
    "gfl infer": tuple(f"{name}?mode=infer" for name in GFL),
}


def names(report: PairReport) -> list[tuple[str, str]]:
    return [(pair.student, pair.teacher) for pair in report.pairs]


@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
def test_the_three_heads_of_yolov3(program: Programs, mode):
    report = find_pairs(program(f"{STUDENT}?mode={mode}"), program(f"{TEACHER}?mode={mode}"))
    assert names(report) == YOLO_NAMES
    assert [p.role for p in report.pairs] == [f"yolo head, stride {s}" for s in (32, 16, 8)]
    assert {(p.loss, p.weight, p.score, p.adapter) for p in report.pairs} == {
        ("l2", 100.0, 1.0, None)
    }
    assert not report.warnings and not report.alternatives


def test_the_evidence_is_in_plain_words(program: Programs):
    pair = find_pairs(program(STUDENT), program(TEACHER)).pairs[0]
    assert pair.rule == "loss_input"
    assert "; ".join(pair.evidence) == (
        "X of yolov3_loss with anchors 116,90 156,198 373,326; stride 32; equal shape; "
        "no other candidate at this stride"
    )


def test_the_eighteen_parts_in_the_published_order(program: Programs):
    report = find_pairs(program(STUDENT + FINE), program(TEACHER + FINE))
    assert names(report) == [(name, name) for name in PARTS]
    parts = ("x", "y", "w", "h", "objectness", "class")
    assert [p.part for p in report.pairs] == [f"{i}.{part}" for i in range(3) for part in parts]
    assert {(p.loss, p.weight, p.rule) for p in report.pairs} == {
        ("yolo_fine_grained", 1000.0, "yolo_parts")
    }


@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
def test_the_one_pair_of_deeplab(program: Programs, mode):
    student, teacher = (program(f"{name}?mode={mode}") for name in SEGMENT)
    report = find_pairs(student, teacher)
    assert names(report) == [("bilinear_interp_0.tmp_0", "bilinear_interp_2.tmp_0")]
    assert (report.pairs[0].loss, report.pairs[0].weight) == ("l2", 0.1)


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_the_five_levels_of_retinanet(program: Programs, mode):
    report = find_pairs(*(program(f"{name}?mode={mode}") for name in RETINA))
    assert names(report) == [
        (f"conv2d_{n}.tmp_1", f"conv2d_{n + 51}.tmp_1") for n in range(60, 55, -1)
    ]
    assert [(p.role, p.stride) for p in report.pairs] == [
        (f"neck level, stride {s}", s) for s in STRIDES
    ]
    assert {(p.loss, p.weight, p.score, p.adapter) for p in report.pairs} == {
        ("fgd", 1.0, 1.0, None)
    }
    assert not report.warnings


@pytest.mark.parametrize("modes", [("train", "train"), ("infer", "infer"), ("train", "infer")])
def test_classes_and_distributions_of_gfl(program: Programs, modes):
    sides = [program(f"{name}?mode={mode}") for name, mode in zip(GFL, modes, strict=True)]
    report = find_pairs(*sides)
    # The distributions are what the softmax reads: behind the factor of each level.
    boxes = [f"scale_reg_{n}.tmp_0" for n in (9, 7, 5, 3, 1)]
    classes = [(f"conv2d_{n}.tmp_1", f"conv2d_{n + 83}.tmp_1") for n in (75, 65, 55, 45, 35)]
    assert names(report)[::2] == classes
    assert names(report)[1::2] == list(zip(boxes, boxes, strict=True))
    assert [(p.part, p.stride) for p in report.pairs] == [
        (f"{i}.{part}", s) for i, s in enumerate(STRIDES) for part in ("class", "distribution")
    ]
    assert {(p.loss, p.weight, p.rule) for p in report.pairs} == {("ld", 1.0, "distribution_heads")}
    levels = find_pairs(*sides, "dense_levels")
    assert [(p.loss, p.stride) for p in levels.pairs] == [("fgd", s) for s in STRIDES]
    assert levels == find_pairs(*sides, loss="fgd")
    kinds = {p.role.partition(",")[0] for p in find_pairs(*sides, loss="l2").pairs}
    assert kinds == {"dense head class", "dense head distribution"}


def test_levels_of_other_widths_get_an_adapter(program: Programs):
    report = find_pairs(program(f"{RETINA[0]}?scale=0.5"), program(RETINA[1]))
    adapters = [p.adapter and (p.adapter.in_channels, p.adapter.out_channels) for p in report.pairs]
    assert adapters == [(128, 256)] * 5


def test_other_classes_leave_the_levels_to_gfl(program: Programs):
    report = find_pairs(program(f"{GFL[0]}?num_classes=3"), program(GFL[1]))
    assert [p.rule for p in report.pairs] == ["dense_levels"] * 5
    assert "3 and 80 classes" in report.warnings[0]
    assert len(report.alternatives) == 10


def test_yolo_levels_take_fgd_where_it_is_asked_for(program: Programs):
    report = find_pairs(program(STUDENT), program(TEACHER), loss="fgd")
    assert [(p.rule, p.loss, p.stride) for p in report.pairs] == [
        ("neck_levels", "fgd", s) for s in (32, 16, 8)
    ]
    with pytest.raises(UsageError, match="rule='dense_levels' or rule='neck_levels'"):
        find_pairs(program(STUDENT), program(TEACHER), "loss_input", "fgd")


def test_a_train_program_meets_an_inference_program(program: Programs):
    report = find_pairs(program(STUDENT), program(f"{TEACHER}?mode=infer"))
    assert names(report) == YOLO_NAMES
    assert report.pairs[0].evidence[:2] == (
        "student: X of yolov3_loss with anchors 116,90 156,198 373,326",
        "teacher: X of yolo_box with anchors 116,90 156,198 373,326",
    )


@pytest.mark.parametrize("case", CASES)
def test_names_and_order_of_ops_decide_nothing(program: Programs, case):
    sides = [program(text) for text in CASES[case]]
    expected = told(find_pairs(*sides), {}, {})
    for seed in range(20):
        (student, ours), (teacher, theirs) = (
            rename_all(shuffle_ops(side, seed), seed + k) for k, side in enumerate(sides)
        )
        back = ({new: old for old, new in ours.items()}, {v: k for k, v in theirs.items()})
        assert told(find_pairs(student, teacher), *back) == expected


@pytest.mark.parametrize("rule", ["neck_levels", "backbone_stages"])
def test_inner_features_survive_it_too(program: Programs, rule):
    sides = program(STUDENT), program(TEACHER)
    expected = told(find_pairs(*sides, rule), {}, {})
    assert len(expected[0]) >= 3
    for seed in range(5):
        (student, ours), (teacher, theirs) = (rename_all(shuffle_ops(s, seed), seed) for s in sides)
        back = ({new: old for old, new in ours.items()}, {v: k for k, v in theirs.items()})
        assert told(find_pairs(student, teacher, rule), *back) == expected


def told(report: PairReport, ours: dict[str, str], theirs: dict[str, str]) -> tuple[object, ...]:
    """Everything that a report says, under the first names."""

    @cache
    def of(name: str | None, side: int) -> str | None:
        return (ours, theirs)[side].get(name, name) if name else name

    pairs = [
        (of(p.student, 0), of(p.teacher, 1), p.role, p.part, p.loss, p.weight, p.score, p.evidence)
        for p in report.pairs
    ]
    rejected = [(of(r.student, 0), of(r.teacher, 1), r.role, r.reason) for r in report.alternatives]
    return pairs, rejected, len(report.warnings)


def test_the_backbones_differ_in_width(program: Programs):
    report = find_pairs(program(STUDENT), program(TEACHER), "backbone_stages")
    stages = {p.role.rpartition(" ")[2]: p for p in report.pairs}
    assert set(stages) == {"32", "16", "8", "4", "2"}
    adapter = stages["16"].adapter
    assert adapter is not None
    assert (adapter.in_channels, adapter.out_channels, adapter.resize) == (512, 256, False)
    assert adapter.parameters == 512 * 256 + 256


def test_other_classes_are_no_pair_of_logits(program: Programs):
    report = find_pairs(program(f"{STUDENT}?num_classes=3"), program(TEACHER))
    assert all(p.rule == "neck_levels" for p in report.pairs) and len(report.pairs) == 3
    assert [(r.student, r.teacher) for r in report.alternatives] == YOLO_NAMES
    assert "3 and 20 classes" in report.alternatives[0].reason
    assert any("3 and 20 classes" in warning for warning in report.warnings)
    alone = find_pairs(program(f"{STUDENT}?num_classes=3"), program(TEACHER), "loss_input")
    assert not alone.pairs and "3 and 20 classes" in alone.warnings[0]


def test_other_tasks_are_no_pair_at_all(program: Programs):
    report = find_pairs(program(STUDENT), program(SEGMENT[1]))
    assert not report.pairs
    assert report.warnings == (
        "nothing matched: the student has 3 yolo heads, the teacher has 1 segmentation logits",
    )


PICO = ("zoo:picodet_s?scale=0.25", "zoo:picodet_l?scale=0.25")


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_the_heads_and_levels_of_picodet(program: Programs, mode):
    student, teacher = (program(f"{name}&mode={mode}") for name in PICO)
    heads = find_pairs(student, teacher)
    assert [p.role for p in heads.pairs] == [
        f"dense head {part}, stride {stride}"
        for stride in (64, 32, 16, 8)
        for part in ("class", "distribution")
    ]
    assert [p.student_shape[1] for p in heads.pairs] == [80, 4 * 8] * 4
    assert {p.loss for p in heads.pairs} == {"ld"}
    levels = find_pairs(student, teacher, loss="fgd")
    assert [p.role for p in levels.pairs] == [f"neck level, stride {s}" for s in (64, 32, 16, 8)]
    assert [(p.student_shape[1], p.teacher_shape[1]) for p in levels.pairs] == [(24, 40)] * 4
