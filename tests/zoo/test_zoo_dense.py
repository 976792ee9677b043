"""RetinaNet and GFL: published names and counts, losses and boxes against numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from graphprobe.ir import Program
from graphprobe.zoo import Built

pytestmark = pytest.mark.paddle

TINY = "scale=0.05&num_classes=3&frozen=false"
STRIDES = (8, 16, 32, 64, 128)
SIZE = 64
Programs = Callable[[str], Program]
Models = Callable[[str], Built]


@pytest.mark.parametrize(
    ("model", "parameters", "convolutions"),
    [("retinanet_r50", 301, 53 + 8 + 50), ("gfl_r18vd", 172, 23 + 8 + 50)],
)
def test_counts(program: Programs, model: str, parameters: int, convolutions: int) -> None:
    found = program(f"zoo:{model}")
    assert len(found.parameters) == parameters
    types = Counter(op.type for op in found.ops)
    assert types["conv2d"] == convolutions
    # The heads' ten filters, biases aside, serve all five levels.
    filters = Counter(op.input("Filter") for op in found.ops if op.type == "conv2d")
    shared = {name for name, uses in filters.items() if uses == 5}
    assert len(shared) == 10
    assert all(name is not None and name.startswith("head.") for name in shared)


def test_parameters_have_the_published_names_and_shapes(program: Programs) -> None:
    retina = {var.name: var.shape for var in program("zoo:retinanet_r50").parameters}
    gfl = {var.name: var.shape for var in program("zoo:gfl_r18vd").parameters}
    assert (
        retina.items()
        >= {
            "backbone.conv1.conv1.conv.weight": (64, 3, 7, 7),
            "backbone.res2.res2a.short.conv.weight": (256, 64, 1, 1),
            "backbone.res4.res4f.branch2b.norm._variance": (256,),
            "neck.fpn_inner_res3_sum_lateral.weight": (256, 512, 1, 1),
            "neck.fpn_inner_res5_sum.bias": (256,),
            "neck.fpn_7.weight": (256, 256, 3, 3),
            "head.conv_feat.fcos_head_cls_tower_conv_3.conv.weight": (256, 256, 3, 3),
            "head.retina_cls.weight": (720, 256, 3, 3),
            "head.retina_reg.bias": (36,),
        }.items()
    )
    assert (
        gfl.items()
        >= {
            "backbone.conv1.conv1_1.conv.weight": (32, 3, 3, 3),
            "backbone.res2.res2a.short.conv.weight": (64, 64, 1, 1),
            "backbone.res3.res3a.short.conv.conv.weight": (128, 64, 1, 1),
            "head.conv_feat.fcos_head_reg_tower_conv_0.norm.weight": (256,),
            "head.gfl_head_cls.weight": (80, 256, 3, 3),
            "head.gfl_head_reg.weight": (68, 256, 3, 3),
            "head.p7_feat.scale_reg": (1,),
        }.items()
    )


def test_the_first_layers_are_frozen_unless_told_otherwise(built: Models) -> None:
    def trained(text: str) -> set[str]:
        return {p.name for p in built(text).main.all_parameters() if p.trainable}

    published = trained("zoo:gfl_r18vd")
    free = trained(f"zoo:gfl_r18vd?{TINY}")
    assert not any(name.startswith(("backbone.conv1.", "backbone.res2.")) for name in published)
    assert not any(".norm." in name for name in published if name.startswith("backbone."))
    assert published < free
    assert "backbone.conv1.conv1_1.norm.weight" in free


@pytest.fixture
def clean_program() -> Iterator[Any]:
    """A default program of its own; gives a function that runs a feed through it."""
    import paddle

    paddle.enable_static()
    main = paddle.static.Program()
    with (
        paddle.utils.unique_name.guard(),
        paddle.static.program_guard(main),
        paddle.static.scope_guard(paddle.static.Scope()),
    ):
        executor = paddle.static.Executor(paddle.CPUPlace())
        yield lambda feed, names: executor.run(main, feed=feed, fetch_list=names)


def _fake_maps(width: int, seed: int) -> tuple[dict[str, Any], list[Any]]:
    """Random head outputs of the five levels of a picture, and their variables."""
    import paddle

    rng = np.random.default_rng(seed)
    feed = {
        f"maps{width}_{stride}": rng.normal(
            size=(2, width, -(-SIZE // stride), -(-SIZE // stride))
        ).astype("float32")
        for stride in STRIDES
    }
    return feed, [paddle.static.data(name, [-1, width, -1, -1], "float32") for name in feed]


def _rows(feed: dict[str, Any], width: int) -> Any:
    """[N, A * width, h, w] a level -> [N, M, width], by hand."""
    flat = []
    for array in feed.values():
        n, channels, h, w = array.shape
        cells = array.reshape(n, channels // width, width, h, w)
        flat.append(cells.transpose(0, 3, 4, 1, 2).reshape(n, -1, width))
    return np.concatenate(flat, axis=1).astype("float64")


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _cross_entropy(x: Any, wanted: Any) -> Any:
    score = _sigmoid(x)
    return -(wanted * np.log(score) + (1 - wanted) * np.log(1 - score))


def test_retina_losses_against_numpy(clean_program: Any) -> None:
    from graphprobe.zoo._retina_head import RETINA

    class_feed, class_maps = _fake_maps(9 * 3, 0)
    box_feed, box_maps = _fake_maps(9 * 4, 1)
    logits, deltas = _rows(class_feed, 3), _rows(box_feed, 4)
    rng = np.random.default_rng(2)
    labels = rng.integers(-1, 4, logits.shape[:2]).astype("int32")
    wanted = rng.normal(size=deltas.shape).astype("float32")
    terms = RETINA.losses(class_maps, box_maps, RETINA.targets(), 3)
    feed = {**class_feed, **box_feed, "anchor_class": labels, "anchor_delta": wanted}
    found = clean_program(feed, list(terms.values()))

    there = (labels >= 0) & (labels < 3)
    hot = np.eye(4)[np.where(labels < 0, 3, labels)][:, :, :3]
    score = _sigmoid(logits)
    right = np.where(hot > 0, score, 1 - score)
    focal = np.where(hot > 0, 0.25, 0.75) * (1 - right) ** 2 * _cross_entropy(logits, hot)
    expected = {
        "loss_cls": focal[labels >= 0].sum() / there.sum(),
        "loss_reg": np.abs(deltas - wanted)[there].sum() / there.sum(),
    }
    assert list(terms) == list(expected)
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-4)


def _cells() -> Any:
    """Center x, center y and stride of every cell."""
    found = []
    for stride in STRIDES:
        side = -(-SIZE // stride)
        found += [(x * stride, y * stride, stride) for y in range(side) for x in range(side)]
    return np.array(found, float)


def test_gfl_losses_against_numpy(clean_program: Any) -> None:
    from graphprobe.zoo._gfl_head import GFL

    class_feed, class_maps = _fake_maps(3, 0)
    box_feed, box_maps = _fake_maps(4 * 17, 1)
    logits = _rows(class_feed, 3)
    bins = _rows(box_feed, 68).reshape(2, -1, 4, 17)
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, logits.shape[:2]).astype("int32")
    cells = _cells()
    reach = rng.uniform(0.5, 10, (*labels.shape, 4)) * cells[:, 2:]
    boxes = np.concatenate([cells[:, :2] - reach[..., :2], cells[:, :2] + reach[..., 2:]], axis=2)
    terms = GFL.losses(class_maps, box_maps, GFL.targets(), 3)
    feed = {
        **class_feed,
        **box_feed,
        "point_class": labels,
        "point_box": boxes.astype("float32"),
    }
    found = clean_program(feed, list(terms.values()))

    expected = {"loss_qfl": 0.0, "loss_bbox": 0.0, "loss_dfl": 0.0}
    weights = 0.0
    for n, m in np.ndindex(*labels.shape):
        quality, label = np.zeros(3), labels[n, m]
        if label < 3:
            x, y, stride = cells[m]
            share = np.exp(bins[n, m]) / np.exp(bins[n, m]).sum(axis=1, keepdims=True)
            left, top, right, bottom = share @ np.arange(17)
            mine = (x / stride - left, y / stride - top, x / stride + right, y / stride + bottom)
            overlap, giou = _giou(mine, boxes[n, m] / stride)
            quality[label] = overlap
            weight = _sigmoid(logits[n, m]).max()
            weights += weight
            expected["loss_bbox"] += 2.0 * (1 - giou) * weight
            for edge, distance in enumerate(reach[n, m] / stride):
                low = int(distance)
                part = distance - low
                loss = -(1 - part) * np.log(share[edge, low]) - part * np.log(share[edge, low + 1])
                expected["loss_dfl"] += 0.25 / 4 * loss * weight
        distance = np.abs(quality - _sigmoid(logits[n, m])) ** 2
        expected["loss_qfl"] += (_cross_entropy(logits[n, m], quality) * distance).sum()
    expected["loss_qfl"] /= (labels < 3).sum()
    expected["loss_bbox"] /= weights
    expected["loss_dfl"] /= weights
    assert list(terms) == list(expected)
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-4)


def _giou(one: Any, other: Any) -> tuple[float, float]:
    def area(box: Any) -> float:
        return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)

    low, high = np.minimum(one, other), np.maximum(one, other)
    both = area((*high[:2], *low[2:]))
    either = area(one) + area(other) - both
    around = area((*low[:2], *high[2:]))
    return both / either, both / either - (around - either) / around


def test_gfl_boxes_are_where_the_bins_say(clean_program: Any) -> None:
    from graphprobe.zoo._gfl_head import GFL

    class_feed, class_maps = _fake_maps(3, 0)
    box_feed, box_maps = _fake_maps(4 * 17, 1)
    for array in box_feed.values():
        array[:] = -50
        for edge, place in enumerate((1, 2, 3, 4)):
            array[:, 17 * edge + place] = 50
    boxes, scores = clean_program(
        {**class_feed, **box_feed}, list(GFL.decode(class_maps, box_maps, 3))
    )
    x, y, stride = _cells().T
    expected = np.stack([x - stride, y - 2 * stride, x + 3 * stride, y + 4 * stride], axis=1)
    np.testing.assert_allclose(boxes, np.stack([expected] * 2), rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(scores, _sigmoid(_rows(class_feed, 3)), rtol=1e-5)


def test_retina_boxes_are_shifted_and_grown_anchors(clean_program: Any) -> None:
    from graphprobe.zoo._retina_head import RETINA, cell_anchors

    class_feed, class_maps = _fake_maps(9 * 3, 0)
    box_feed, box_maps = _fake_maps(9 * 4, 1)
    for array in box_feed.values():
        array[:] = np.tile([0.5, 0, np.log(2), 0], 9)[:, None, None]
    boxes, _ = clean_program(
        {**class_feed, **box_feed}, list(RETINA.decode(class_maps, box_maps, 3))
    )
    expected = []
    for x, y, stride in _cells():
        for left, top, right, bottom in cell_anchors(stride):
            width = right - left
            expected.append([x - width / 2, y + top, x + 1.5 * width, y + bottom])
    np.testing.assert_allclose(boxes[0], expected, rtol=1e-4, atol=1e-2)
    first = np.array(cell_anchors(8))
    np.testing.assert_allclose(first[1], [-16, -16, 16, 16])
    areas = (first[:, 2] - first[:, 0]) * (first[:, 3] - first[:, 1])
    np.testing.assert_allclose(areas[:3], 32**2)


def _feed(model: str, size: int) -> dict[str, Any]:
    each = 9 if model.startswith("retina") else 1
    count = sum((-(-size // stride)) ** 2 for stride in STRIDES) * each
    labels = np.full((2, count), 3, "int32")
    labels[:, 20:30] = 1
    boxes = np.zeros((2, count, 4), "float32")
    feed = {"image": np.random.default_rng(0).random((2, 3, size, size), dtype="float32")}
    if each == 9:
        return {**feed, "anchor_class": labels, "anchor_delta": boxes + 0.5}
    boxes[:, 20:30] = [20, 10, 60, 50]
    return {**feed, "point_class": labels, "point_box": boxes}


@pytest.mark.parametrize("model", ["retinanet_r50", "gfl_r18vd"])
def test_a_step_of_training_reaches_the_first_convolution(
    built: Models, run: Any, model: str
) -> None:
    found = built(f"zoo:{model}?{TINY}")
    first = found.main.all_parameters()[0].name
    assert first.startswith("backbone.conv1.")
    loss, gradient = run(found, _feed(model, SIZE), [found.loss, f"{first}@GRAD"], steps=1)
    assert np.isfinite(loss) and np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("model", ["retinanet_r50", "gfl_r18vd"])
def test_boxes_come_out_in_pixels_of_the_picture(built: Models, model: str) -> None:
    import paddle

    found = built(f"zoo:{model}?{TINY}&mode=infer")
    name = "head.retina_cls.bias" if model.startswith("retina") else "head.gfl_head_cls.bias"
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 64, 96), dtype="float32"),
        "im_size": np.array([[100, 200], [50, 60]], "int32"),
    }
    scope = paddle.static.Scope()
    with paddle.static.scope_guard(scope):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(found.startup)
        # Fresh heads score everything 0.01, which is below the threshold.
        bias = scope.var(name).get_tensor()
        bias.set(np.zeros_like(np.array(bias)), paddle.CPUPlace())
        outputs = [found.outputs["bbox"], found.outputs["bbox_num"]]
        boxes, counts = executor.run(found.main, feed=feed, fetch_list=outputs)
    assert counts.sum() == len(boxes) > 0
    first, second = boxes[: counts[0]], boxes[counts[0] :]
    for rows, (height, width) in ((first, (100, 200)), (second, (50, 60))):
        assert rows[:, 2:].min() >= 0
        assert rows[:, [2, 4]].max() <= width and rows[:, [3, 5]].max() <= height
    assert first[:, 4].max() > 60
