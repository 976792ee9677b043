from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.noise import noise_batch
from graphprobe.errors import DataError

GFL = {"downsample": [8, 16, 32, 64, 128], "num_classes": 3, "cell_scale": 8, "nearest": 9}


def test_a_dense_detector_gets_a_row_for_each_cell_and_some_learn_the_object() -> None:
    batch = noise_batch(["image", "point_class", "point_box"], GFL, 96, 2)
    rows = 12 * 12 + 6 * 6 + 3 * 3 + 2 * 2 + 1
    assert batch["image"].shape == (2, 3, 96, 96)
    assert batch["point_class"].shape == (2, rows) and batch["point_box"].shape == (2, rows, 4)
    there = batch["point_class"] == 0
    assert there.any() and (batch["point_class"][~there] == 3).all()
    np.testing.assert_array_equal(batch["point_box"][there][0], [24, 24, 72, 72])


def test_every_pixel_of_a_segmentation_counts() -> None:
    batch = noise_batch(["image", "label", "mask"], {}, 64, 2)
    assert batch["label"].shape == (2, 1, 64, 64) and not batch["label"].any()
    assert (batch["mask"] == 1).all()


def test_inputs_that_nothing_makes() -> None:
    with pytest.raises(DataError, match="nothing makes the network's inputs im_size"):
        noise_batch(["image", "im_size"], GFL, 64, 1)
