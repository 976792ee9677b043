"""Mean average precision against examples worked by hand and a naive reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.data.metrics.voc_map import VocMap, eleven_point_ap, integral_ap, iou_matrix


def measure(pictures, names=("a",)):
    found = VocMap(names)
    for detections, boxes, classes, *rest in pictures:
        found.add(np.array(detections), np.array(boxes), np.array(classes), *map(np.array, rest))
    return found.result()


def test_by_hand():
    # hit (0.9), miss (0.8), hit (0.7) of 2 objects: recall 1/2, 1/2, 1; precision 1, 1/2, 2/3
    result = measure(
        [
            (
                [[0, 0.8, 50, 50, 60, 60], [0, 0.7, 20, 20, 30, 30], [0, 0.9, 0, 0, 10, 10]],
                [[0, 0, 10, 10], [20, 20, 30, 30]],
                [0, 0],
            )
        ]
    )
    assert result.integral == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert result.eleven_point == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    assert (result.classes[0].objects, result.classes[0].detections) == (2, 3)
    assert result.value("11point") == result.eleven_point
    assert result.value("integral") == result.integral


def test_a_second_detection_of_an_object_is_a_miss():
    box = [0, 0, 10, 10]
    result = measure(
        [
            (
                [[0, 0.9, *box], [0, 0.8, *box], [0, 0.7, 20, 20, 30, 30]],
                [box, [20, 20, 30, 30]],
                [0, 0],
            )
        ]
    )
    assert result.integral == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_difficult_objects_count_neither_way():
    easy, hard = [0, 0, 10, 10], [20, 20, 30, 30]
    both = [[0, 0.9, *hard], [0, 0.95, *hard], [0, 0.8, *easy]]
    assert measure([(both, [easy, hard], [0, 0], [False, True])]).integral == 1.0
    assert measure([(both, [easy, hard], [0, 0], [False, True])]).classes[0].objects == 1
    assert measure([(both, [easy, hard], [0, 0], [False, False])]).integral < 1.0
    missed = measure([([[0, 0.8, *easy]], [easy, hard], [0, 0], [False, True])])
    assert missed.integral == 1.0


def test_the_threshold_is_reached_at_one_half():
    # a 10 x 10 box and one of 10 x 5 inside it: IoU exactly 1/2
    assert measure([([[0, 0.9, 0, 0, 10, 5]], [[0, 0, 10, 10]], [0])]).integral == 1.0
    assert measure([([[0, 0.9, 0, 0, 10, 4.99]], [[0, 0, 10, 10]], [0])]).integral == 0.0


def test_the_best_overlap_decides_even_when_it_is_taken():
    # the VOC kit looks only at the object that a detection overlaps most
    a, b = [0, 0, 10, 10], [0, 2, 10, 12]
    result = measure([([[0, 0.9, *a], [0, 0.8, 0, 0.5, 10, 10.5]], [a, b], [0, 0])])
    assert result.classes[0].integral == pytest.approx(0.5)


def test_classes_without_objects_are_left_out_of_the_mean():
    result = measure([([[0, 0.9, 0, 0, 9, 9], [1, 0.9, 0, 0, 9, 9]], [[0, 0, 9, 9]], [0])], "ab")
    assert result.integral == 1.0
    assert result.classes[1].integral is None
    assert measure([], "ab").integral == 0.0
    assert measure([([[-1, 0, 0, 0, 0, 0]], [[0, 0, 9, 9]], [0])]).integral == 0.0
    assert measure([(np.zeros((0, 6)), [[0, 0, 9, 9]], [0])]).eleven_point == 0.0


def test_recall_levels_are_met_exactly():
    # 3 of 10 found: recall 0.3 must count at the level 0.3 although 3/10 < 3 * 0.1 in binary
    assert eleven_point_ap(np.array([0.1, 0.2, 3 / 10]), np.ones(3)) == pytest.approx(4 / 11)
    assert integral_ap(np.array([0.1, 0.2, 3 / 10]), np.ones(3)) == pytest.approx(0.3)


def naive_iou(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return (
        wide * high / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high)
    )


def naive_map(pictures, count):
    """All detections of a class sorted over all images first, then matched one by one."""
    means = ([], [])
    for label in range(count):
        every = []
        objects = 0
        for number, (detections, _, classes, difficult) in enumerate(pictures):
            objects += sum(
                1 for c, d in zip(classes, difficult, strict=True) if c == label and not d
            )
            every += [(row[1], number, row[2:]) for row in detections if row[0] == label]
        if not objects:
            continue
        every.sort(key=lambda item: -item[0])
        used = set()
        right = wrong = 0
        curve = []
        for _, number, box in every:
            _, boxes, classes, difficult = pictures[number]
            best, at = 0.0, None
            for i, (other, c) in enumerate(zip(boxes, classes, strict=True)):
                if c == label and naive_iou(box, other) > best:
                    best, at = naive_iou(box, other), i
            if best >= 0.5 and difficult[at]:
                continue
            if best >= 0.5 and (number, at) not in used:
                used.add((number, at))
                right += 1
            else:
                wrong += 1
            curve.append((right, right / (right + wrong)))
        levels = [
            max((p for r, p in curve if 10 * r >= level * objects), default=0.0)
            for level in range(11)
        ]
        means[0].append(sum(levels) / 11)
        area, before = 0.0, 0
        for i, (r, _) in enumerate(curve):
            area += (r - before) / objects * max(p for _, p in curve[i:])
            before = r
        means[1].append(area)
    return [sum(m) / len(m) if m else 0.0 for m in means]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_against_a_naive_reference(seed):
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(rng.integers(1, 6)):
        n = int(rng.integers(0, 7))
        low = rng.uniform(0, 60, (n, 2))
        boxes = np.concatenate([low, low + rng.uniform(5, 40, (n, 2))], 1)
        classes = rng.integers(0, 3, n)
        rows = []
        for _ in range(int(rng.integers(0, 12))):
            if n and rng.random() < 0.7:
                pick = int(rng.integers(n))
                box, label = boxes[pick] + rng.normal(0, 3, 4), classes[pick]
            else:
                corner = rng.uniform(0, 60, 2)
                box, label = np.concatenate([corner, corner + 20]), rng.integers(0, 3)
            rows.append([label, rng.random(), *box])
        pictures.append((np.array(rows).reshape(-1, 6), boxes, classes, rng.random(n) < 0.2))
    result = measure(pictures, "abc")
    assert [result.eleven_point, result.integral] == pytest.approx(naive_map(pictures, 3))


def test_iou_matrix():
    a = np.array([[0.0, 0, 10, 10], [5, 5, 5, 5]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert iou_matrix(a, b).tolist() == [[1.0, pytest.approx(1 / 3), 0.0], [0.0, 0.0, 0.0]]
    assert iou_matrix(a, np.zeros((0, 4))).shape == (2, 0)
