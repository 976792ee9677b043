"""Sizes of images, step by step, and the arrays that a network is fed."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.preparation import InputPlan, Preparation, Step
from graphprobe.data.preparation.steps import final_size, fixed_size, run_steps
from graphprobe.errors import DataError

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)

# Steps -> the size of an image of 480 x 640, computed by hand.
SIZES = {
    "stretch": ((Step("stretch", (300, 200)),), (300, 200)),
    "fit, the shorter side decides": ((Step("fit", (320, 640)),), (320, 427)),
    "fit, the longer side decides": ((Step("fit", (416, 416)),), (312, 416)),
    "short": ((Step("short", (256, 256)),), (256, 341)),
    "short, then the middle": ((Step("short", (256, 256)), Step("crop", (224, 224))), (224, 224)),
    "long": ((Step("long", (320, 320)),), (240, 320)),
    "long, up": ((Step("long", (960, 960), multiple=128, up=True),), (768, 1024)),
    "at least, and it is": ((Step("at_least", (100, 100), multiple=32),), (480, 640)),
    "at least, and it is not": ((Step("at_least", (736, 736), multiple=32),), (736, 992)),
    "at most": ((Step("at_most", (320, 320)),), (240, 320)),
    "multiples": ((Step("same", (0, 0), multiple=100),), (500, 600)),
    "padded": ((Step("fit", (416, 416)), Step("pad", (416, 416))), (416, 416)),
    "padded to multiples": ((Step("long", (600, 600)), Step("pad_multiple", (0, 0), multiple=32)),
                            (480, 608)),
    "letterbox": ((Step("letterbox", (320, 416)),), (320, 416)),
    "line": ((Step("line", (48, 320)),), (48, 320)),
}  # fmt: skip


@pytest.mark.parametrize("case", SIZES)
def test_the_size_that_steps_make(case):
    steps, size = SIZES[case]
    image = np.zeros((480, 640, 3), np.uint8)
    assert final_size((480, 640), steps) == size
    pixels, _ = Preparation(steps).pixels(image)
    assert pixels.shape == (3, *size) and pixels.dtype == np.float32


def test_a_size_is_fixed_where_no_image_changes_it():
    assert fixed_size((Step("short", (256, 256)), Step("crop", (224, 200)))) == (224, 200)
    assert fixed_size((Step("fit", (416, 416)),)) is None
    assert fixed_size(()) is None


def test_pixels_are_scaled_normalised_and_in_the_order_of_the_network():
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    expected = (IMAGE / 255.0 - mean) / std
    rgb, _ = Preparation(mean=mean, std=std).pixels(IMAGE)
    np.testing.assert_allclose(rgb, expected.transpose(2, 0, 1), atol=1e-5)
    last, _ = Preparation(mean=mean, std=std, channels_last=True).pixels(IMAGE)
    np.testing.assert_allclose(last, expected, atol=1e-5)
    bgr, _ = Preparation(mean=mean, std=std, bgr=True, scale=1.0).pixels(IMAGE)
    turned = (IMAGE[..., ::-1].astype(float) - mean) / std
    np.testing.assert_allclose(bgr, turned.transpose(2, 0, 1), rtol=1e-5)
    gray, _ = Preparation(mean=(0.5,), std=(0.5,), gray=True).pixels(IMAGE)
    luma = np.rint(IMAGE @ [0.299, 0.587, 0.114])
    assert gray.shape == (1, 48, 64)
    np.testing.assert_allclose(gray[0], (luma / 255 - 0.5) / 0.5, atol=1e-2)


def test_pads_are_zero_behind_the_normalisation_or_a_level_before_it():
    mean, std = (0.5, 0.25, 0.0), (0.5, 1.0, 2.0)
    zero, _ = Preparation((Step("pad", (50, 70)),), mean, std).pixels(IMAGE)
    assert (zero[:, 48:] == 0).all() and (zero[:, :, 64:] == 0).all()
    filled, _ = Preparation((Step("pad", (50, 70), fill=51.0),), mean, std).pixels(IMAGE)
    expected = (0.2 - np.array(mean)) / std
    np.testing.assert_allclose(filled[:, 49, 69], expected, atol=1e-6)
    np.testing.assert_array_equal(filled[:, :48, :64], zero[:, :48, :64])


def test_a_letterbox_is_filled_on_both_sides_and_a_line_on_the_right():
    flat = np.full((48, 64, 3), 200, np.uint8)
    box, _ = Preparation((Step("letterbox", (64, 64), fill=0.0),)).pixels(flat)
    assert (box[:, :8] == 0).all() and (box[:, -8:] == 0).all() and (box[:, 8:-8] > 0).all()
    line, found = Preparation((Step("line", (24, 100)),)).pixels(flat)
    assert found.resized == (24, 32)
    assert (line[:, :, :32] > 0).all() and (line[:, :, 32:] == 0).all()


def test_an_image_smaller_than_the_part_that_is_wanted_is_enlarged():
    pixels, _ = Preparation((Step("crop", (100, 50)),)).pixels(IMAGE)
    assert pixels.shape == (3, 100, 50)
    pixels, _ = Preparation((Step("pad", (24, 100)),)).pixels(IMAGE)
    assert pixels.shape == (3, 24, 100)


def test_other_inputs_get_what_the_steps_did():
    others = {"im_shape": "resized", "scale_factor": "scale", "im_size": "original"}
    others |= {"im_info": "info", "shape": "original3"}
    steps = (Step("fit", (24, 48)), Step("pad", (32, 32)))
    arrays = InputPlan("image", others, Preparation(steps)).prepare(IMAGE)
    assert arrays["image"].shape == (3, 32, 32)
    assert arrays["im_shape"].tolist() == [24, 32] and arrays["im_shape"].dtype == np.float32
    assert arrays["scale_factor"].tolist() == [0.5, 0.5]
    assert arrays["im_size"].tolist() == [48, 64] and arrays["im_size"].dtype == np.int32
    assert arrays["im_info"].tolist() == [24, 32, 0.5]
    assert arrays["shape"].tolist() == [48, 64, 1]


def test_a_batch_needs_one_size():
    plan = InputPlan("x", {"scale_factor": "scale"}, Preparation((Step("long", (32, 32)),)))
    with pytest.raises(DataError, match="different sizes: 3x24x32, 3x32x24") as error:
        plan.batch([IMAGE, IMAGE.transpose(1, 0, 2)])
    assert "\n" not in str(error.value)
    batch = plan.at((32, 40)).batch([IMAGE, IMAGE.transpose(1, 0, 2)])
    assert batch["x"].shape == (2, 3, 32, 40) and batch["scale_factor"].shape == (2, 2)
    np.testing.assert_allclose(batch["scale_factor"], [[32 / 48, 40 / 64], [32 / 64, 40 / 48]])


def test_a_preparation_is_one_line_for_people():
    steps = (Step("short", (256, 256)), Step("crop", (224, 224)))
    text = str(Preparation(steps, (0.5,) * 3, (0.5, 0.4, 0.3), bgr=True, source="inference.yml"))
    assert text == (
        "bilinear, short side 256, middle 224x224, BGR / 255, mean 0.5, std 0.5 0.4 0.3 "
        "(from inference.yml)"
    )
    assert str(Preparation(scale=1.0)) == "RGB"


def test_steps_leave_the_image_alone():
    before = IMAGE.copy()
    run_steps(IMAGE, (Step("stretch", (10, 10)),))
    Preparation().pixels(IMAGE)
    np.testing.assert_array_equal(IMAGE, before)
