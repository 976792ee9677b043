"""Exported models of PaddleDetection, PaddleSeg and PaddleClas, where they lie beside us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graphprobe.pairing.find import PairReport, find_pairs
from graphprobe.programs import load_program

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

Find = Callable[[str, str], PairReport]


@pytest.fixture(scope="module")
def find() -> Find:
    """The pairs of two files, whose names may be given in part."""
    if not CASES.is_dir():
        pytest.skip("needs the folder of exported models beside the project")

    def load(name: str) -> Path:
        (path,) = CASES.glob(f"{name}*.pdmodel")
        return path

    return lambda student, teacher: find_pairs(
        *(load_program(str(load(name))) for name in (student, teacher))
    )


def names(report: PairReport) -> list[tuple[str, str]]:
    return [(pair.student, pair.teacher) for pair in report.pairs]


def test_rt_detr_offers_its_encoder_and_names_boxes_and_scores(find: Find) -> None:
    report = find("exported/rtdetr_r18", "exported/rtdetr_r50")
    assert [p.role for p in report.pairs] == [f"encoder level, stride {s}" for s in (32, 16, 8)]
    assert {item.role for item in report.alternatives} == {"object boxes", "object class scores"}


def test_ssd_heads_of_other_priors_are_refused(find: Find) -> None:
    report = find("exported/ssd_mobilenet", "exported/ssd_vgg16")
    assert {p.rule for p in report.pairs} == {"neck_levels"}
    assert "the prior boxes differ" in report.warnings[0]
    same = find("exported/ssd_mobilenet", "exported/ssd_mobilenet")
    assert len(same.pairs) == 12 and {p.score for p in same.pairs} == {1.0}


def test_picodet_of_another_size_is_resized(find: Find) -> None:
    report = find("exported/picodet_s", "exported/picodet_l")
    assert len(report.pairs) == 8
    assert all(p.adapter is not None and p.adapter.resize for p in report.pairs)
    assert "320x320 and the teacher for 640x640" in report.warnings[0]


def test_the_main_head_of_pspnet_is_its_first_output(find: Find) -> None:
    report = find("exported/pp_liteseg", "exported/pspnet")
    assert names(report) == [("bilinear_interp_v2_6.tmp_0", "bilinear_interp_v2_4.tmp_0")]


def test_segformer_has_segmentation_logits(find: Find) -> None:
    (pair,) = find("exported/segformer_b0", "exported/segformer_b2").pairs
    assert (pair.role, pair.loss) == ("segmentation logits, stride 1", "l2")


def test_pafnet_is_decoded_in_a_loop(find: Find) -> None:
    report = find("exported/pafnet", "exported/pafnet")
    assert [p.role for p in report.pairs] == ["box head, stride 4", "heatmap logits, stride 4"]
    assert all("in a while block" in p.evidence[0] for p in report.pairs)


@pytest.mark.parametrize(
    ("student", "teacher", "role", "loss"),
    [
        ("bin_student", "bin_teacher", "binary logits", "binary_kl"),
        ("reg_student", "reg_teacher", "vector output", "relative_l2"),
    ],
)
def test_one_channel_gets_a_loss_that_teaches(
    find: Find, student: str, teacher: str, role: str, loss: str
) -> None:
    report = find(f"one_channel_soft_label/{student}", f"one_channel_soft_label/{teacher}")
    assert [(p.role, p.loss) for p in report.pairs] == [(role, loss)]


def test_a_map_behind_a_resize_to_a_fed_size_is_segmentation(find: Find) -> None:
    (pair,) = find("map_without_stride/dynS", "map_without_stride/dynT").pairs
    assert (pair.role, pair.loss) == ("segmentation logits", "l2")
    assert pair.score < 1.0


def test_images_and_words_are_told_apart(find: Find) -> None:
    report = find("inputs_not_compared/ws", "inputs_not_compared/textcls")
    assert "one cannot be fed what the other is fed" in report.warnings[0]
