"""A network that a function of the user's own builds, held against what training asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from graphprobe.errors import LoadError, listed
from graphprobe.model import TASKS, Model
from graphprobe.zoo import Built

_SEGMENTATION = {"image", "label", "mask"}
_HOWTO = "see docs/howto-own-model.md"


def build_own(text: str, mode: str, model: Any) -> Built:
    """The network that a user's function returned for a mode.

    Args:
        text: the function, as ``package.module:function``.
        mode: ``train``, ``eval`` or ``infer``.
        model: what it returned.

    Raises:
        LoadError: what it returned cannot be used in that mode (all reasons).
    """
    if not isinstance(model, Model):
        raise LoadError(
            f"returns a {type(model).__name__}, which can be read but not trained",
            where=text,
            hint=f"return a graphprobe.Model; {_HOWTO}",
        )
    problems = list(_problems(model, mode))
    if problems:
        raise LoadError(f"mode {mode}: {'; '.join(problems)}", where=text, hint=_HOWTO)
    return Built(
        main=model.program,
        startup=model.startup,
        feeds=tuple(_feed(var) for var in model.inputs),
        loss=model.loss.name if mode == "train" else None,
        outputs={role: var.name for role, var in model.outputs.items()},
        task=model.task,
        meta=_meta(model, mode),
    )


def _problems(model: Model, mode: str) -> Iterator[str]:
    if model.task not in TASKS:
        yield f"the task is {model.task!r}, not {' or '.join(TASKS)}"
    if not isinstance(model.num_classes, int) or model.num_classes < 1:
        yield f"num_classes is {model.num_classes!r}"
    if model.image_channels not in ("rgb", "bgr"):
        yield f"image_channels is {model.image_channels!r}, not rgb or bgr"
    named = {"loss": model.loss} if mode == "train" else dict(model.outputs)
    variables = [*((f"input {i}", var) for i, var in enumerate(model.inputs)), *named.items()]
    for name, var in variables:
        if not _is_variable(model, var):
            yield f"{name} is no variable of its program"
    names = {getattr(var, "name", "") for var in model.inputs}
    if "image" not in names:
        yield "no input is called image"
    yield from _wrong_loss(model, names) if mode == "train" else _wrong_outputs(model)


def _is_variable(model: Model, var: Any) -> bool:
    name = getattr(var, "name", None)
    return isinstance(name, str) and bool(model.program.global_block().has_var(name))


def _wrong_loss(model: Model, names: set[str]) -> Iterator[str]:
    shape = tuple(getattr(model.loss, "shape", ()))
    if any(size != 1 for size in shape):
        yield f"the loss has the shape {shape}; take its mean"
    if model.task == "segmentation" and names != _SEGMENTATION:
        yield f"the inputs are {listed(sorted(names))}, not image, label and mask"


def _wrong_outputs(model: Model) -> Iterator[str]:
    roles = list(model.outputs)
    if model.task == "detection" and roles != ["bbox", "bbox_num"]:
        yield f"the outputs are {listed(roles) or 'none'}, not bbox and bbox_num"
    if model.task == "segmentation" and len(roles) != 1:
        yield f"it has {len(roles)} outputs, not one"


def _feed(var: Any) -> tuple[str, tuple[int, ...], str]:
    dtype = str(var.dtype).rsplit(".", 1)[-1].lower()
    return var.name, tuple(var.shape), {"fp32": "float32", "fp64": "float64"}.get(dtype, dtype)


def _meta(model: Model, mode: str) -> dict[str, Any]:
    shapes = {var.name: tuple(var.shape) for var in model.inputs}
    height, width = shapes["image"][-2:]
    boxes = shapes.get("gt_bbox", ())
    return {
        "num_classes": model.num_classes,
        "size": height if height == width and height > 0 else None,
        "mode": mode,
        "image_mean": [float(value) for value in np.broadcast_to(model.image_mean, 3)],
        "image_std": [float(value) for value in np.broadcast_to(model.image_std, 3)],
        "image_channels": model.image_channels,
        **({"max_boxes": boxes[1]} if len(boxes) == 3 else {}),
        **model.settings,
    }
