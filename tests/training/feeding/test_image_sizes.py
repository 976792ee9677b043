"""A network with a fixed input is never fed images of another size."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytestmark = pytest.mark.paddle


def test_a_size_that_does_not_fit_is_named_with_its_key():
    from graphprobe.config import TrainSection
    from graphprobe.errors import ConfigError
    from graphprobe.training.feeding.feeding import check_sizes
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo("zoo:yolov3_mobilenet_v1?size=96&scale=0.05"), "eval")
    with pytest.raises(ConfigError) as caught:
        check_sizes(TrainSection(), built, "student", where="distill.yaml")
    assert str(caught.value).startswith(
        "distill.yaml: train.image_size: 608, but the student's program takes 96 x 96"
    )
    check_sizes(TrainSection(image_size=96), built, "student")
    check_sizes(TrainSection(), replace(built, meta={**built.meta, "size": None}), "student")
