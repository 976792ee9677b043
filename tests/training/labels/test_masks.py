"""Exported segmentation networks that are measured by masks, and learn from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .conftest import FAST, SETTINGS, export, predict, prepared

pytestmark = pytest.mark.paddle
FIT = SETTINGS.replace("keep_ratio: false", "keep_ratio: true").replace(
    "- {type: Permute}", "- {type: Permute}\n- {type: PadStride, stride: 32}"
)


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red and a green part on noise, with a part that is not known; 32 x 32 and 32 x 64."""
    folder = tmp_path_factory.mktemp("seg")
    rng = np.random.default_rng(2)
    for name in ("images", "labels"):
        (folder / name).mkdir()
    lines = []
    for number in range(8):
        height, width = ((32, 32), (32, 64))[number % 2]
        pixels = rng.integers(0, 120, (height, width, 3)).astype(np.uint8)
        mask = np.zeros((height, width), np.uint8)
        for label in (1, 2):
            x, y = (int(rng.integers(0, side - 14)) for side in (width, height))
            pixels[y : y + 14, x : x + 14, label - 1] = 230
            mask[y : y + 14, x : x + 14] = label
        mask[:2] = 255
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "labels" / f"{number}.png")
        lines.append(f"images/{number}.png labels/{number}.png")
    (folder / "train.txt").write_text("\n".join(lines[:4]))
    (folder / "val.txt").write_text("\n".join(lines[4:]))
    (folder / "labels.txt").write_text("none\nred\ngreen\n")
    return folder


def network(end: str) -> Callable[[Any], list[Any]]:
    """Scores of three classes at a resolution of half, and what exporters make of them."""

    def outputs(x: Any) -> list[Any]:
        import paddle

        y = paddle.nn.functional.relu(paddle.static.nn.conv2d(x, 8, 3, padding=1, stride=2))
        y = paddle.static.nn.conv2d(y, 3, 1)
        if end == "softmax":
            return [paddle.nn.functional.softmax(y, axis=1)]
        y = paddle.nn.functional.interpolate(y, size=[32, 32], mode="bilinear")
        return [paddle.argmax(y, axis=1, dtype="int32")]

    return outputs


def expected(model: Path, masks: Path, end: str, fit: bool) -> float:
    """Mean IoU of what Paddle's inference engine gives, counted class by class."""
    import paddle

    shared, joined = np.zeros(3), np.zeros(3)
    for line in (masks / "val.txt").read_text().split("\n"):
        picture, truth = (np.asarray(Image.open(masks / name)) for name in line.split())
        height, width = truth.shape
        small = picture
        if width == 64:
            halves = picture.astype(np.float64)
            halves = (halves[:, ::2] + halves[:, 1::2]) / 2
            small = np.floor((halves if not fit else (halves[::2] + halves[1::2]) / 2) + 0.5)
        whole = np.zeros((1, 3, 32, 32), np.float32)
        whole[:, :, : small.shape[0]] = prepared(small)
        (found,) = predict(model, {"x": whole})
        share = found.shape[-2] * small.shape[0] // 32
        if end == "softmax":
            part = paddle.nn.functional.interpolate(
                paddle.to_tensor(found[:, :, :share]), size=[height, width], mode="bilinear"
            )
            labels = part.numpy()[0].argmax(0)
        else:
            rows = np.arange(height) * share // height
            labels = found[0][rows][:, np.arange(width) * 32 // width]
        known = truth != 255
        for label in range(3):
            ours, theirs = labels[known] == label, truth[known] == label
            shared[label] += (ours & theirs).sum()
            joined[label] += (ours | theirs).sum()
    return float((shared / joined).mean())


@pytest.mark.parametrize("fit", [False, True], ids=["stretched", "ratio kept"])
@pytest.mark.parametrize("end", ["softmax", "argmax"])
def test_maps_are_measured_on_the_masks_of_the_originals(
    masks: Path, tmp_path: Path, end: str, fit: bool
) -> None:
    import paddle

    import graphprobe

    model = export(tmp_path / "m", network(end), settings=FIT if fit else SETTINGS, seed=5)
    found = graphprobe.evaluate(
        model, data=f"seg:{masks}?split=val", override={"train.batch_size": 4}
    )
    paddle.disable_static()
    try:
        wanted = expected(model, masks, end, fit)
    finally:
        paddle.enable_static()
    assert found.metric == "miou" and found.value == pytest.approx(wanted, abs=1e-3)
    assert found.value > 0.01 and list(found.classes) == ["none", "red", "green"]


@pytest.mark.parametrize("end", ["softmax", "argmax"])
def test_masks_teach(masks: Path, tmp_path: Path, end: str) -> None:
    import graphprobe

    student = export(tmp_path / "s", network(end), settings=FIT)
    said: list[str] = []
    run = graphprobe.train(
        student=str(student),
        data=f"seg:{masks}",
        device="cpu",
        override={
            **FAST,
            "train.max_iters": 60,
            "train.snapshot_iter": 60,
            "train.learning_rate.base": 0.03,
            "train.output": str(tmp_path / "run"),
        },
        progress=said.append,
    )
    before = next(line for line in said if line.startswith("before training: mIoU "))
    assert any(line.startswith("task: pixel_cross_entropy of ") for line in said)
    assert run.best is not None and run.best > float(before.rpartition(" ")[2]) + 0.1
    assert graphprobe.evaluate(tmp_path / "run").value == pytest.approx(run.best)


def test_the_loss_is_the_cross_entropy_of_pixels_that_count(tmp_path: Path) -> None:
    import paddle

    from graphprobe.config import TrainConfig
    from graphprobe.training.networks.build import fill, open_network
    from graphprobe.training.networks.task_loss import with_task_loss

    model = export(tmp_path / "m", network("softmax"))
    task = {"loss": "pixel_cross_entropy", "outputs": ["conv2d_1.tmp_1"], "classes": [2, 0, 1]}
    config = TrainConfig.model_validate(
        {"version": 1, "kind": "train", "student": {"program": str(model)}, "task": task}
    )
    place = paddle.CPUPlace()
    student = with_task_loss(
        fill(open_network(config.student, "student"), place, 0), config, where=""
    )
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 3, 32, 32)).astype(np.float32)
    label = rng.integers(0, 3, (2, 1, 16, 16)).astype(np.int32)
    counts = rng.integers(0, 2, (2, 1, 16, 16)).astype(np.int32)
    (found,) = paddle.static.Executor(place).run(
        student.main,
        feed={"image": image, "label": label, "mask": counts},
        fetch_list=[student.built.loss],
        scope=student.scope,
    )
    (probability,) = predict(model, {"x": image})
    wanted = np.take_along_axis(probability, np.array([2, 0, 1])[label], 1)
    assert float(found) == pytest.approx(float(-np.log(wanted[counts == 1]).mean()), rel=1e-4)


def test_numbers_of_classes_beyond_a_byte() -> None:
    from graphprobe.training.labelled import labels_at

    numbers = np.array([[[7.0, 300.0]]])
    assert labels_at(numbers, 2, 4).tolist() == [[7, 7, 300, 300]] * 2
