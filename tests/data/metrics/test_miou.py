"""Mean IoU by hand."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.metrics.miou import Miou


def test_by_hand():
    measure = Miou(["sky", "road", "car", "bus"])
    measure.add(np.array([[0, 0, 1], [1, 2, 2]]), np.array([[0, 1, 1], [1, 255, 2]]))
    result = measure.result()
    # sky: 1 of 2; road: 2 of 3; car: 1 of 1 (the other pixel is ignored); bus: nowhere
    assert dict(result.classes) == {
        "sky": 0.5,
        "road": pytest.approx(2 / 3),
        "car": 1.0,
        "bus": None,
    }
    assert result.miou == pytest.approx((0.5 + 2 / 3 + 1) / 3)
    assert result.accuracy == pytest.approx(4 / 5)


def test_pictures_add_up():
    rng = np.random.default_rng(0)
    output, mask = rng.integers(0, 3, (2, 4, 8, 8))
    whole, parts = Miou("abc"), Miou("abc")
    whole.add(output, mask)
    for a, b in zip(output, mask, strict=True):
        parts.add(a, b)
    assert whole.result() == parts.result()
    each = [
        ((output == c) & (mask == c)).sum() / ((output == c) | (mask == c)).sum() for c in range(3)
    ]
    assert whole.result().miou == pytest.approx(np.mean(each))


def test_nothing_seen_and_nothing_right():
    assert Miou("ab").result().miou == 0.0
    measure = Miou("ab")
    measure.add(np.array([1, 1]), np.array([0, 255]))
    assert dict(measure.result().classes) == {"a": 0.0, "b": 0.0}


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="shape"):
        Miou("ab").add(np.zeros((2, 2), int), np.zeros(4, int))
    with pytest.raises(ValueError, match=r"output holds a class outside 0\.\.1"):
        Miou("ab").add(np.array([2]), np.array([0]))
    with pytest.raises(ValueError, match="mask holds"):
        Miou("ab").add(np.array([0]), np.array([7]))
