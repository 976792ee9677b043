"""Scenes of text, and how boxes are found and counted."""

from __future__ import annotations

import numpy as np
import pytest

from tools import ocr_scenes


def test_a_map_gives_the_boxes_that_it_was_made_of() -> None:
    truth = [(20.0, 10.0, 80.0, 26.0), (30.0, 60.0, 70.0, 80.0)]
    probability = np.zeros((100, 120))
    for left, top, right, bottom in truth:
        probability[int(top) + 3 : int(bottom) - 3, int(left) + 3 : int(right) - 3] = 0.9
    probability[90:95, 100:110] = 0.4  # above the pixels' threshold, below that of a box
    found = ocr_scenes.boxes_of(probability)
    assert len(found) == 2 and ocr_scenes.matches(found, truth) == 2


def test_each_box_counts_once() -> None:
    one = (0.0, 0.0, 10.0, 10.0)
    assert ocr_scenes.matches([one, one], [one]) == 1
    assert ocr_scenes.matches([(0.0, 0.0, 10.0, 4.0)], [one]) == 0
    assert ocr_scenes.hmean(3, 4, 6) == pytest.approx((0.75, 0.5, 0.6))
