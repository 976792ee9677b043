"""Figures of agreement against numpy, and what a failed training looks like."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.metrics.agreement import Agreement
from graphprobe.data.metrics.agreement_types import OutputPair
from graphprobe.errors import DataError, TrainError

RNG = np.random.default_rng(7)


def compare(pair: OutputPair, ours, theirs, batch=3):
    """The figures of arrays with an image a row, taken in batch by batch."""
    agreement = Agreement([pair])
    for start in range(0, len(ours), batch):
        stop = min(start + batch, len(ours))
        agreement.add({"s": ours[start:stop]}, {"t": theirs[start:stop]}, stop - start)
    return agreement.result()


def test_numbers_are_compared_as_numbers():
    s, t = RNG.normal(size=(8, 3, 5)), RNG.normal(size=(8, 3, 5))
    result = compare(OutputPair("s", "t"), s, t)
    assert result.samples == 8
    assert result.figure("relative_l2") == pytest.approx(((s - t) ** 2).sum() / (t**2).sum())
    cosine = (s * t).sum() / np.sqrt((s**2).sum() * (t**2).sum())
    assert result.figure("cosine") == pytest.approx(cosine)
    assert result.headline == ("cosine", pytest.approx(cosine))
    assert result.figure("miou") is None
    same = compare(OutputPair("s", "t"), t, t)
    assert same.figure("relative_l2") == 0 and same.figure("cosine") == pytest.approx(1)


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_top1_is_the_share_of_equal_best_classes(batch):
    s, t = RNG.random((8, 5)), RNG.random((8, 5))
    result = compare(OutputPair("s", "t", "scores", 1), s, t, batch)
    expected = (s.argmax(1) == t.argmax(1)).mean()
    assert result.figure("top1") == pytest.approx(expected)
    assert result.headline[0] == "top1" and result.figure("relative_l2") is not None
    labels = compare(OutputPair("s", "t", "labels"), s.argmax(1), t.argmax(1), batch)
    assert labels.figure("top1") == pytest.approx(expected)
    assert labels.figure("cosine") is None


def iou(ours, theirs):
    """The mean over the classes that one of them holds."""
    found = []
    for label in np.union1d(ours, theirs):
        mine, other = ours == label, theirs == label
        found.append((mine & other).sum() / (mine | other).sum())
    return np.mean(found)


def test_miou_has_the_teachers_classes_for_truth():
    s, t = RNG.random((4, 6, 5, 7)), RNG.random((4, 6, 5, 7))
    expected = iou(s.argmax(1), t.argmax(1))
    scores = compare(OutputPair("s", "t", "map scores", 1), s, t)
    assert scores.figure("miou") == pytest.approx(expected)
    assert scores.headline == ("miou", pytest.approx(expected))
    # The number of classes is not known before the last batch.
    s, t = np.sort(s.argmax(1), 0), np.sort(t.argmax(1), 0)
    labels = compare(OutputPair("s", "t", "map labels"), s, t, 1)
    assert labels.figure("miou") == pytest.approx(iou(s, t))
    s, t = RNG.random((4, 1, 5, 7)), RNG.random((4, 1, 5, 7))
    mask = compare(OutputPair("s", "t", "mask"), s, t)
    assert mask.figure("miou") == pytest.approx(iou(s > 0.5, t > 0.5))


def rows(*found):
    return np.array(found, np.float32).reshape(-1, 6)


def test_ap_has_the_teachers_boxes_for_truth():
    pytest.importorskip("pycocotools")
    boxes = OutputPair("s", "t", "boxes", -1, "n", "m")
    first, second = (0, 0.9, 10, 10, 50, 50), (1, 0.8, 60, 60, 99, 99)
    unsure = (1, 0.3, 0, 0, 9, 9)
    truth = {"t": rows(first, unsure, second), "m": np.array([2, 1])}
    same = Agreement([boxes])
    same.add({"s": truth["t"], "n": truth["m"]}, truth, 2)
    assert same.result().figure("ap") == pytest.approx(1)
    missed = Agreement([boxes])
    missed.add({"s": rows(first, (0, 0.9, 0, 0, 5, 5)), "n": np.array([1, 1])}, truth, 2)
    result = missed.result()
    # Class 0 is found; class 1, of which the teacher has one sure box, is not.
    assert result.figure("ap") == pytest.approx(0.5)
    assert result.headline == ("ap", pytest.approx(0.5))
    # An old operator without a count: all rows are of one image, and class -1 stands for nothing.
    old = Agreement([OutputPair("s", "t", "boxes")])
    old.add({"s": rows((-1, 0, 0, 0, 0, 0), first)}, {"t": rows(first)}, 1)
    assert old.result().figure("ap") == pytest.approx(1)


def test_a_teacher_that_finds_nothing_is_said():
    pytest.importorskip("pycocotools")
    agreement = Agreement([OutputPair("s", "t", "boxes")])
    agreement.add({"s": rows((0, 0.9, 1, 1, 5, 5))}, {"t": rows()}, 1)
    (output,) = agreement.result().outputs
    assert output.ap is None and "finds no box" in output.doubt


def test_equal_outputs_for_all_images_are_an_error():
    teacher = RNG.random((6, 4))
    stuck = np.tile(RNG.random((1, 4)), (6, 1))
    with pytest.raises(TrainError, match="all outputs are equal: each of 6 images gives") as error:
        compare(OutputPair("s", "t", "scores", 1), stuck, teacher)
    assert "\n" not in str(error.value)
    # Where the teacher's are equal too, or there is one image alone, nothing has failed.
    assert compare(OutputPair("s", "t"), stuck, stuck).figure("cosine") == pytest.approx(1)
    assert compare(OutputPair("s", "t"), stuck[:1], teacher[:1]).samples == 1
    empty = Agreement([OutputPair("s", "t", "boxes", -1, "n", "m")])
    box = (0, 0.9, 1, 1, 5, 5)
    truth = {"t": rows(box), "m": np.array([1, 0])}
    empty.add({"s": rows(), "n": np.array([0, 0])}, truth, 2)
    with pytest.raises(TrainError, match="all outputs are equal"):
        empty.result()


def test_what_cannot_be_compared_is_one_line():
    pair = OutputPair("s", "t")
    with pytest.raises(DataError, match=r"student \[2, 3\] and teacher \[2, 4\] differ in shape"):
        compare(pair, np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(TrainError, match="not finite"):
        compare(pair, np.full((2, 3), np.nan), np.ones((2, 3)))
    with pytest.raises(DataError, match="no images to compare"):
        Agreement([pair]).result()
    with pytest.raises(DataError, match="no list of boxes"):
        Agreement([OutputPair("s", "t", "boxes")]).add({"s": np.ones((2, 5))}, {"t": rows()}, 1)
    with pytest.raises(DataError, match="class 70000, which is none"):
        compare(OutputPair("s", "t", "map labels"), np.full((1, 2, 2), 70000), np.ones((1, 2, 2)))


def test_what_is_kept_does_not_grow_with_the_images():
    pair = OutputPair("s", "t", "map scores", 1)
    agreement = Agreement([pair])
    for _ in range(5):
        array = RNG.random((2, 3, 40, 40))
        agreement.add({"s": array}, {"t": array}, 2)
    (measure,) = agreement._measures
    kept = [v for v in vars(measure).values() if isinstance(v, np.ndarray)]
    assert sum(array.nbytes for array in kept) < 200
    assert agreement.result().figure("miou") == 1


def test_as_json_and_as_a_table():
    s, t = RNG.random((4, 5)), RNG.random((4, 5))
    result = compare(OutputPair("s", "t", "scores", 1, doubt="is it?"), s, t)
    document = result.to_dict()
    assert set(document) == {"top1", "relative_l2", "cosine", "samples", "outputs"}
    assert document["outputs"][0]["name"] == "s" and document["outputs"][0]["doubt"] == "is it?"
    head, table = result.to_rows()
    assert head == ("output", "kind", "top1", "relative_l2", "cosine")
    assert table[0][:2] == ("s", "scores") and len(table[0]) == len(head)


def test_counted_rows_are_computed_with_their_count() -> None:
    counted = OutputPair("s", "t", "boxes", student_count="sn", teacher_count="tn")
    assert (counted.student_names, counted.teacher_names) == (("s", "sn"), ("t", "tn"))
    half = OutputPair("s", "t", "boxes", student_count="sn")
    assert (half.student_names, half.teacher_names) == (("s", "sn"), ("t",))
