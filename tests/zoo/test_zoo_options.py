"""What stands behind ``zoo:``, read without paddle."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graphprobe.errors import LoadError
from graphprobe.zoo import ZooSpec, parse_zoo, zoo_names


def test_the_names_are_the_files() -> None:
    assert zoo_names() == (
        "deeplabv3p_mobilenetv2",
        "deeplabv3p_xception65",
        "gfl_r101vd",
        "gfl_r18vd",
        "picodet_l",
        "picodet_m",
        "picodet_s",
        "picodet_xs",
        "ppyoloe_l",
        "ppyoloe_m",
        "ppyoloe_s",
        "ppyoloe_x",
        "retinanet_r101",
        "retinanet_r50",
        "yolov3_mobilenet_v1",
        "yolov3_r34",
    )


def test_options_are_typed() -> None:
    spec = parse_zoo(
        "zoo:yolov3_r34?num_classes=3&size=96&mode=eval&scale=0.25&fine_grained=true&label_smooth=0"
    )
    assert spec.name == "yolov3_r34"
    assert spec.mode == "eval"
    assert spec.options == {
        "fine_grained": True,
        "label_smooth": False,
        "mode": "eval",
        "num_classes": 3,
        "scale": 0.25,
        "size": 96,
    }


def test_the_mode_is_train_by_default() -> None:
    assert parse_zoo("zoo:yolov3_r34").mode == "train"


def test_one_meaning_has_one_text() -> None:
    one = parse_zoo("zoo:yolov3_r34?size=96&scale=0.50&fine_grained=1")
    other = parse_zoo("zoo:yolov3_r34?fine_grained=TRUE&scale=.5&size=96")
    assert str(one) == str(other) == "zoo:yolov3_r34?fine_grained=true&scale=0.5&size=96"
    assert parse_zoo(str(one)) == one
    assert str(ZooSpec("yolov3_r34")) == "zoo:yolov3_r34"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zoo:yolov3_mobilnet_v1", "did you mean yolov3_mobilenet_v1"),
        ("zoo:", "the bundled models are"),
        ("zoo:_layers", "no bundled model is called '_layers'"),
        ("zoo:../yolov3_r34", "no bundled model"),
        ("yolov3_r34", "is not the name of a bundled model"),
        ("zoo:yolov3_r34?num_clases=3", "did you mean num_classes?"),
        ("zoo:yolov3_r34?colour=red", "the options are assign"),
        ("zoo:yolov3_r34?size", "cannot be read"),
        ("zoo:yolov3_r34?size=96&size=96", "given twice"),
        ("zoo:yolov3_r34?size=", "give a whole number of pixels"),
        ("zoo:yolov3_r34?size=31", "from 32 to 4096"),
        ("zoo:yolov3_r34?size=-96", "from 32 to 4096"),
        ("zoo:yolov3_r34?size=9223372036854775807", "from 32 to 4096"),
        ("zoo:yolov3_r34?num_classes=0", "from 1 to 10000"),
        ("zoo:yolov3_r34?num_classes=2.5", "from 1 to 10000"),
        ("zoo:yolov3_r34?num_classes=\u0663", "from 1 to 10000"),
        ("zoo:yolov3_r34?scale=nan", "a number from 0.05 to 4"),
        ("zoo:yolov3_r34?scale=1e9", "a number from 0.05 to 4"),
        ("zoo:yolov3_r34?scale=wide", "a number from 0.05 to 4"),
        ("zoo:yolov3_r34?fine_grained=yes", "true or false"),
        ("zoo:yolov3_r34?mode=trian", "train, eval or infer"),
    ],
)
def test_bad_texts_say_what_to_do(text: str, says: str) -> None:
    with pytest.raises(LoadError) as caught:
        parse_zoo(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{text}: ")


def test_the_package_imports_without_paddle() -> None:
    code = (
        "import sys; sys.modules['paddle'] = None\n"
        "from graphprobe.zoo import parse_zoo, zoo_names\n"
        "parse_zoo('zoo:' + zoo_names()[0]); print('read')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "read\n"
