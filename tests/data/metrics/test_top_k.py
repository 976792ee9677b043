"""Top-1 and top-5 accuracy against scikit-like counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.metrics.top_k import TopK


def test_against_counting_each_image() -> None:
    rng = np.random.default_rng(0)
    names = [str(i) for i in range(9)]
    measure = TopK(names)
    scores, labels = rng.random((40, 9)), rng.integers(0, 8, 40)
    for start in range(0, 40, 7):
        part = slice(start, start + 7)
        measure.add(np.argsort(-scores[part], axis=1), labels[part])
    found = measure.result()
    places = [int((row > row[label]).sum()) for row, label in zip(scores, labels, strict=True)]
    assert found.top1 == pytest.approx(np.mean([place == 0 for place in places]))
    assert found.top5 == pytest.approx(np.mean([place < 5 for place in places]))
    for name, value in found.classes:
        mine = [
            place == 0 for place, label in zip(places, labels, strict=True) if str(label) == name
        ]
        assert value == (pytest.approx(np.mean(mine)) if mine else None)
    assert found.classes[8] == ("8", None)


def test_numbers_of_the_best_class_alone_and_few_classes_have_no_top_5() -> None:
    alone = TopK([str(i) for i in range(9)])
    alone.add(np.array([[3], [-1]]), np.array([3, 0]))
    assert (alone.result().top1, alone.result().top5) == (0.5, None)
    few = TopK(["a", "b"])
    few.add(np.array([[1, 0]]), np.array([0]))
    assert (few.result().top1, few.result().top5) == (0.0, None)
    assert TopK(["a"]).result().top1 == 0.0
