"""YOLOv3 with MobileNetV1, as PaddleDetection 0.2 to 0.5 published it."""

from __future__ import annotations

from functools import partial

from graphprobe.zoo._base import ZooModel
from graphprobe.zoo._mobilenet_v1 import mobilenet_v1
from graphprobe.zoo._yolov3 import DEFAULTS, build, check

MODEL = ZooModel(
    name="yolov3_mobilenet_v1",
    task="detection",
    defaults=DEFAULTS,
    build=partial(build, mobilenet_v1),
    check=check,
)
