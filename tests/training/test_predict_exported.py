"""What is read of the outputs of exported programs, without running any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphprobe.data.metrics.agreement_types import OutputPair
from graphprobe.data.preparation import InputPlan, Preparation, Step
from graphprobe.data.sample import classification_sample
from graphprobe.errors import UsageError

pytestmark = pytest.mark.paddle
IMAGE = np.zeros((20, 40, 3), np.uint8)


def read(
    kind: Any, steps: tuple[Step, ...], *arrays: Any, frame: str = "original", **more: Any
) -> Any:
    from graphprobe.training.predict_exported import _found

    plan = InputPlan("x", {}, Preparation(steps))
    pixels = plan.prepare_with(IMAGE)[1]
    output = OutputPair("out", "out", kind, **more)
    sample = classification_sample("a.png", IMAGE, None)
    found = list(map(np.asarray, arrays))
    return _found(output, sample, found, plan, pixels, frame, 0.5)


def test_boxes_beyond_their_count_and_below_the_threshold_are_left_out() -> None:
    rows = [[0, 0.9, 1, 2, 3, 4], [1, 0.4, 0, 0, 9, 9], [2, 0.8, 0, 0, 9, 9]]
    found = read("boxes", (), rows, [2], student_count="n", teacher_count="n")
    assert [(mark.label, mark.box) for mark in found.marks] == [(0, (1.0, 2.0, 3.0, 4.0))]


def test_boxes_of_the_input_are_drawn_in_the_original() -> None:
    # 20 x 40 fits into 32 x 32 as 16 x 32, with 8 rows above and below.
    box = (Step("letterbox", (32, 32), fill=0.0),)
    rows = [[0, 0.9, 8, 12, 16, 20]]
    (mark,) = read("boxes", box, rows, frame="input").marks
    assert mark.box == pytest.approx((10, 5, 20, 15))
    shares = [[0, 0.9, 8 / 32, 12 / 32, 16 / 32, 20 / 32]]
    (mark,) = read("boxes", box, shares, frame="shares").marks
    assert mark.box == pytest.approx((10, 5, 20, 15))


def test_classes_beyond_a_byte_stay_apart() -> None:
    labels = np.array([[[0, 256, 44, 300]]])
    mask = read("map labels", (), np.repeat(labels, 2, 1)).mask
    assert np.unique(mask).tolist() == [0, 44, 256, 300]
    small = read("map labels", (), np.full((1, 2, 4), 255)).mask
    assert small.dtype == np.uint8 and (small == 255).all()


def test_a_map_without_what_was_filled_around_the_image() -> None:
    # 20 x 40 fits into 32 x 32 as 16 x 32, with 8 rows above and below.
    box = (Step("letterbox", (32, 32), fill=0.0),)
    scores = np.zeros((1, 3, 32, 32), np.float32)
    scores[0, 2, 8:24] = 1
    scores[0, 1, :8] = 1
    mask = read("map scores", box, scores, axis=1).mask
    assert mask.shape == (20, 40) and (mask == 2).all()
    padded = (Step("pad", (40, 40), fill=0.0),)
    half = np.zeros((1, 1, 20, 20), np.float32)
    half[0, 0, :10] = 0.9
    assert (read("mask", padded, half).mask == 1).all()


def test_the_best_classes_of_an_image() -> None:
    found = read("scores", (), [[0.1, 0.6, 0.3]])
    assert [label for label, _ in found.ranking] == [1, 2, 0]
    assert read("labels", (), [7]).ranking == ((7, None),)
    with pytest.raises(UsageError, match="more than one answer an image"):
        read("scores", (), np.zeros((1, 5, 3)))
