"""Images for exported programs: the sizes, the other inputs, and what a teacher gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.preparation import Preparation, Step
from graphprobe.errors import ConfigError, DataError
from graphprobe.ir.builder import Builder

pytestmark = pytest.mark.paddle


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number, size in enumerate([(40, 30), (64, 50), (30, 60)]):
        pixels = rng.integers(0, 255, (*size[::-1], 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def network(shape: tuple[int, ...], beside: Preparation | None, *others: str) -> Any:
    from graphprobe.zoo import EXPORTED, Built

    b = Builder()
    x = b.feed("x", shape)
    for name in others:
        b.feed(name, (-1, 2))
    program = b.build([b.conv(x, 4, 3)])
    feeds = [("image", shape, "float32"), *((name, (-1, 2), "float32") for name in others)]
    size = shape[2:] if min(shape[2:]) > 0 else None
    meta = {"size": size, "program": program, "beside": beside}
    return Built(None, None, tuple(feeds), None, {}, EXPORTED, meta)


def section(photos: Path, **more: Any) -> Any:
    from graphprobe.config import TrainSection

    return TrainSection(data={"train": f"images:{photos}"}, batch_size=2, **more)


STEPS = (Step("fit", (32, 64)), Step("pad_multiple", (0, 0), multiple=16))
PREPARED = Preparation(STEPS, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), source="infer_cfg.yml")


def test_training_has_one_size_and_evaluation_that_of_each_image(photos: Path) -> None:
    from graphprobe.data.open import open_data
    from graphprobe.training.feeding.feeding import eval_batches, train_batches

    built = network((-1, 3, -1, -1), PREPARED, "im_shape", "scale_factor")
    settings = section(photos, image_size=48)
    data = open_data(settings.data.train)
    quiet = settings.model_copy(update={"augment": _still()})
    batch = train_batches(quiet, data, built).batch(0)
    assert batch["image"].shape == (2, 3, 48, 48)
    assert batch["im_shape"].tolist() == [[48, 48], [48, 48]]
    batches = eval_batches(settings, data, built)
    assert len(batches) == 3 and batches.image_size is None
    whole = batches.batch(0)
    assert whole["image"].shape == (1, 3, 32, 48)
    assert whole["im_shape"].tolist() == [[32, 43]]
    np.testing.assert_allclose(whole["scale_factor"], [[32 / 30, 43 / 40]], rtol=1e-6)
    assert whole["image"].min() >= -1 and whole["image"].max() <= 1.001


def _still() -> Any:
    from graphprobe.config import AugmentSection

    return AugmentSection(distort=False, expand=False, crop=False, flip=False)


def test_a_program_that_is_wider_than_high(photos: Path) -> None:
    from graphprobe.data.open import open_data
    from graphprobe.training.feeding.feeding import check_sizes, eval_batches, train_batches

    lines = Preparation((Step("line", (24, 80)),), source="inference.yml")
    built = network((-1, 3, 24, 80), lines)
    with pytest.raises(ConfigError, match=r"608, but the student's .* 24 x 80.*\[24, 80"):
        check_sizes(section(photos), built, "student")
    wide = section(photos, preparation={"size": [24, 80]}, augment=_still())
    check_sizes(wide, built, "student")
    data = open_data(wide.data.train)
    for batches in (train_batches(wide, data, built), eval_batches(wide, data, built)):
        assert batches.batch(0)["image"].shape == (2, 3, 24, 80)


def test_what_nothing_says_is_asked_for(photos: Path) -> None:
    from graphprobe.training.feeding.inputs import images_text

    built = network((-1, 3, -1, -1), None)
    with pytest.raises(DataError, match=r"nothing beside it states .*mean and std"):
        images_text(section(photos), built)
    told = section(photos, preparation={"mean": [0.5], "std": [0.25], "channels": "bgr"})
    said = images_text(told, built)
    assert said == "bilinear to 608x608, BGR / 255, mean 0.5, std 0.25 (from the options)"


def test_a_teacher_gets_the_pixels_that_it_wants() -> None:
    from graphprobe.training.feeding.pixels import PixelValues, converter

    levels = np.random.default_rng(0).random((2, 3, 4, 5))  # red, green, blue

    def fed(values: PixelValues) -> Any:
        ordered = levels[:, ::-1] if values.bgr else levels
        shape = (1, 3, 1, 1)
        return (ordered - np.reshape(values.mean, shape)) / np.reshape(values.std, shape)

    ours = PixelValues((0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    theirs = PixelValues((0.4, 0.0, 0.6), (1.0, 2.0, 0.125), bgr=True)
    convert = converter(ours, theirs)
    assert convert is not None
    np.testing.assert_allclose(convert(fed(ours)), fed(theirs), rtol=1e-5)
    rounded = replace(ours, std=(0.500001, 0.25, 1.0))
    assert converter(ours, ours) is None and converter(ours, rounded) is None
    with pytest.raises(ConfigError, match="neither is made of the other"):
        converter(ours, PixelValues((0.5,), (0.5,)))
