"""Which kinds of targets a network gets."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from graphprobe.data.augmentation import Augmentation
from graphprobe.data.batches import TrainBatches
from graphprobe.data.open import open_data
from graphprobe.data.targets import choose_targets
from graphprobe.errors import DataError

POINTS = {"downsample": [8, 16], "num_classes": 3, "cell_scale": 8, "nearest": 9}


def test_inputs_choose_their_kinds() -> None:
    assert choose_targets(["image", "label", "mask"], {}).kinds == ()
    assert choose_targets(["image", "point_class", "point_box"], POINTS).kinds == ("point",)
    found = choose_targets(["image", "point_class", "point_box", "point_vlr"], POINTS)
    assert found.kinds == ("point", "vlr")
    assert found.wanted == ("point_class", "point_box", "point_vlr")


def test_what_nothing_makes_is_refused() -> None:
    with pytest.raises(DataError, match=r"inputs anchor_class, mystery; .*point_class, point_box"):
        choose_targets(["image", "anchor_class", "mystery"], POINTS)


def test_a_copy_in_another_process_makes_the_same() -> None:
    targets = choose_targets(["image", "point_class", "point_box", "point_vlr"], POINTS)
    batches = TrainBatches(
        open_data("digits?count=10&size=64"), Augmentation((64, 96)), 4, targets=targets
    )
    copy = pickle.loads(pickle.dumps(batches))  # noqa: S301 - made here
    for number in range(3):
        one, other = batches.batch(number), copy.batch(number)
        assert one.keys() == other.keys() == {"image", *targets.wanted}
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name])
        assert (one["point_class"] < 3).any()
