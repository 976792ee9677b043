"""Dense detectors built by hand: what marks a distribution, a tower and a level."""

from __future__ import annotations

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.find import PairReport, find_pairs

BINS = 5


def keep(b: Builder, type: str, x: str, channels: int, **more: str) -> str:
    return b.op(type, {"X": x, **more}, shape=(-1, channels, -1, -1))


def mean_of_bins(b: Builder, boxes: str, how: str, bins: int) -> str:
    """[N, 4 * B, h, w] -> [N, M, 4] by a softmax over the bins, averaged one way or another."""
    flat = b.op("transpose2", {"X": boxes}, shape=(-1, -1, -1, 4 * bins))
    flat = b.op("reshape2", {"X": flat}, shape=(-1, -1, 4, bins))
    share = b.op("softmax", {"X": flat}, attrs={"axis": -1}, shape=(-1, -1, 4, bins))
    if how == "matmul":
        return b.op("matmul_v2", {"X": share, "Y": b.param("project", (bins,))}, shape=(-1, -1, 4))
    if how == "sum":
        place = b.param("place", (bins,))
        share = b.op("elementwise_mul", {"X": share, "Y": place}, shape=(-1, -1, 4, bins))
        return b.op("reduce_sum", {"X": share}, shape=(-1, -1, 4))
    return b.op("reshape2", {"X": share}, shape=(-1, -1, 4))


def gfl(filters: int = 8, how: str = "matmul", bins: int = BINS, towers: bool = False) -> Program:
    """Levels of strides 4 and 2, each with class scores and boxes, up to the suppression."""
    b = Builder()
    fine = b.conv(b.feed("image", (-1, 3, -1, -1)), filters, k=3, stride=2)
    fine = keep(b, "relu", fine, filters)
    coarse = keep(b, "relu", b.conv(fine, filters, k=3, stride=2), filters)
    scores, boxes = [], []
    for level in (fine, coarse):
        looked = keep(b, "relu", b.conv(level, filters), filters) if towers else level
        scores.append(b.op("reshape2", {"X": b.conv(looked, 7)}, shape=(-1, 7, -1)))
        boxes.append(mean_of_bins(b, b.conv(looked, 4 * bins), how, bins))
    all_scores = b.op("concat", {"X": scores}, shape=(-1, 7, -1))
    all_boxes = b.op("concat", {"X": boxes}, shape=(-1, -1, 4))
    b.op("multiclass_nms3", {"BBoxes": all_boxes, "Scores": all_scores}, shape=(-1, 6))
    return b.build()


def said(report: PairReport) -> list[tuple[str, str, str]]:
    return [(p.role, p.part, p.loss) for p in report.pairs]


@pytest.mark.parametrize("how", ["matmul", "sum"])
def test_a_softmax_that_is_averaged_with_fixed_numbers_is_a_distribution(how: str) -> None:
    report = find_pairs(gfl(8, how), gfl(16, how))
    assert said(report) == [
        (f"dense head {part}, stride {stride}", f"{i}.{part}", "ld")
        for i, stride in enumerate((4, 2))
        for part in ("class", "distribution")
    ]
    assert [p.student_shape[1] for p in report.pairs] == [7, 4 * BINS] * 2


def test_a_softmax_that_is_not_is_none() -> None:
    roles = {p.role.partition(",")[0] for p in find_pairs(gfl(how=""), gfl(how="")).pairs}
    assert roles == {"class head", "box head"}


def test_the_levels_are_those_that_feed_other_levels() -> None:
    for towers in (False, True):
        report = find_pairs(gfl(8, towers=towers), gfl(8, towers=towers), loss="fgd")
        assert [(p.student, p.role) for p in report.pairs] == [
            ("relu_1.tmp_0", "neck level, stride 4"),
            ("relu_0.tmp_0", "neck level, stride 2"),
        ]


def test_towers_do_not_depend_on_names_or_order() -> None:
    program = gfl(towers=True)
    for seed in range(10):
        moved, names = rename_all(shuffle_ops(program, seed), seed)
        for loss, expected in (
            ("fgd", ["relu_1.tmp_0", "relu_0.tmp_0"]),
            ("ld", ["conv2d_6.tmp_0", "conv2d_7.tmp_0", "conv2d_3.tmp_0", "conv2d_4.tmp_0"]),
        ):
            found = find_pairs(moved, program, loss=loss)
            assert [p.student for p in found.pairs] == [names[name] for name in expected]
            assert [p.teacher for p in found.pairs] == expected


def test_other_bins_leave_no_half_of_a_head() -> None:
    student, teacher = gfl(), gfl(bins=6)
    report = find_pairs(student, teacher, "distribution_heads")
    assert not report.pairs
    reasons = {item.reason for item in report.alternatives}
    assert "another part of it is no pair" in reasons
    assert [p.loss for p in find_pairs(student, teacher).pairs] == ["fgd", "fgd"]
