"""Two programs of a pair are fed the same, so inputs that differ in kind are told."""

from __future__ import annotations

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import PairReport, find_pairs


def image_net(shape: tuple[int, ...] = (-1, 3, 32, 32), dtype: str = "float32") -> Program:
    b = Builder()
    x = b.conv(b.feed("image", shape, dtype), 8, k=3, stride=2)
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, 8, 1, 1))
    return classes(b, b.op("flatten_contiguous_range", {"X": x}, shape=(-1, 8)))


def word_net(shape: tuple[int, ...] = (-1, 20), name: str = "words") -> Program:
    b = Builder()
    words, table = b.feed(name, shape, "int64"), b.param("table", (100, 8))
    x = b.op("lookup_table_v2", {"Ids": words, "W": table}, shape=(-1, 20, 8))
    return classes(b, b.op("reduce_mean", {"X": x}, attrs={"dim": (1,)}, shape=(-1, 8)))


def series_net(rank: int) -> Program:
    b = Builder()
    x = b.feed("series", (-1, *([4] * (rank - 2)), 8))
    return classes(b, x)


def classes(b: Builder, x: str) -> Program:
    y = b.op("matmul_v2", {"X": x, "Y": b.param("w", (8, 5))}, shape=(-1, 5))
    return b.build(fetches=[b.op("softmax", {"X": y}, attrs={"axis": -1}, shape=(-1, 5))])


def told(report: PairReport) -> list[str]:
    return [text for text in report.warnings if "one cannot be fed" in text]


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        (image_net(), word_net()),
        (word_net(), image_net()),
        (image_net(), image_net((-1, 1, 32, 32))),
        (image_net(), series_net(2)),
        (series_net(2), series_net(3)),
    ],
)
def test_inputs_of_another_kind_are_warned_of(student: Program, teacher: Program) -> None:
    report = find_pairs(student, teacher)
    assert len(told(report)) == 1
    (pair,) = report.pairs
    assert pair.score == 0.5
    assert pair.evidence[-1] == "in doubt: the inputs differ in kind"


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        (image_net(), image_net()),
        (image_net(), image_net((-1, 3, -1, -1))),
        (image_net(), image_net((-1, -1, -1, -1))),
        (word_net(), word_net(name="tokens")),
        (word_net(), word_net((-1, 20, 1))),
    ],
)
def test_inputs_of_one_kind_are_not(student: Program, teacher: Program) -> None:
    report = find_pairs(student, teacher)
    assert (report.warnings, report.pairs[0].score) == ((), 1.0)


def test_labels_and_what_only_the_decoding_reads_do_not_count() -> None:
    def build(extra: bool) -> Program:
        b = Builder()
        x = b.conv(b.feed("image", (-1, 3, 32, 32)), 8, k=3, stride=2)
        x = b.op("relu", {"X": b.conv(x, 5)}, shape=(-1, 5, 16, 16))
        if extra:
            size = b.feed("im_size", (-1, 2), "int32")
            b.op("yolo_box", {"X": x, "ImgSize": size}, attrs={"class_num": 1}, shape=(-1, 9, 4))
        else:
            b.op("yolo_box", {"X": x}, attrs={"class_num": 1}, shape=(-1, 9, 4))
        return b.build()

    assert find_pairs(build(True), build(False)).warnings == ()


def test_other_sizes_of_images_are_told_and_cost_nothing_where_no_map_is_compared() -> None:
    report = find_pairs(image_net(), image_net((-1, 3, 64, 48)))
    assert "images of 32x32 and the teacher for 64x48" in report.warnings[0]
    assert report.pairs[0].score == 1.0
