"""YOLOv3 with ResNet-34, as PaddleDetection 0.2 to 0.5 published it."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._resnet import resnet34
from graphprobe.zoo._yolov3 import DEFAULTS, build, check

MODEL = ZooModel(
    name="yolov3_r34",
    task="detection",
    defaults=DEFAULTS,
    build=partial(build, resnet34),
    check=check,
)
