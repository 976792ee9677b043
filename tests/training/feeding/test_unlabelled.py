"""Data without labels feed networks that ask for none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphprobe.errors import DataError

pytestmark = pytest.mark.paddle


@pytest.fixture
def network():
    from graphprobe.zoo import build_zoo, parse_zoo

    return build_zoo(parse_zoo("zoo:yolov3_mobilenet_v1?size=64&scale=0.05&num_classes=2"), "train")


def section(spec: str):
    from graphprobe.config import TrainSection

    return TrainSection(data={"train": spec, "val": None}, image_size=64, batch_size=2)


def test_images_alone(network, tmp_path: Path) -> None:
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    for name in "abc":
        Image.new("RGB", (20, 30)).save(tmp_path / f"{name}.png")
    plan = section(f"images:{tmp_path}")
    with pytest.raises(DataError, match="has no gt_bbox, gt_class, gt_score"):
        open_sets(plan, network)
    feeds = [feed for feed in network.feeds if feed[0] == "image"]
    unlabelled = replace(network, feeds=feeds)
    data = open_sets(plan, unlabelled).train
    batch = train_batches(plan, data, unlabelled).batch(0)
    assert {name: array.shape for name, array in batch.items()} == {"image": (2, 3, 64, 64)}


def test_arrays_by_the_names_of_inputs(network, tmp_path: Path) -> None:
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    for number in range(3):
        arrays = {"image": np.full((3, 64, 64), number, np.float32), "ids": np.arange(5)}
        np.savez(tmp_path / f"{number}.npz", **arrays)
    plan = section(f"npz:{tmp_path}?split=all")
    with pytest.raises(DataError, match="has no gt_bbox"):
        open_sets(plan, network)
    fed = replace(network, feeds=[("image", (-1, 3, 64, 64), "float32"), ("ids", (-1, 5), "int64")])
    data = open_sets(plan, fed).train
    batch = train_batches(plan, data, fed).batch(0)
    assert batch["image"].shape == (2, 3, 64, 64) and batch["ids"].shape == (2, 5)
