"""The digit scenes with a class a pixel: 0 is the background, then the digits."""

from __future__ import annotations

from typing import Any

from graphprobe.data.formats._digits import OPTIONS, Digits, Scene, Settings
from graphprobe.data.sample import DatasetFormat, Sample, segmentation_sample


def _finish(scene: Scene, name: str) -> Sample:
    return segmentation_sample(name, scene.image, scene.mask)


def open_digits_seg(**options: Any) -> Digits:
    """The same scenes as ``digits``, with masks; `classes` counts the digits alone."""
    settings = Settings(**options)
    names = ("background", *map(str, range(settings.classes)))
    return Digits(settings, "segmentation", names, _finish)


DATASET = DatasetFormat("digits_seg", takes_path=False, open=open_digits_seg, options=OPTIONS)
