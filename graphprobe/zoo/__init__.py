"""The bundled models, one file a model, built from private building blocks.

Importing this package does not import paddle; building a model does.
"""

from graphprobe.zoo._base import EXPORTED, Built, Feed, Graph, ZooModel
from graphprobe.zoo._build import build_zoo, with_classes
from graphprobe.zoo._cache import zoo_bytes
from graphprobe.zoo._options import ZooSpec, parse_zoo, zoo_names

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
