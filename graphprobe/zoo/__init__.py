"""The bundled models, one file a model, built from private building blocks.

Importing this package does not import paddle; building a model does. What builds is imported when
it is first named, for a name of the zoo that is in the cache needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from graphprobe.zoo._base import EXPORTED, Built, Graph, InputSpec, ZooModel
from graphprobe.zoo._cache import zoo_bytes
from graphprobe.zoo._options import ZooSpec, parse_zoo, zoo_names

if TYPE_CHECKING:
    from graphprobe.zoo._build import build_zoo, with_classes
    from graphprobe.zoo._segmentation import pixel_loss
    from graphprobe.zoo._yolo_head import YoloHead
    from graphprobe.zoo._yolo_loss import whole_loss

__all__ = [
    "EXPORTED",
    "Built",
    "InputSpec",
    "Graph",
    "YoloHead",
    "ZooModel",
    "ZooSpec",
    "build_zoo",
    "parse_zoo",
    "pixel_loss",
    "whole_loss",
    "with_classes",
    "zoo_bytes",
    "zoo_names",
]


def __getattr__(name: str) -> Any:
    if name not in _BUILDING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"graphprobe.zoo.{_BUILDING[name]}"), name)


# What imports Paddle, and the module that has it.
_BUILDING = {
    "build_zoo": "_build",
    "with_classes": "_build",
    "pixel_loss": "_segmentation",
    "YoloHead": "_yolo_head",
    "whole_loss": "_yolo_loss",
}
