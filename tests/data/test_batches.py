"""Batches depend on the seed and their number alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.data.augmentation import Augmentation, no_augmentation
from graphprobe.data.batches import SAMPLES, TrainBatches, epoch_order
from graphprobe.data.eval_batches import EvalBatches, split_truth, truths
from graphprobe.data.open import open_data
from graphprobe.data.targets import choose_targets
from graphprobe.errors import DataError

DIGITS = open_data("digits?count=10&size=64")
RECIPE = Augmentation((64, 96), mixup=True)


def same(a, b):
    return a.keys() == b.keys() and all(
        (a[name] == b[name]).all() and a[name].dtype == b[name].dtype for name in a
    )


def test_shapes_and_types():
    feed = TrainBatches(DIGITS, Augmentation((64,)), 4).batch(0)
    assert {name: (array.shape, str(array.dtype)) for name, array in feed.items()} == {
        "image": ((4, 3, 64, 64), "float32"),
        "gt_bbox": ((4, 50, 4), "float32"),
        "gt_class": ((4, 50), "int32"),
        "gt_score": ((4, 50), "float32"),
    }
    assert feed["image"].flags.c_contiguous
    assert (feed["gt_bbox"] >= 0).all()
    assert (feed["gt_bbox"] <= 1).all()
    used = feed["gt_score"] > 0
    assert (feed["gt_bbox"][used][:, 2:] > 0).all()
    assert not feed["gt_bbox"][~used].any()


def test_plain_batches_hold_the_samples_themselves():
    batches = TrainBatches(DIGITS, no_augmentation(64), 3, seed=7)
    feed = batches.batch(0)
    order = epoch_order(7, 0, 10)
    mean, std = (
        np.reshape(v, (3, 1, 1)) for v in (no_augmentation(64).mean, no_augmentation(64).std)
    )
    for row in range(3):
        sample = DIGITS.sample(int(order[row]))
        expected = (sample.image.transpose(2, 0, 1) / 255 - mean) / std
        assert np.abs(feed["image"][row] - expected).max() < 1e-5
        x1, y1, x2, y2 = sample.boxes[0] / 64
        assert feed["gt_bbox"][row, 0].tolist() == pytest.approx(
            [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]
        )
        assert feed["gt_class"][row, 0] == sample.classes[0]


def test_batches_name_their_samples_where_nothing_is_random():
    batches = TrainBatches(DIGITS, no_augmentation(64), 4, seed=7, numbered=True)
    plainly = TrainBatches(DIGITS, no_augmentation(64), 4, seed=7)
    names = [batches.batch(number)[SAMPLES] for number in range(5)]
    assert sorted(np.concatenate(names).tolist()) == sorted(list(range(10)) * 2)
    seen = {}
    for number, indices in enumerate(names):
        feed = plainly.batch(number)
        assert SAMPLES not in feed
        for row, index in enumerate(indices.tolist()):
            arrays = {name: array[row] for name, array in feed.items()}
            assert same(arrays, seen.setdefault(index, arrays))
    halves = [
        TrainBatches(DIGITS, no_augmentation(64), 4, seed=7, shard=(rank, 2), numbered=True).batch(
            0
        )[SAMPLES]
        for rank in (0, 1)
    ]
    assert np.concatenate(halves).tolist() == names[0].tolist()


def test_batches_name_no_samples_where_something_is_random():
    blended = Augmentation((64,), distort=False, expand=False, crop=False, flip=False, mixup=True)
    batches = TrainBatches(DIGITS, blended, 4, mixup_until=2, numbered=True)
    assert [batches.is_random(number) for number in range(4)] == [True, True, False, False]
    assert [SAMPLES in batches.batch(number) for number in range(4)] == [False, False, True, True]
    for augmentation in (RECIPE, Augmentation((64,)), replace(no_augmentation(64), sizes=(64, 96))):
        batches = TrainBatches(DIGITS, augmentation, 4, numbered=True)
        assert batches.is_random(9)
        assert SAMPLES not in batches.batch(9)


def test_any_order_gives_the_same_batches():
    one = TrainBatches(DIGITS, RECIPE, 4, seed=3)
    other = TrainBatches(DIGITS, RECIPE, 4, seed=3)
    forward = [one.batch(k) for k in range(6)]
    backward = [other.batch(k) for k in reversed(range(6))]
    assert all(same(a, b) for a, b in zip(forward, reversed(backward), strict=True))
    assert {a["image"].shape[2] for a in forward} == {64, 96}
    assert not same(one.batch(0), TrainBatches(DIGITS, RECIPE, 4, seed=4).batch(0))


@settings(max_examples=10, deadline=None)
@given(number=st.integers(0, 10**6), shards=st.sampled_from([1, 2, 3, 6]))
def test_shards_together_are_one_batch(number, shards):
    whole = TrainBatches(DIGITS, RECIPE, 6, seed=1).batch(number)
    parts = [
        TrainBatches(DIGITS, RECIPE, 6, seed=1, shard=(rank, shards)).batch(number)
        for rank in range(shards)
    ]
    assert same(whole, {name: np.concatenate([part[name] for part in parts]) for name in whole})


def test_every_sample_comes_once_an_epoch():
    batches = TrainBatches(DIGITS, no_augmentation(64), 4, seed=2)
    places = [place for k in range(5) for place in batches.positions(k)]
    assert places == list(range(20))
    drawn = [int(epoch_order(2, place // 10, 10)[place % 10]) for place in places]
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert drawn[:10] != drawn[10:]


def test_a_set_smaller_than_its_batch_serves():
    feed = TrainBatches(open_data("digits?count=2&size=64"), no_augmentation(64), 5).batch(0)
    assert len(feed["image"]) == 5


def test_mixup_ends_when_told():
    batches = TrainBatches(DIGITS, RECIPE, 4, mixup_until=2)
    scores = [batches.batch(k)["gt_score"] for k in range(4)]
    assert all(((s > 0) & (s < 1)).any() for s in scores[:2])
    assert all(np.isin(s, (0, 1)).all() for s in scores[2:])


@pytest.mark.parametrize("shard", [(0, 2), (2, 1), (-1, 1)])
def test_uneven_shards_are_refused(shard):
    with pytest.raises(DataError, match="does not divide"):
        TrainBatches(DIGITS, RECIPE, 3, shard=shard)


@pytest.mark.parametrize("sizes", [(), (0,), (64, 31), (1 << 20,)])
def test_odd_sizes_are_refused(sizes):
    with pytest.raises(DataError, match="from 32 to 4096"):
        Augmentation(sizes)


def test_detection_wants_multiples_of_the_stride():
    with pytest.raises(DataError, match=r"multiples of 32, not \[65\]"):
        TrainBatches(DIGITS, Augmentation((64, 65)), 2)
    masks = TrainBatches(open_data("digits_seg?count=2&size=64"), Augmentation((65,)), 2)
    assert masks.batch(0)["image"].shape == (2, 3, 65, 65)


def test_what_a_sample_raises_names_it():
    class Broken:
        task, class_names, warnings = "detection", ("a",), ()

        def __len__(self):
            return 4

        def sample(self, index):
            raise ValueError("no luck")

    with pytest.raises(DataError, match=r"sample \d: cannot be read \(ValueError: no luck\)"):
        TrainBatches(Broken(), no_augmentation(64), 2).batch(0)


YOLO = {
    "anchors": [[8, 8], [20, 20], [40, 40]],
    "anchor_masks": [[2], [1], [0]],
    "downsample": [32, 16, 8],
    "num_classes": 3,
    "max_boxes": 50,
}


def test_a_batch_holds_what_the_network_takes():
    targets = choose_targets(["image", "gt_bbox", "target0", "target1", "target2"], YOLO)
    feed = TrainBatches(DIGITS, Augmentation((64,)), 2, targets=targets).batch(0)
    assert {name: array.shape for name, array in feed.items()} == {
        "image": (2, 3, 64, 64),
        "gt_bbox": (2, 50, 4),
        "target0": (2, 1, 9, 2, 2),
        "target1": (2, 1, 9, 4, 4),
        "target2": (2, 1, 9, 8, 8),
    }
    assert sum(feed[f"target{i}"][:, :, 5].sum() for i in range(3)) > 0


def test_more_boxes_than_fit_are_dropped():
    data = open_data("digits?count=4&size=160&max_digits=9")
    names = ["gt_bbox", "target0", "target1", "target2"]
    feeds = [
        TrainBatches(
            data, no_augmentation(64), 4, targets=choose_targets(names, {**YOLO, "max_boxes": most})
        ).batch(0)
        for most in (2, 50)
    ]
    assert feeds[0]["gt_bbox"].shape == (4, 2, 4)
    assert (feeds[0]["gt_bbox"] == feeds[1]["gt_bbox"][:, :2]).all()
    few, many = (sum((f[n][:, :, 5] > 0).sum() for n in names[1:]) for f in feeds)
    assert 0 < few <= 8 < many


def test_segmentation_batches():
    data = open_data("digits_seg?count=6&size=64")
    feed = TrainBatches(data, Augmentation((96,)), 4).batch(0)
    assert {name: (array.shape, str(array.dtype)) for name, array in feed.items()} == {
        "image": ((4, 3, 96, 96), "float32"),
        "label": ((4, 1, 96, 96), "int32"),
        "mask": ((4, 1, 96, 96), "int32"),
    }
    assert set(np.unique(feed["mask"])) == {0, 1}
    assert not feed["label"][feed["mask"] == 0].any()
    assert feed["label"].max() <= 3


def test_evaluation_sees_every_sample_once_in_order(voc):
    data = open_data(f"{voc.spec}?split=train")
    batches = EvalBatches(data, 32, batch_size=1)
    assert len(batches) == 2
    feed, truth = split_truth(batches.batch(0))
    assert sorted(feed) == ["im_id", "im_size", "image"]
    assert sorted(truth) == ["truth_areas", "truth_boxes", "truth_classes", "truth_difficult"]
    assert feed["im_size"].tolist() == [[40, 60]]
    assert feed["im_id"].tolist() == [[0]]
    known = truths(truth)[0]
    sample = data.sample(0)
    assert (known.boxes == sample.boxes).all()
    assert known.classes.tolist() == sample.classes.tolist()
    assert known.difficult.tolist() == [False, True]
    assert truths(batches.batch(1))[0].boxes.shape == (0, 4)


def test_the_last_evaluation_batch_is_smaller():
    batches = EvalBatches(DIGITS, 64, batch_size=4)
    assert [len(batches.batch(k)["image"]) for k in range(len(batches))] == [4, 4, 2]
    masks = EvalBatches(open_data("digits_seg?count=3&size=64"), 64, batch_size=2)
    assert masks.batch(1)["truth_mask"].shape == (1, 64, 64)
