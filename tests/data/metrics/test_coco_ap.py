"""COCO AP against examples by hand, a naive reference, and pycocotools reading the same file."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from graphprobe.data.eval_batches import EvalBatches, truths
from graphprobe.data.metrics.coco_ap import CocoAp
from graphprobe.data.open import open_data

SIZES = [(0, 1e10), (0, 32**2), (32**2, 96**2), (96**2, 1e10)]


def measure(pictures, names="ab"):
    found = CocoAp(names)
    for picture in pictures:
        found.add(*map(np.array, picture))
    return found.result()


def test_by_hand():
    # one object, one detection of IoU 0.8: a hit at 7 of the 10 thresholds (0.5 to 0.8)
    result = measure([([[0, 0.9, 0, 0, 100, 80]], [[0, 0, 100, 100]], [0])])
    assert result.ap == pytest.approx(0.7)
    assert (result.ap50, result.ap75) == pytest.approx((1.0, 1.0))
    assert (result.small, result.medium, result.large) == (None, None, pytest.approx(0.7))
    assert dict(result.classes) == {"a": pytest.approx(0.7), "b": None}


def test_half_of_the_objects():
    # recall 1/2 at precision 1: 51 of 101 levels
    boxes = [[0, 0, 10, 10], [50, 50, 60, 60]]
    result = measure([([[0, 0.9, *boxes[0]]], boxes, [0, 0])])
    assert result.ap == pytest.approx(51 / 101)
    assert result.small == result.ap


def test_crowds_take_any_number_and_count_for_nothing():
    inside = [[0, 0.9, 10 * i, 0, 10 * i + 9, 9] for i in range(5)]
    rows = [*inside, [0, 0.5, 200, 200, 300, 300]]
    boxes = [[0, 0, 100, 100], [200, 200, 300, 300]]
    assert measure([(rows, boxes, [0, 0], [True, False])]).ap == pytest.approx(1.0)
    assert measure([(rows, boxes, [0, 0], [False, False])]).ap < 0.6


def test_the_hundred_best_a_picture_count():
    box = [0, 0, 10, 10]
    rows = [[0, 0.9, 500, 500, 510, 510]] * 100 + [[0, 0.1, *box]]
    assert measure([(rows, [box], [0])]).ap == 0.0
    assert measure([(rows[1:], [box], [0])]).ap == pytest.approx(0.01)


def test_nothing():
    assert measure([]).ap is None
    assert measure([(np.zeros((0, 6)), [[0, 0, 9, 9]], [0])]).ap == 0.0
    assert measure([([[-1, 0, 0, 0, 0, 0]], np.zeros((0, 4)), [])]).ap is None


def scenes(seed, count=4, classes=2):
    """Random images: detections near and far from objects, some of them crowds."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(0, 6))
        low = rng.uniform(0, 300, (n, 2))
        boxes = np.concatenate([low, low + np.exp(rng.uniform(1.5, 5.5, (n, 2)))], 1).round(1)
        labels = rng.integers(0, classes, n)
        rows = []
        for _ in range(int(rng.integers(0, 15))):
            if n and rng.random() < 0.8:
                pick = int(rng.integers(n))
                box, label = boxes[pick] + rng.normal(0, 4, 4) * (rng.random() < 0.7), labels[pick]
            else:
                corner = rng.uniform(0, 300, 2)
                box, label = np.concatenate([corner, corner + 30]), rng.integers(classes)
            box[2:] = np.maximum(box[2:], box[:2] + 1)
            rows.append([label, round(rng.random(), 2), *box.round(2)])
        outlines = (boxes[:, 2:] - boxes[:, :2]).prod(1) * rng.uniform(0.2, 1.0, n)
        yield np.array(rows).reshape(-1, 6), boxes, labels, rng.random(n) < 0.2, outlines


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(found, other, crowd):
    wide = min(found[2], other[2]) - max(found[0], other[0])
    high = min(found[3], other[3]) - max(found[1], other[1])
    shared = max(wide, 0) * max(high, 0)
    return shared / (area(found) if crowd else area(found) + area(other) - shared)


def naive_ap(pictures, label, limits, threshold):
    """One class, size and threshold: objects that do not count are tried last."""
    every, objects = [], 0
    for rows, boxes, labels, crowd, outlines in pictures:
        mine = [i for i in range(len(boxes)) if labels[i] == label]
        out = {i: crowd[i] or not limits[0] <= outlines[i] <= limits[1] for i in mine}
        objects += sum(not out[i] for i in mine)
        free = set(mine)
        for row in sorted((r for r in rows if r[0] == label), key=lambda r: -r[1]):
            kind = None
            for wanted in (True, False):
                best, at = threshold, None
                for i in mine:
                    share = overlap(row[2:], boxes[i], crowd[i])
                    if out[i] != wanted and (i in free or crowd[i]) and share >= best:
                        best, at = share, i
                if at is not None:
                    free.discard(at)
                    kind = "hit" if wanted else "skip"
                    break
            if kind is None:
                kind = "miss" if limits[0] <= area(row[2:]) <= limits[1] else "skip"
            every.append((row[1], kind))
    if not objects:
        return None
    every = [kind for _, kind in sorted(every, key=lambda item: -item[0]) if kind != "skip"]
    curve, right = [], 0
    for count, kind in enumerate(every, 1):
        right += kind == "hit"
        curve.append((right / objects, right / count))
    levels = np.linspace(0, 1, 101)
    return np.mean([max((p for r, p in curve if r >= level), default=0.0) for level in levels])


def mean(values):
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_against_a_naive_reference(seed):
    pictures = list(scenes(seed))
    result = measure(pictures)
    thresholds = np.linspace(0.5, 0.95, 10)
    expected = [
        mean([naive_ap(pictures, label, size, t) for label in (0, 1) for t in thresholds])
        for size in SIZES
    ]
    assert [result.ap, result.small, result.medium, result.large] == pytest.approx(expected)
    at_half = mean([naive_ap(pictures, label, SIZES[0], 0.5) for label in (0, 1)])
    assert result.ap50 == pytest.approx(at_half)


def test_against_pycocotools_on_the_same_file(tmp_path):
    pictures = list(scenes(5, count=30, classes=3))
    content = {"images": [], "annotations": [], "categories": []}
    content["categories"] = [{"id": k + 1, "name": name} for k, name in enumerate("abc")]
    found = []
    (tmp_path / "annotations").mkdir()
    (tmp_path / "val").mkdir()
    for number, (rows, boxes, labels, crowd, outlines) in enumerate(pictures, 1):
        name = f"{number:02d}.png"
        content["images"].append({"id": number, "file_name": name, "width": 700, "height": 700})
        Image.new("L", (700, 700)).save(tmp_path / "val" / name)
        for box, label, many, outline in zip(boxes, labels, crowd, outlines, strict=True):
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": number,
                    "category_id": int(label) + 1,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "area": outline,
                    "segmentation": [[0, 0, 1, 1, 2, 2]],
                    "iscrowd": int(many),
                }
            )
        found += [
            {
                "image_id": number,
                "category_id": int(r[0]) + 1,
                "score": r[1],
                "bbox": [r[2], r[3], r[4] - r[2], r[5] - r[3]],
            }
            for r in rows
        ]
    path = tmp_path / "annotations" / "instances_val.json"
    path.write_text(json.dumps(content))
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO(str(path))
        evaluation = COCOeval(known, known.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()

    measured = CocoAp("abc")
    batches = EvalBatches(open_data(f"coco:{tmp_path}?split=val&clip=true"), 32)
    every = [truth for n in range(len(batches)) for truth in truths(batches.batch(n))]
    for (rows, *_), truth in zip(pictures, every, strict=True):
        measured.add(rows, truth.boxes, truth.classes, truth.difficult, truth.areas)
    r = measured.result()
    figures = [r.ap, r.ap50, r.ap75, r.small, r.medium, r.large]
    assert figures == pytest.approx(evaluation.stats[:6].tolist())
    # With the areas of the boxes in their place the sizes come out wrong.
    by_boxes = measure([picture[:4] for picture in pictures], "abc")
    assert by_boxes.ap == pytest.approx(r.ap) and by_boxes.small != pytest.approx(r.small)
