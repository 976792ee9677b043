"""The bundled models, one file a model, built from private building blocks.

Importing this package does not import paddle; building a model does. What builds is imported when
it is first named, for a name of the zoo that is in the cache needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphprobe.zoo._base import EXPORTED, Built, Feed, Graph, ZooModel
from graphprobe.zoo._cache import zoo_bytes
from graphprobe.zoo._options import ZooSpec, parse_zoo, zoo_names

if TYPE_CHECKING:
    from graphprobe.zoo._build import build_zoo, with_classes

__all__ = [
    "EXPORTED",
    "Built",
    "Feed",
    "Graph",
    "ZooModel",
    "ZooSpec",
    "build_zoo",
    "parse_zoo",
    "with_classes",
    "zoo_bytes",
    "zoo_names",
]


def __getattr__(name: str) -> Any:
    if name not in ("build_zoo", "with_classes"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphprobe.zoo import _build

    return getattr(_build, name)
