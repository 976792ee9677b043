"""Some samples of a data set: as many as asked for, spread over all of it."""

from __future__ import annotations

import numpy as np

from graphprobe.data.open import open_data
from graphprobe.data.subset import spread_subset


def test_some_samples_are_spread_over_the_data() -> None:
    data = open_data("digits?count=24&size=64&classes=2")
    some = spread_subset(data, 5)
    assert len(some) == 5 and some.class_names == data.class_names and some.task == data.task
    for mine, index in enumerate((0, 4, 9, 14, 19)):
        assert np.array_equal(some.sample(mine).image, data.sample(index).image)
    assert spread_subset(data, None) is data and spread_subset(data, 24) is data
