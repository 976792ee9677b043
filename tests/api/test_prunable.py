"""What find_prunable says beside its decisions: the size that is counted, what was quantised."""

from __future__ import annotations

from typing import Any

import pytest

import graphprobe
from graphprobe.errors import UsageError
from graphprobe.formats.programdesc.write import encode
from graphprobe.ir import Attr
from graphprobe.ir.builder import Builder
from graphprobe.programs import LoadedProgram


def selection(tmp_path, shape, attrs=None, image=None, quantizer=""):
    """A convolution of 8 channels between the input and a last one."""
    b = Builder()
    x = b.feed("image", shape)
    if quantizer:
        x = b.op(quantizer, {"X": x, "InScale": b.param("scale", (1,))}, shape=shape)
    x = b.conv(x, 8, 3, name="a")
    more: dict[str, Attr] = attrs or {}
    x = b.op("relu", {"X": x}, {"Out": "relu.out"}, more, b._shape(x))
    path = tmp_path / "net.pdmodel"
    path.write_bytes(encode(b.build([b.conv(x, 4, name="z")])))
    return graphprobe.find_prunable(path, image=image)


@pytest.mark.parametrize(
    ("shape", "image", "counted"),
    [
        ((-1, 3, -1, -1), None, (608, 608)),
        ((-1, 3, -1, -1), 320, (320, 320)),
        ((1, 3, 512, 1024), None, (512, 1024)),
        ((1, 3, 48, -1), 320, (48, 320)),
        ((-1, 1, 64, 64), None, (64, 64)),
    ],
)
def test_the_size_is_that_of_the_program_where_it_fixes_it(tmp_path, shape, image, counted):
    assert selection(tmp_path, shape, image=image).image == counted


def test_ratios_chosen_anew_are_counted_at_the_same_size(tmp_path):
    found = selection(tmp_path, (-1, 3, -1, -1), image=64)
    assert graphprobe.choose_ratios(found, ratio=0.25).image == (64, 64)
    assert graphprobe.choose_ratios(found, image=32).image == (32, 32)


@pytest.mark.parametrize("wrong", ["zoo:yolov3_mobilenet_v1", None])
def test_ratios_are_chosen_for_what_was_found_alone(wrong):
    kind = type(wrong).__name__
    with pytest.raises(
        UsageError, match=rf"^found: must be what find_prunable gave, not a {kind};"
    ):
        graphprobe.choose_ratios(wrong)


def test_what_is_fed_no_image_has_no_size(tmp_path):
    b = Builder()
    x = b.op("mul", {"X": b.feed("words", (-1, 20)), "Y": b.param("w", (20, 8))}, shape=(-1, 8))
    path = tmp_path / "net.pdmodel"
    path.write_bytes(encode(b.build([x])))
    assert graphprobe.find_prunable(path, policy="coupled").image is None


@pytest.mark.parametrize(
    "attrs", [{"out_threshold": 18.8, "skip_quant": 1}, {"use_quantizer": True}]
)
def test_ranges_that_quantisation_left_are_warned_of(tmp_path, attrs):
    found = selection(tmp_path, (-1, 3, 8, 8), attrs)
    (said,) = found.warnings
    assert said.startswith("the program was quantised") and "op 1 relu" in said
    assert found.params == ["a.w_0"]


def test_quantised_activations_are_warned_of(tmp_path):
    found = selection(
        tmp_path, (-1, 3, 8, 8), quantizer="fake_quantize_dequantize_moving_average_abs_max"
    )
    assert "(first: op 0 fake_quantize" in found.warnings[0]


def test_others_are_not(tmp_path):
    assert selection(tmp_path, (-1, 3, 8, 8), {"use_quantizer": False}).warnings == ()


def test_what_a_selection_holds_is_a_short_text_too(tmp_path):
    choice = selection(tmp_path, (-1, 3, 64, 64)).choice
    assert repr(choice.found) == "<PruneFindings: 1 of 2 layers prunable, seeds>"
    assert repr(choice) == f"<PruneChoice: 1 group(s), of {choice.found!r}>"
    assert repr(choice.found.channels) == "<Channels: of 2 layers in 3 ops>"


def test_images_may_have_other_heights_than_widths() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, -1, -1)), 8, k=3)
    program = b.build([b.conv(x, 4, k=3)])
    square = graphprobe.find_prunable(program, image=32)
    wide = graphprobe.find_prunable(program, image=(32, 64))
    assert (square.image, wide.image) == ((32, 32), (32, 64))
    assert wide.before.flops == 2 * square.before.flops


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"image": -5}, "image: is -5, not a height and a width"),
        ({"image": 0}, "image: is 0, not a height and a width"),
        ({"image": "x"}, "image: is 'x', not a height and a width"),
        ({"image": (1, 2, 3)}, "image: is (1, 2, 3), not a height and a width"),
        ({"ratio": "a"}, "ratio: must be above 0 and below 1, not 'a'"),
        ({"keep": 3}, "keep=3: not a regular expression"),
    ],
)
def test_values_that_make_no_sense_are_refused_in_one_line(
    words: dict[str, Any], said: str
) -> None:
    b = Builder()
    program = b.build([b.conv(b.conv(b.feed("image", (-1, 3, 8, 8)), 4, name="a"), 2, name="b")])
    with pytest.raises(UsageError) as caught:
        graphprobe.find_prunable(LoadedProgram("net", program), **words)
    assert said in str(caught.value)


def test_what_is_no_config_is_refused_in_one_line() -> None:
    for given in (3, None, {"a": 1}):
        with pytest.raises(UsageError, match="config: is .*, not a file or a folder of a run"):
            graphprobe.check(given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="takes two runs or more"):
        graphprobe.compare_runs("runs/none")
