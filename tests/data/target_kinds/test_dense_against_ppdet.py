"""The same targets from PaddleDetection's own assigners, in a process that has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds
from graphprobe.data.target_kinds._cells import Cells
from graphprobe.data.target_kinds.anchor import level_anchors

pytestmark = [pytest.mark.paddle, pytest.mark.network]

Arrays = dict[str, Any]
Reference = Callable[[Path, Arrays], Arrays]
SCRIPT = Path(__file__).with_name("_ppdet_assigners.py")
STRIDES = (8, 16, 32, 64, 128)
META = {
    "downsample": list(STRIDES),
    "num_classes": 5,
    "cell_anchors": [
        [[-w / 2, -h / 2, w / 2, h / 2] for w, h in ((4 * s, 4 * s), (6 * s, 3 * s))]
        for s in STRIDES
    ],
    "positive_overlap": 0.5,
    "negative_overlap": 0.4,
    "allow_low_quality": True,
    "cell_scale": 8,
    "nearest": 9,
}


def scene(seed: int, size: int) -> Objects:
    rng = np.random.default_rng(seed)
    sides = size * np.exp(rng.uniform(np.log(0.06), np.log(0.9), (5, 2)))
    corner = rng.uniform(0, size - sides)
    boxes = np.concatenate([corner, corner + sides], 1).astype(np.float32)
    return Objects(boxes, rng.integers(0, 5, 5).astype(np.int32), np.ones(5, np.float32))


@pytest.mark.parametrize("seed", range(4))
def test_anchors_and_points(seed: int, reference: Reference) -> None:
    size = 64 + 64 * seed
    objects, cells = scene(seed, size), Cells.of(size, META)
    given = {
        "anchors": level_anchors(size, META),
        "boxes": objects.boxes,
        "classes": objects.classes,
        "squares": cells.squares,
        "counts": np.array(cells.counts),
    }
    found = reference(SCRIPT, given)
    owner = objects.classes[found["matches"]]
    wanted = np.where(found["labels"] == 1, owner, np.where(found["labels"] == 0, 5, -1))
    made = target_kinds()["anchor"].make(META, size, objects)["anchor_class"]
    np.testing.assert_array_equal(made, wanted)
    wanted = np.where(found["owner"] > 0, objects.classes[found["owner"] - 1], 5)
    made = target_kinds()["point"].make(META, size, objects)["point_class"]
    np.testing.assert_array_equal(made, wanted)
