"""What one file holds on a preparation, gathered step by step, and how its values are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias

from graphprobe.data.preparation.resampling import INTERPOLATIONS, Interpolation
from graphprobe.data.preparation.steps import Size, Step

Options: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Draft:
    """What a file holds so far."""

    steps: list[Step] = field(default_factory=list)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    scale: float = 1.0
    bgr: bool = False
    gray: bool = False
    channels_last: bool = True

    def resize(self, kind: Any, size: Size, how: Interpolation = "bilinear", **more: Any) -> None:
        """Add a step."""
        self.steps.append(Step(kind, size, how, **more))

    def normalise(self, mean: Any, std: Any, scale: float) -> None:
        """What is done to levels of 0 to 255."""
        self.mean, self.std, self.scale = floats(mean), floats(std), scale


Read: TypeAlias = Callable[[Draft, Options], None]


def number(value: Any) -> float:
    """A number, also as ``1./255.`` in text."""
    found = re.fullmatch(r"\s*([\d.eE+-]+)\s*(?:/\s*([\d.eE+-]+))?\s*", str(value))
    if isinstance(value, bool) or found is None:
        raise ValueError(f"has {value!r} where a number belongs")
    number = float(found[1]) / float(found[2] or 1)
    if not isfinite(number):
        raise ValueError(f"has {value!r} where a number belongs")
    return number


def floats(values: Any) -> tuple[float, ...]:
    """One number, or several."""
    return tuple(map(number, values if isinstance(values, list | tuple) else [values]))


def for_channels(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """One number stands for all channels."""
    return values * channels if len(values) == 1 else values


def whole(value: Any) -> int:
    """A size in pixels."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1 << 16:
        raise ValueError(f"has {value!r} where a size in pixels belongs")
    return value


def height_width(value: Any) -> Size:
    """Of two numbers, or of one for both."""
    if isinstance(value, list | tuple):
        height, width = value
        return whole(height), whole(width)
    return whole(value), whole(value)


def width_height(value: Any) -> Size:
    """Height and width of what names the width first."""
    height, width = height_width(value)
    return width, height


def numbered_interpolation(options: Options) -> Interpolation:
    """That of OpenCV's number in the option ``interp``."""
    number = options.get("interp", 1)
    if isinstance(number, str):
        return named_interpolation(number)
    return INTERPOLATIONS[number] if number in range(5) else "bilinear"


def named_interpolation(name: Any, backend: str = "cv2") -> Interpolation:
    """``LINEAR``, ``bilinear``, ``CUBIC``, ``AREA`` and the like."""
    text = str(name or "bilinear").lower()
    found = next((i for i in INTERPOLATIONS if text.strip("_") in i), None)
    if found is None:
        raise ValueError(f"has the unknown interpolation {name!r}")
    smooth: dict[Interpolation, Interpolation] = {
        "bilinear": "smooth_bilinear",
        "bicubic": "smooth_bicubic",
    }
    return smooth.get(found, found) if backend == "pil" else found
