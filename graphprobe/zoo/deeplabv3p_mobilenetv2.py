"""DeepLabv3+ with MobileNetV2, as PaddleSeg 0.4 and 0.5 distilled it.

The published student has neither the pyramid nor the decoder: the backbone's map is classified
and enlarged.
"""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._deeplab import logits
from graphprobe.zoo._emit import Var
from graphprobe.zoo._mobilenet_v2 import mobilenet_v2
from graphprobe.zoo._segmentation import DEFAULTS, build, check


def network(image: Var, num_classes: int, scale: float, train: bool) -> Var:
    """[N, 3, H, W] -> logits [N, C, H, W]."""
    return logits(mobilenet_v2(image, scale, train), num_classes, image)


MODEL = ZooModel(
    name="deeplabv3p_mobilenetv2",
    task="segmentation",
    defaults=DEFAULTS,
    build=partial(build, network),
    check=check,
)
