"""The options for images of exported programs, as overrides of a config."""

from __future__ import annotations

import pytest
from graphprobe_cli._preparation import preparation_words

from graphprobe.errors import UsageError


def test_each_option_sets_a_value_of_the_config() -> None:
    words = preparation_words("0.5,0.4,.3", "1", "48x320", "bgr", "1/255")
    assert words == [
        "train.preparation.mean=[0.5, 0.4, 0.3]",
        "train.preparation.std=[1.0]",
        "train.preparation.scale=0.00392156862745098",
        'train.preparation.channels="bgr"',
        "train.preparation.size=[48, 320]",
    ]
    square = preparation_words(None, None, "64", None, None)
    assert square == ["train.preparation.size=[64, 64]", "train.image_size=64"]
    assert preparation_words(None, None, None, None, None) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a", None, None, None, None), "--mean a: must be numbers"),
        ((None, None, "0", None, None), "--size 0: must be pixels"),
        ((None, None, "4x", None, None), "--size 4x: must be pixels"),
        ((None, None, None, "BGR", None), "--channels BGR: must be rgb"),
        ((None, None, None, None, "1/0"), "--scale 1/0: must be a number"),
    ],
)
def test_what_is_no_value_is_refused(words: tuple[str | None, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        preparation_words(*words)
