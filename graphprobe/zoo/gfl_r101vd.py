"""GFL with ResNet-101-vd, as PaddleDetection 2.6 published it for COCO."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._dense import DEFAULTS, build, check
from graphprobe.zoo._gfl_head import GFL

MODEL = ZooModel(
    name="gfl_r101vd",
    task="detection",
    defaults=DEFAULTS,
    build=partial(build, 101, True, GFL),
    check=check,
)
