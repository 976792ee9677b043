"""RetinaNet with ResNet-101, as PaddleDetection 2.6 published it for COCO."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._dense import DEFAULTS, build, check
from graphprobe.zoo._retina_head import RETINA

MODEL = ZooModel(
    name="retinanet_r101",
    task="detection",
    defaults=DEFAULTS,
    build=partial(build, 101, False, RETINA),
    check=check,
)
