"""DeepLabv3+: the published names, shapes and counts, and that the programs run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphprobe.ir import Program
from graphprobe.zoo import Built

pytestmark = pytest.mark.paddle

STUDENT, TEACHER = "zoo:deeplabv3p_mobilenetv2", "zoo:deeplabv3p_xception65"
TINY = "scale=0.05&num_classes=3"
Programs = Callable[[str], Program]
Models = Callable[[str], Built]


@pytest.mark.parametrize(
    ("model", "plain", "depthwise", "parameters", "head"),
    [
        (STUDENT, 36, 17, 262, "bilinear_interp_0.tmp_0"),
        (TEACHER, 79, 68, 732, "bilinear_interp_2.tmp_0"),
    ],
)
def test_counts_and_the_published_pair(
    program: Programs,
    built: Models,
    model: str,
    plain: int,
    depthwise: int,
    parameters: int,
    head: str,
) -> None:
    found = program(model)
    types = Counter(op.type for op in found.ops)
    assert (types["conv2d"], types["depthwise_conv2d"]) == (plain, depthwise)
    assert len(found.parameters) == parameters
    assert built(model).meta["heads"] == [head]
    assert found.shape(head) == (-1, 19, 769, 769)


def test_the_teachers_other_maps_feed_concats(program: Programs) -> None:
    found = program(TEACHER)
    joined = {name for op in found.ops if op.type == "concat" for name in op.input_names()}
    assert {"bilinear_interp_0.tmp_0", "bilinear_interp_1.tmp_0"} <= joined
    assert "bilinear_interp_2.tmp_0" not in joined


def test_parameters_have_the_published_names_and_shapes(program: Programs) -> None:
    student = {var.name: var.shape for var in program(STUDENT).parameters}
    teacher = {var.name: var.shape for var in program(TEACHER).parameters}
    assert (
        student.items()
        >= {
            "conv1_1_weights": (32, 3, 3, 3),
            "conv2_1_expand_weights": (32, 32, 1, 1),
            "conv3_1_dwise_weights": (96, 1, 3, 3),
            "conv7_3_linear_bn_variance": (160,),
            "conv8_1_linear_weights": (320, 960, 1, 1),
            "logit/weights": (19, 320, 1, 1),
            "logit/biases": (19,),
        }.items()
    )
    block = "xception_65/entry_flow/block2"
    assert (
        teacher.items()
        >= {
            "xception_65/entry_flow/conv1/weights": (32, 3, 3, 3),
            f"{block}/separable_conv1/depthwise/weights": (128, 1, 3, 3),
            f"{block}/separable_conv1/depthwise/BatchNorm/gamma": (128,),
            f"{block}/shortcut/weights": (256, 128, 1, 1),
            "xception_65/middle_flow/block16/separable_conv3/pointwise/weights": (728, 728, 1, 1),
            "xception_65/exit_flow/block2/separable_conv3/pointwise/weights": (2048, 1536, 1, 1),
            "encoder/image_pool/weights": (256, 2048, 1, 1),
            "encoder/aspp3/depthwise/BatchNorm/moving_variance": (2048,),
            "encoder/concat/weights": (256, 1280, 1, 1),
            "decoder/concat/weights": (48, 256, 1, 1),
            "decoder/separable_conv1/depthwise/weights": (304, 1, 3, 3),
            "logit/weights": (19, 256, 1, 1),
        }.items()
    )


def _feed(height: int, width: int, counted: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "image": rng.random((2, 3, height, width), dtype="float32"),
        "label": rng.integers(0, 3, (2, 1, height, width)).astype("int32"),
        "mask": np.full((2, 1, height, width), counted, "int32"),
    }


def test_a_step_of_training_reaches_the_first_convolution(built: Models, run: Any) -> None:
    found = built(f"{TEACHER}?{TINY}&size=65")
    gradient = "xception_65/entry_flow/conv1/weights@GRAD"
    loss, first = run(found, _feed(65, 65), [found.loss, gradient], steps=1)
    assert np.isfinite(loss) and np.isfinite(first).all()
    assert np.abs(first).max() > 0


def test_a_few_steps_of_training_lower_the_loss(built: Models, run: Any) -> None:
    found = built(f"{STUDENT}?{TINY}&size=65")
    (before,) = run(found, _feed(65, 65), [found.loss])
    (after,) = run(found, _feed(65, 65), [found.loss], steps=8)
    assert np.isfinite(before) and np.isfinite(after)
    assert after < before


def test_pixels_that_do_not_count_change_nothing(built: Models) -> None:
    import paddle

    found = built(f"{STUDENT}?{TINY}&size=65")
    feed = _feed(65, 65)
    feed["mask"][:, :, :10] = 0
    spoiled = {**feed, "label": feed["label"].copy()}
    spoiled["label"][:, :, :10] = 255
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(found.startup)
        (loss, same, none) = (
            executor.run(found.main, feed=batch, fetch_list=[found.loss])[0]
            for batch in (feed, spoiled, _feed(65, 65, counted=0))
        )
    assert loss == same > 0
    assert none == 0


@pytest.mark.parametrize("model", [STUDENT, TEACHER])
def test_pictures_of_any_size(built: Models, run: Any, model: str) -> None:
    found = built(f"{model}?{TINY}&mode=infer")
    (prob,) = run(found, {"image": _feed(50, 97)["image"]}, [found.outputs["prob"]])
    assert prob.shape == (2, 3, 50, 97)
    np.testing.assert_allclose(prob.sum(axis=1), 1, rtol=1e-4)


def test_eval_gives_the_likeliest_classes(built: Models) -> None:
    import paddle

    spec = f"{STUDENT}?{TINY}"
    evaluated, exported = built(f"{spec}&mode=eval"), built(f"{spec}&mode=infer")
    feed = {"image": _feed(50, 97)["image"]}
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(evaluated.startup)
        (pred,) = executor.run(evaluated.main, feed=feed, fetch_list=[evaluated.outputs["pred"]])
        (prob,) = executor.run(exported.main, feed=feed, fetch_list=[exported.outputs["prob"]])
    # Fresh weights give near ties, which the softmax rounds away: compare probabilities.
    chosen = np.take_along_axis(prob, pred[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(chosen, prob.max(axis=1), rtol=1e-6)
