"""What the files beside exported models say, and how it is held against the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphprobe.data.preparation import (
    PreparationOptions,
    Step,
    find_inputs,
    read_preparation,
)
from graphprobe.errors import DataError
from graphprobe.ir.builder import Builder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NUMBERS = "mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]"

DETECTION = f"""
mode: paddle
Preprocess:
- {{type: Resize, interp: 2, keep_ratio: false, target_size: [320, 416]}}
- {{type: NormalizeImage, is_scale: true, {NUMBERS}}}
- {{type: Permute}}
- {{type: PadStride, stride: 32}}
label_list: [a, b]
"""
OLD_DETECTION = """
Preprocess:
- {type: Resize, target_size: 300, max_size: 0, interp: 1, image_shape: [300, 300]}
- {type: Normalize, is_scale: false, mean: [104, 117, 123], std: [1, 1, 1]}
- {type: Permute, to_bgr: true, channel_first: true}
"""
PLAIN_DETECTION = """
Preprocess:
- {type: Resize, interp: 1, keep_ratio: true, target_size: [800, 1333]}
- {type: NormalizeImage, is_scale: true, norm_type: none, mean: [0, 0, 0], std: [1, 1, 1]}
- {type: Permute}
"""
TEXT = f"""
Global: {{model_name: det}}
PreProcess:
  transform_ops:
  - DecodeImage: {{channel_first: false, img_mode: BGR}}
  - DetLabelEncode: null
  - DetResizeForTest: {{resize_long: 960}}
  - NormalizeImage: {{{NUMBERS}, order: hwc, scale: 1./255.}}
  - ToCHWImage: null
  - KeepKeys: {{keep_keys: [image, shape]}}
"""
LINES = """
PreProcess:
  transform_ops:
  - DecodeImage: {img_mode: BGR}
  - MultiLabelEncode: {gtc_encode: NRTRLabelEncode}
  - RecResizeImg: {image_shape: [3, 48, 320]}
"""
CLASSES = f"""
PreProcess:
  transform_ops:
    - ResizeImage: {{resize_short: 256, interpolation: bicubic, backend: pil}}
    - CropImage: {{size: 224}}
    - NormalizeImage: {{scale: 0.00392157, {NUMBERS}, order: "", channel_num: 3}}
    - ToCHWImage:
"""
SEGMENTATION = """
Deploy:
  model: model.pdmodel
  transforms:
  - {type: Resize, target_size: [1024, 512]}
  - {type: Normalize}
"""
CASES = {
    "infer_cfg.yml": (
        DETECTION,
        (Step("stretch", (320, 416), "bicubic"), Step("pad_multiple", (0, 0), multiple=32)),
        (MEAN, STD, 1 / 255, False),
    ),
    "0.x/infer_cfg.yml": (
        OLD_DETECTION,
        (Step("stretch", (300, 300)),),
        ((104.0, 117.0, 123.0), (1.0,) * 3, 1.0, True),
    ),
    "plain/infer_cfg.yml": (
        PLAIN_DETECTION,
        (Step("fit", (800, 1333)),),
        ((0.0,) * 3, (1.0,) * 3, 1 / 255, False),
    ),
    "inference.yml": (
        TEXT,
        (Step("long", (960, 960), multiple=128, up=True),),
        (MEAN, STD, 1 / 255, True),
    ),
    "lines/inference.yml": (
        LINES,
        (Step("line", (48, 320)),),
        ((0.5,) * 3, (0.5,) * 3, 1 / 255, True),
    ),
    "inference_cls.yaml": (
        CLASSES,
        (Step("short", (256, 256), "smooth_bicubic"), Step("crop", (224, 224))),
        (MEAN, STD, 0.00392157, False),
    ),
    "deploy.yaml": (
        SEGMENTATION,
        (Step("stretch", (512, 1024)),),
        ((0.5,) * 3, (0.5,) * 3, 1 / 255, False),
    ),
}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", CASES)
def test_each_dialect_is_read(tmp_path, name):
    text, steps, (mean, std, scale, bgr) = CASES[name]
    found = read_preparation(write(tmp_path, name, text))
    assert found is not None and found.steps == steps
    assert (found.mean, found.std, found.bgr) == (mean, std, bgr)
    assert found.scale == pytest.approx(scale)
    assert not found.channels_last and found.source == Path(name).name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Preprocess: [{type: Warp}, {type: Mosaic}]", "steps that are not known: Warp, Mosaic"),
        ("Preprocess: [{type: Resize}]", "step Resize lacks 'target_size'"),
        ("Preprocess: [{type: Resize, target_size: [0, 3]}]", "0 where a size in pixels belongs"),
        ("Preprocess: [{type: NormalizeImage, mean: [a], std: [1]}]", "'a' where a number belongs"),
        ("Preprocess: [{type: NormalizeImage, mean: [0], std: [0]}]", "do not fit 3 channels"),
        ("Deploy: {transforms: [{type: Resize, interp: SINC}]}", "unknown interpolation 'SINC'"),
        ("Preprocess: [{type", r"not YAML \(line"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_say_is_one_line(tmp_path, text, said):
    path = write(tmp_path, "infer_cfg.yml", text)
    with pytest.raises(DataError, match=said) as error:
        read_preparation(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_a_file_about_other_things_says_nothing(tmp_path):
    assert read_preparation(write(tmp_path, "deploy.yaml", "Deploy: {model: a}")) is None
    assert read_preparation(write(tmp_path, "inference.yml", "- a list")) is None


def program(*sizes: int, **others: tuple[int, ...]):
    b = Builder()
    x = b.feed("x", sizes)
    for name, shape in others.items():
        b.feed(name, shape, "int32" if name == "im_size" else "float32")
    if sizes[3] == 3:  # [N, H, W, C]
        shape = (sizes[0], sizes[3], *sizes[1:3])
        x = b.op("transpose2", {"X": x}, attrs={"axis": [0, 3, 1, 2]}, shape=shape)
    return b.build(fetches=[b.conv(x, 4)])


def test_inputs_are_filled_as_the_exporter_meant(tmp_path):
    write(tmp_path, "infer_cfg.yml", DETECTION)
    both = program(-1, 3, 320, 416, im_shape=(-1, 2), scale_factor=(-1, 2))
    plan = find_inputs(both, tmp_path / "model.pdmodel")
    arrays = plan.prepare(np.zeros((640, 640, 3), np.uint8))
    assert {name: array.shape for name, array in arrays.items()} == {
        "x": (3, 320, 416), "im_shape": (2,), "scale_factor": (2,)
    }  # fmt: skip
    assert arrays["scale_factor"].tolist() == pytest.approx([0.5, 0.65])
    old = find_inputs(program(-1, 3, -1, -1, im_size=(-1, 2)), tmp_path)
    assert old.others == {"im_size": "original"}


def test_a_file_that_contradicts_the_program_is_refused(tmp_path):
    write(tmp_path, "infer_cfg.yml", DETECTION)
    with pytest.raises(DataError, match=r"makes images of 320x416, x takes 640x640 alone") as error:
        find_inputs(program(-1, 3, 640, 640), tmp_path)
    assert "size=(640, 640)" in str(error.value)
    with pytest.raises(DataError, match=r"makes 3 channels, x takes 1"):
        find_inputs(program(-1, 1, 320, 416), tmp_path)
    write(tmp_path, "infer_cfg.yml", PLAIN_DETECTION)
    with pytest.raises(DataError, match=r"makes images of many sizes, x takes 320x416 alone"):
        find_inputs(program(-1, 3, 320, 416), tmp_path)
    given = PreparationOptions(size=(320, 416))
    assert find_inputs(program(-1, 3, 320, 416), tmp_path, given).preparation.steps == (
        Step("stretch", (320, 416)),
    )


def test_what_nobody_says_is_asked_for(tmp_path):
    with pytest.raises(DataError, match="nothing beside it states how .* name mean and std"):
        find_inputs(program(-1, 3, 64, 64), tmp_path)
    with pytest.raises(DataError, match="images of any size.*name the size"):
        find_inputs(program(-1, 3, -1, -1), None, PreparationOptions(mean=MEAN, std=STD))
    with pytest.raises(DataError, match="2 numbers for 3 channels"):
        find_inputs(program(-1, 3, 8, 8), None, PreparationOptions(mean=(1, 2), std=STD))
    with pytest.raises(DataError, match="0 cannot be divided by"):
        find_inputs(program(-1, 3, 8, 8), None, PreparationOptions(mean=MEAN, std=(0.0,)))
    with pytest.raises(DataError, match="channels are rgb, bgr, gray, not cmyk"):
        given = PreparationOptions(mean=MEAN, std=STD, channels="cmyk")
        find_inputs(program(-1, 3, 8, 8), None, given)


def test_options_say_it_all_and_count_more_than_a_file(tmp_path):
    given = PreparationOptions(mean=(0.5,), std=(0.25,), channels="bgr", scale=1.0)
    plan = find_inputs(program(-1, 3, 8, 10), None, given)
    assert str(plan.preparation) == ("bilinear to 8x10, BGR, mean 0.5, std 0.25 (from the options)")
    gray = find_inputs(program(-1, 1, 8, 10), None, PreparationOptions(mean=(0.5,), std=(1.0,)))
    assert gray.prepare(np.zeros((9, 9, 3), np.uint8))["x"].shape == (1, 8, 10)
    last = find_inputs(program(-1, 8, 10, 3), None, PreparationOptions(mean=MEAN, std=STD))
    assert last.prepare(np.zeros((9, 9, 3), np.uint8))["x"].shape == (8, 10, 3)
    write(tmp_path, "infer_cfg.yml", DETECTION)
    file = find_inputs(program(-1, 3, -1, -1), tmp_path).preparation
    changed = find_inputs(program(-1, 3, -1, -1), tmp_path, PreparationOptions(mean=(0.0,)))
    assert changed.preparation.mean == (0.0,) * 3 and changed.preparation.std == file.std


def test_inputs_that_are_not_known_are_named(tmp_path):
    given = PreparationOptions(mean=MEAN, std=STD, size=(8, 8))
    with pytest.raises(DataError, match=r"fed to noise float32 \[-1, 16\] is not known.*npz"):
        find_inputs(program(-1, 3, 8, 8, noise=(-1, 16)), None, given)
    b = Builder()
    tokens = b.feed("tokens", (-1, 16), "int64")
    words = b.build(fetches=[b.op("scale", {"X": tokens}, shape=(-1, 16))])
    with pytest.raises(DataError, match=r"0 inputs take images, not one: tokens \[-1, 16\]"):
        find_inputs(words, None, given)


def test_real_files(shared_models):
    seg = read_preparation(shared_models / "deeplabv3p_resnet101_p2.2" / "deploy.yaml")
    assert str(seg) == "RGB / 255, mean 0.5, std 0.5 (from deploy.yaml)"
    ssd = read_preparation(shared_models / "ssd_mobilenet_v1_p2.2" / "infer_cfg.yml")
    assert str(ssd).startswith("bilinear to 300x300, RGB / 255, mean 0.485")
