"""DeepLabv3+ with Xception-65, as PaddleSeg 0.4 and 0.5 published it for Cityscapes."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._deeplab import aspp, decoder, logits
from graphprobe.zoo._emit import Var
from graphprobe.zoo._segmentation import DEFAULTS, build, check
from graphprobe.zoo._xception import xception65


def network(image: Var, num_classes: int, scale: float, train: bool) -> Var:
    """[N, 3, H, W] -> logits [N, C, H, W]."""
    x, shortcut = xception65(image, scale, train)
    x = decoder(aspp(x, scale, train), shortcut, scale, train)
    return logits(x, num_classes, image)


MODEL = ZooModel(
    name="deeplabv3p_xception65",
    task="segmentation",
    defaults=DEFAULTS,
    build=partial(build, network),
    check=check,
)
