"""Targets of RetinaNet, GFL and localization distillation against plain loops over the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds
from graphprobe.data.target_kinds._overlap import distance_overlaps, overlaps

STRIDES = (8, 16, 32, 64, 128)
RATIOS, SCALES = (0.5, 1.0, 2.0), (1.0, 2 ** (1 / 3), 2 ** (2 / 3))


def _cell_anchors(stride):
    found = []
    for scale in SCALES:
        for ratio in RATIOS:
            width = 4 * stride * scale / math.sqrt(ratio)
            found.append([-width / 2, -width * ratio / 2, width / 2, width * ratio / 2])
    return found


META = {
    "downsample": list(STRIDES),
    "num_classes": 5,
    "cell_anchors": [_cell_anchors(stride) for stride in STRIDES],
    "positive_overlap": 0.5,
    "negative_overlap": 0.4,
    "allow_low_quality": True,
    "cell_scale": 8,
    "nearest": 9,
}


def objects_of(boxes, classes):
    scores = np.ones(len(boxes), np.float32)
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    return Objects(boxes, np.asarray(classes, np.int32).reshape(-1), scores)


def make(kind, size, boxes, classes, **meta):
    return target_kinds()[kind].make({**META, **meta}, size, objects_of(boxes, classes))


def random_scene(seed, size):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    sides = size * np.exp(rng.uniform(np.log(0.06), np.log(0.9), (count, 2)))
    corner = rng.uniform(0, size - sides)
    return np.concatenate([corner, corner + sides], 1).astype(np.float32), rng.integers(0, 5, count)


def cells(size):
    """x, y and stride of every cell, and how many a level has."""
    found, counts = [], []
    for stride in STRIDES:
        side = math.ceil(size / stride)
        counts.append(side * side)
        found += [(x * stride, y * stride, stride) for y in range(side) for x in range(side)]
    return found, counts


def iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / (sum(areas) - both)


def diou(one, other):
    apart = sum(((one[i] + one[i + 2]) / 2 - (other[i] + other[i + 2]) / 2) ** 2 for i in (0, 1))
    hull = sum((max(one[i + 2], other[i + 2]) - min(one[i], other[i])) ** 2 for i in (0, 1))
    return iou(one, other) - apart / hull


def squares(size):
    return [(x - 4 * s, y - 4 * s, x + 4 * s, y + 4 * s) for x, y, s in cells(size)[0]]


def nearest(box, size):
    """Indices of the 9 cells of each level nearest to a box's centre."""
    places, counts = cells(size)
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    found, start = [], 0
    for count in counts:
        level = range(start, start + count)
        found += sorted(level, key=lambda i: math.dist(places[i][:2], middle))[:9]
        start += count
    return found


@pytest.mark.parametrize(("seed", "size"), [(0, 64), (1, 96), (2, 128), (3, 160), (4, 224)])
def test_anchors_against_the_rules_of_retinanet(seed, size):
    boxes, classes = random_scene(seed, size)
    found = make("anchor", size, boxes, classes)
    anchors = [
        [x + left, y + top, x + right, y + bottom]
        for x, y, stride in cells(size)[0]
        for left, top, right, bottom in _cell_anchors(stride)
    ]
    shared = [[iou(anchor, box.tolist()) for anchor in anchors] for box in boxes]
    best_of = [max(row) for row in shared]
    ties = {
        m
        for row, best in zip(shared, best_of, strict=True)
        for m in np.flatnonzero(np.abs(np.subtract(row, best)) < 1e-6)
        if sum(abs(v - best) < 1e-6 for v in row) > 1
    }
    checked = 0
    for m, anchor in enumerate(anchors):
        mine = [row[m] for row in shared]
        owner = int(np.argmax(mine))
        low = any(abs(v - best) < 1e-6 for v, best in zip(mine, best_of, strict=True))
        near = any(abs(max(mine) - limit) < 1e-5 for limit in (0.4, 0.5))
        if near or m in ties:
            continue  # roundings decide
        checked += 1
        label, delta = found["anchor_class"][m], found["anchor_delta"][m]
        if max(mine) >= 0.5 or low:
            assert label == classes[owner]
            size_of = anchor[2] - anchor[0], anchor[3] - anchor[1]
            middle = delta[:2] * size_of + np.add(anchor[:2], anchor[2:]) / 2
            half = np.exp(delta[2:]) * size_of / 2
            np.testing.assert_allclose(
                [*(middle - half), *(middle + half)], boxes[owner], atol=1e-3 * size
            )
        else:
            assert label == (-1 if max(mine) >= 0.4 else 5)
            assert not delta.any()
    assert checked > 0.95 * len(anchors)
    met = [label for label, best in zip(classes, best_of, strict=True) if best > 0.5]
    assert set(met) < set(found["anchor_class"])


def test_an_anchor_on_an_object_needs_no_change():
    found = make("anchor", 128, [[16, 16, 48, 48]], [2])
    exact = (4 * 16 + 4) * 9 + 1  # cell (4, 4) of the first level, second anchor: 32 x 32
    assert found["anchor_class"][exact] == 2
    assert np.abs(found["anchor_delta"][exact]).max() < 1e-6
    assert found["anchor_class"].shape == ((16**2 + 8**2 + 4**2 + 2**2 + 1) * 9,)


def test_a_small_object_has_its_best_anchors_only_with_low_quality():
    box = [[20, 20, 28, 28]]
    assert (make("anchor", 64, box, [1])["anchor_class"] == 1).sum() >= 1
    strict = make("anchor", 64, box, [1], allow_low_quality=False)
    assert set(strict["anchor_class"]) == {5}


@pytest.mark.parametrize(("seed", "size"), [(0, 64), (1, 96), (2, 128), (3, 160), (4, 224)])
def test_points_against_the_rules_of_atss(seed, size):
    boxes, classes = random_scene(seed, size)
    found = make("point", size, boxes, classes)
    places, around = cells(size)[0], squares(size)
    claims: dict[int, list[tuple[float, int]]] = {}
    for number, box in enumerate(boxes.tolist()):
        candidates = nearest(box, size)
        fits = [iou(around[i], box) for i in candidates]
        limit = np.mean(fits) + np.std(fits)
        for i, fit in zip(candidates, fits, strict=True):
            x, y, _ = places[i]
            inside = box[0] < x < box[2] and box[1] < y < box[3]
            if fit >= limit and inside:
                claims.setdefault(i, []).append((fit, number))
    assert claims
    for i in range(len(places)):
        if i in claims:
            owner = max(claims[i])[1]
            assert found["point_class"][i] == classes[owner]
            np.testing.assert_array_equal(found["point_box"][i], boxes[owner])
        else:
            assert found["point_class"][i] == 5
            assert not found["point_box"][i].any()


def test_the_larger_overlap_owns_a_cell():
    # Around one centre: 68 and 48 pixels wide, the squares of the first level 64.
    large, small = [30, 30, 98, 98], [40, 40, 88, 88]
    alone = make("point", 128, [small], [1])["point_class"]
    assert (alone == 1).any()
    for boxes, classes in (([large, small], [0, 1]), ([small, large], [1, 0])):
        found = make("point", 128, boxes, classes)
        assert set(found["point_class"][alone == 1]) == {0}
        assert (found["point_box"][found["point_class"] == 0] == large).all()


@pytest.mark.parametrize(("seed", "size"), [(0, 64), (1, 96), (2, 128), (3, 160), (4, 224)])
def test_the_region_of_localization_distillation(seed, size):
    boxes, classes = random_scene(seed, size)
    found = make("vlr", size, boxes, classes)["point_vlr"]
    around = squares(size)
    expected, doubtful = np.zeros(len(around)), set()
    for box in boxes.tolist():
        fits = [iou(around[i], box) for i in nearest(box, size)]
        limit = np.mean(fits) + np.std(fits, ddof=1)
        for i, square in enumerate(around):
            near = diou(square, box)
            if min(abs(near - limit), abs(near - limit / 4)) < 1e-5:
                doubtful.add(i)
            if limit / 4 <= near < limit:
                expected[i] = max(expected[i], iou(square, box))
    sure = [i for i in range(len(around)) if i not in doubtful]
    assert len(sure) > 0.98 * len(around)
    np.testing.assert_allclose(found[sure], expected[sure], atol=1e-5)
    assert found.dtype == np.float32
    assert 0 < (found > 0).sum() < len(found)


def test_pictures_without_objects():
    for boxes in ([], [[10, 10, 10, 40]]):
        classes = [1] * len(boxes)
        assert set(make("anchor", 64, boxes, classes)["anchor_class"]) == {5}
        assert set(make("point", 64, boxes, classes)["point_class"]) == {5}
        assert not make("vlr", 64, boxes, classes)["point_vlr"].any()


def test_overlaps_of_known_boxes():
    one = np.array([[0, 0, 10, 10]], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]], np.float32)
    np.testing.assert_allclose(overlaps(one, others), [[1, 1 / 3, 0]], rtol=1e-6)
    expected = [[1, 1 / 3 - 25 / (15**2 + 10**2), -400 / (30**2 + 10**2)]]
    np.testing.assert_allclose(distance_overlaps(one, others), expected, rtol=1e-5)
