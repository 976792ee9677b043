"""The maps that fgd and ld are fed, against loops over the places of each level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds

STRIDES = (8, 16, 32, 64, 128)
META = {"downsample": list(STRIDES), "num_classes": 4, "cell_scale": 8, "nearest": 9}


def make(kind: str, size: int, boxes: Any) -> dict[str, Any]:
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    count = len(boxes)
    objects = Objects(boxes, np.zeros(count, np.int32), np.ones(count, np.float32))
    found = target_kinds()[kind].make(META, size, objects)
    assert tuple(found) == target_kinds()[kind].feeds(META)
    return found


def scene(seed: int, size: int) -> Any:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 8))
    sides = size * np.exp(rng.uniform(np.log(0.03), np.log(0.9), (count, 2)))
    corner = rng.uniform(0, size - sides)
    return np.concatenate([corner, corner + sides], 1).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [64, 96, 160])
def test_the_smallest_box_over_a_place_tells_its_share(seed: int, size: int) -> None:
    boxes = scene(seed, size)
    found = make("fgd", size, boxes)
    for stride in STRIDES:
        side = math.ceil(size / stride)
        expected = np.zeros((side, side))
        for row, column in np.ndindex(side, side):
            areas = []
            for left, top, right, bottom in boxes / np.float32(size) * np.float32(side):
                columns = range(math.floor(left), math.ceil(right) + 1)
                rows = range(math.floor(top), math.ceil(bottom) + 1)
                if column in columns and row in rows:
                    areas.append(len(columns) * len(rows))
            expected[row, column] = 1 / min(areas) if areas else 0
        inside, outside = found[f"fgd_fg_{stride}"], found[f"fgd_bg_{stride}"]
        assert inside.shape == outside.shape == (1, side, side)
        assert inside.dtype == outside.dtype == np.float32
        np.testing.assert_allclose(inside[0], expected, rtol=1e-6)
        left_over = (expected == 0).sum()
        np.testing.assert_allclose(outside[0], (expected == 0) / max(left_over, 1), rtol=1e-6)


def test_a_picture_without_boxes_is_all_background() -> None:
    found = make("fgd", 64, [])
    assert not found["fgd_fg_8"].any()
    np.testing.assert_allclose(found["fgd_bg_8"], 1 / 64)
    assert not make("fgd", 64, [[5, 5, 5, 30]])["fgd_fg_16"].any()


def test_a_box_over_everything_leaves_no_background() -> None:
    found = make("fgd", 64, [[0, 0, 64, 64]])
    assert not found["fgd_bg_8"].any()
    np.testing.assert_allclose(found["fgd_fg_8"], 1 / 81)


@pytest.mark.parametrize("size", [64, 96, 160])
def test_the_regions_of_ld_are_those_of_the_cells(size: int) -> None:
    boxes = scene(3, size)
    found = make("ld", size, boxes)
    labels = make("point", size, boxes)["point_class"]
    weights = make("vlr", size, boxes)["point_vlr"]
    for kind, cells in (("main", labels < 4), ("valuable", weights)):
        joined = np.concatenate([found[f"ld_{kind}_{s}"].ravel() for s in STRIDES])
        np.testing.assert_array_equal(joined, cells)
        assert joined.any()
    assert found["ld_main_16"].shape == (1, math.ceil(size / 16), math.ceil(size / 16))
    assert not any(array.any() for array in make("ld", size, []).values())
