"""Exported YOLO detectors learn from boxes by what their own yolo_box states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import FAST, SETTINGS, export, features
from .test_boxes import FIT, _suppressed, coco

__all__ = ["coco"]
pytestmark = pytest.mark.paddle
ANCHORS = ([12, 12, 24, 24], [6, 6])


def network(x: Any) -> list[Any]:
    """Maps of stride 16 and 8 with two anchors and one, of two classes, decoded and suppressed."""
    import paddle

    size = paddle.static.data("scale_factor", [-1, 2], "float32")
    original = paddle.cast(32 / size + 0.5, "int32")
    fine = features(features(features(x), 8), 8)
    boxes, scores = [], []
    for stride, feature, anchors in ((16, features(fine), ANCHORS[0]), (8, fine, ANCHORS[1])):
        y = paddle.static.nn.conv2d(feature, len(anchors) // 2 * 7, 1)
        box, score = paddle.vision.ops.yolo_box(
            y, original, anchors, 2, 0.01, stride, scale_x_y=1.05
        )
        boxes.append(box)
        scores.append(paddle.transpose(score, [0, 2, 1]))
    return _suppressed(paddle.concat(boxes, 1), paddle.concat(scores, 2), -1, True)


def test_its_loss_is_that_of_the_op_with_its_own_attributes(tmp_path: Path) -> None:
    import paddle
    from paddle.vision.ops import yolo_loss

    from graphprobe.config import TrainConfig
    from graphprobe.training.networks.build import fill, open_network
    from graphprobe.training.networks.task_loss import with_task_loss

    model = export(tmp_path / "m", network)
    maps = ["conv2d_4.tmp_1", "conv2d_5.tmp_1"]
    task = {
        "loss": "yolo",
        "outputs": maps,
        "classes": [1, 0],
        "anchors": ANCHORS,
        "downsample": [16, 8],
        "scale_x_y": 1.05,
    }
    config = TrainConfig.model_validate(
        {"version": 1, "kind": "train", "student": {"program": str(model)}, "task": task}
    )
    place = paddle.CPUPlace()
    student = with_task_loss(
        fill(open_network(config.student, "student"), place, 0), config, where=""
    )
    rng = np.random.default_rng(0)
    boxes = np.zeros((2, 50, 4), np.float32)
    boxes[:, :3] = rng.uniform(0.2, 0.6, (2, 3, 4))
    labels = rng.integers(0, 2, (2, 50)).astype(np.int32)
    scores = (boxes[..., 2] > 0).astype(np.float32)
    names = [name for name, _, _ in student.built.feeds]
    assert names[-3:] == ["gt_bbox", "gt_class", "gt_score"]
    feed = {"image": rng.normal(size=(2, 3, 32, 32)).astype(np.float32)}
    feed |= {"gt_bbox": boxes, "gt_class": labels, "gt_score": scores}
    feed["scale_factor"] = np.ones((2, 2), np.float32)
    found, *values = paddle.static.Executor(place).run(
        student.main, feed=feed, fetch_list=[student.built.loss, *maps], scope=student.scope
    )
    paddle.disable_static()
    try:
        wanted = sum(
            float(
                yolo_loss(
                    paddle.to_tensor(value),
                    paddle.to_tensor(boxes),
                    paddle.to_tensor(1 - labels),
                    [12, 12, 24, 24, 6, 6],
                    mask,
                    2,
                    0.7,
                    stride,
                    gt_score=paddle.to_tensor(scores),
                    use_label_smooth=False,
                    scale_x_y=1.05,
                ).mean()
            )
            for value, mask, stride in zip(values, ([0, 1], [2]), (16, 8), strict=True)
        )
    finally:
        paddle.enable_static()
    assert float(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("settings", [SETTINGS, FIT], ids=["stretched", "ratio kept"])
def test_boxes_teach_beside_a_teacher(coco: Path, tmp_path: Path, settings: str) -> None:
    import graphprobe

    student, teacher = (
        export(tmp_path / n, network, seed=s, settings=settings) for s, n in enumerate("st")
    )
    said: list[str] = []
    graphprobe.train(
        student=str(student),
        teacher=str(teacher),
        data=f"coco:{coco}?split=val",
        device="cpu",
        override={
            **FAST,
            "train.data.val": f"coco:{coco}?split=val",
            "train.output": str(tmp_path / "run"),
        },
        progress=said.append,
    )
    assert "task: yolo of conv2d_4.tmp_1, conv2d_5.tmp_1 with labels of 2 classes" in said
    assert any(line.startswith("before training: AP (COCO) ") for line in said)
    assert any("task" in line and "total" in line for line in said)
    text = (tmp_path / "run" / "distill.yaml").read_text()
    assert "anchors: [[12, 12, 24, 24], [6, 6]]" in text
    assert graphprobe.evaluate(tmp_path / "run").metric == "coco"


@pytest.mark.parametrize("settings", [SETTINGS, FIT], ids=["stretched", "ratio kept"])
def test_boxes_lie_where_the_image_is_fed(coco: Path, tmp_path: Path, settings: str) -> None:
    from graphprobe.config import DataSection, TrainSection
    from graphprobe.data.open import open_data
    from graphprobe.training.feeding.feeding import train_batches
    from graphprobe.training.networks.source import Networks

    model = export(tmp_path / "m", network, settings=settings)
    built = Networks().source(str(model)).build("eval")
    truth = [(name, (-1, 50, *more), "float32") for name, more in (("gt_bbox", (4,)),)]
    built = type(built)(**{**vars_of(built), "feeds": (*built.feeds, *truth)})
    built.meta["max_boxes"] = 50
    spec = f"coco:{coco}?split=val"
    augment = {"distort": False, "expand": False, "crop": False, "flip": False}
    section = TrainSection.model_validate(
        {"image_size": 32, "batch_size": 8, "workers": 0, "augment": augment}
    ).model_copy(update={"data": DataSection(train=spec, val=spec)})
    feed = train_batches(section, open_data(spec), built).batch(0)
    checked = 0
    for image, boxes in zip(feed["image"], feed["gt_bbox"], strict=True):
        for x, y, w, h in (boxes[boxes[:, 2] > 0] * 32).tolist():
            inside = image[:, int(y), int(x)]
            checked += inside[:2].max() > 0.8
            assert w >= 6 and h >= 6
    assert checked >= 10  # later squares hide some of the earlier ones


def vars_of(built: Any) -> dict[str, Any]:
    return {name: getattr(built, name) for name in type(built).__slots__}
