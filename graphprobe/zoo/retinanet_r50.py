"""RetinaNet with ResNet-50, as PaddleDetection 2.6 published it for COCO."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._dense import DEFAULTS, build, check
from graphprobe.zoo._retina_head import RETINA

MODEL = ZooModel(
    name="retinanet_r50",
    task="detection",
    defaults=DEFAULTS,
    build=partial(build, 50, False, RETINA),
    check=check,
)
