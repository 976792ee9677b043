"""What a function of your own returns, so that its network can be trained and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TASKS = ("detection", "segmentation")


@dataclass(frozen=True)
class Model:
    """A network in one mode, built with paddle.static into the programs that are current.

    The function takes ``mode``: ``train``, ``eval`` or ``infer``. It is called with empty default
    programs and fresh names, so that parameters have the same names in every mode.

    Args:
        task: ``detection`` or ``segmentation``.
        num_classes: number of classes (segmentation: the background is one of them).
        inputs: variables that are fed, made by ``paddle.static.data``; their names state what
            they want (see docs/data.md): ``image``, ``gt_bbox``, ``label``, ``im_size``, ...
        loss: in mode train, the scalar to minimize.
        outputs: in modes eval and infer. Detection: ``bbox`` [K, 6] (class, score, left, top,
            right, bottom in pixels of the image) and ``bbox_num`` [N], the rows of each
            image. Segmentation: one, the classes [N, H, W] or their scores [N, C, H, W].
        image_mean: what is taken from each channel, over 0..1.
        image_std: what each channel is divided by then.
        image_channels: ``rgb`` or ``bgr``.
        settings: what targets need beside (see graphprobe/data/target_kinds), as ``anchors``.
        program: where it was built, if not into the default program.
        startup: the same for the default startup program.
    """

    task: str
    num_classes: int
    inputs: Sequence[Any]
    loss: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    image_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    image_std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    image_channels: str = "rgb"
    settings: Mapping[str, Any] = field(default_factory=dict)
    program: Any = None
    startup: Any = None
