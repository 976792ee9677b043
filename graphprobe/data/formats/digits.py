"""Detection scenes made on the fly from real handwritten digits."""

from __future__ import annotations

from typing import Any

from graphprobe.data.formats._digits import OPTIONS, Digits, Scene, Settings
from graphprobe.data.sample import DatasetFormat, Sample, detection_sample


def _finish(scene: Scene, name: str) -> Sample:
    return detection_sample(name, scene.image, scene.boxes, scene.classes)


def open_digits(**options: Any) -> Digits:
    """Scenes of `size` x `size` pixels with 1 to `max_digits` digits of the first `classes`.

    The digits of ``split=train`` and ``split=val`` are different ones.
    """
    settings = Settings(**options)
    return Digits(settings, "detection", tuple(map(str, range(settings.classes))), _finish)


DATASET = DatasetFormat("digits", takes_path=False, open=open_digits, options=OPTIONS)
