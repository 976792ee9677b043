"""What is around a segmentation network: inputs, loss, and the classes of pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import paddle

from graphprobe.errors import LoadError
from graphprobe.losses import batch_count
from graphprobe.zoo._base import Graph
from graphprobe.zoo._emit import Var, emit
from graphprobe.zoo._layers import transpose

IGNORE_INDEX = 255
CROP = 769
# As in the published Cityscapes configs.
DEFAULTS: dict[str, bool | int | float] = {"num_classes": 19, "scale": 1.0}
Network = Callable[[Var, int, float, bool], Var]


def check(options: Mapping[str, Any]) -> None:
    """Refuse what a softmax over classes cannot do."""
    classes = options["num_classes"]
    if not 2 <= classes <= IGNORE_INDEX:
        hint = f"take 2 to {IGNORE_INDEX}; {IGNORE_INDEX} in a label marks pixels that do not count"
        raise LoadError(f"num_classes={classes} is not possible", hint=hint)


def build(network: Network, options: Mapping[str, Any]) -> Graph:
    """Build a segmentation model into the default programs.

    Args:
        network: (image, num_classes, scale, train) -> logits [N, C, H, W].
        options: see DEFAULTS; without a size training takes the published crops and the other
            modes take any height and width.
    """
    mode, classes = options["mode"], options["num_classes"]
    size = options["size"] or (CROP if mode == "train" else -1)
    image = paddle.static.data("image", [-1, 3, size, size], "float32")
    x = network(image, classes, options["scale"], mode == "train")
    meta = _meta(x, size)
    if mode == "infer":
        return Graph((image,), {"prob": _probabilities(x)}, meta=meta)
    if mode == "eval":
        return Graph((image,), {"pred": _classes(x)}, meta=meta)
    label = paddle.static.data("label", [-1, 1, size, size], "int32")
    mask = paddle.static.data("mask", [-1, 1, size, size], "int32")
    loss = pixel_loss(x, label, mask, classes)
    return Graph((image, label, mask), {"loss": loss}, loss, meta)


def pixel_loss(x: Var, label: Var, mask: Var, classes: int) -> Var:
    """Cross entropy, averaged over the pixels that count.

    Args:
        x: logits [N, C, H, W].
        label: [N, 1, H, W] class of each pixel.
        mask: [N, 1, H, W] 1 where a pixel counts, else 0.
        classes: C.
    """
    counts = paddle.cast(mask, "float32")
    highest = paddle.assign(np.array([classes - 1], dtype="int32"))
    label = emit("elementwise_min", {"X": label, "Y": highest}, {"axis": -1})
    rows = paddle.reshape(transpose(x, [0, 2, 3, 1]), [-1, classes])
    wanted = paddle.cast(paddle.reshape(label, [-1, 1]), "int64")
    counts = paddle.reshape(counts, [-1, 1])
    wanted.stop_gradient = counts.stop_gradient = True
    loss = emit(
        "softmax_with_cross_entropy",
        {"Logits": rows, "Label": wanted},
        {"soft_label": False, "ignore_index": IGNORE_INDEX, "axis": -1}
        | {"numeric_stable_mode": True, "use_softmax": True},
        slot="Loss",
        extra=[("Softmax", rows.dtype)],
    )
    # The floor keeps a batch in which no pixel counts from giving 0 / 0.
    share = batch_count(emit("mean", {"X": counts}), 1e-5)
    return emit("mean", {"X": loss * counts}) / share


def _classes(x: Var) -> Var:
    """[N, H, W]: the likeliest class of each pixel."""
    return paddle.argmax(transpose(x, [0, 2, 3, 1]), axis=3)


def _probabilities(x: Var) -> Var:
    """[N, C, H, W]: softmax over the classes."""
    rows = paddle.nn.functional.softmax(transpose(x, [0, 2, 3, 1]))
    return transpose(rows, [0, 3, 1, 2])


def _meta(x: Var, size: int) -> dict[str, Any]:
    return {
        "ignore_index": IGNORE_INDEX,
        "size": None if size < 0 else size,
        "heads": [x.name],
        # Pixels are divided by 255, then normalized; PaddleSeg read them blue, green, red.
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "image_scale": 1 / 255,
        "image_channels": "bgr",
    }
