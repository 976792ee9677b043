"""The program model: standard library only, no paddle object inside, no format knowledge."""

from typing import TYPE_CHECKING

from graphprobe.ir.dataflow import Dataflow, Value, build_dataflow
from graphprobe.ir.program import Attr, Block, Op, Origin, Program, Shape, Var

if TYPE_CHECKING:
    from graphprobe.ir.findings import Adapter, Pair, PruneDecision, Site

__all__ = [
    "Adapter",
    "Attr",
    "Block",
    "Dataflow",
    "Op",
    "Origin",
    "Pair",
    "Program",
    "PruneDecision",
    "Shape",
    "Site",
    "Value",
    "Var",
    "build_dataflow",
]


def __getattr__(name: str) -> object:
    """What analysis finds is imported when asked for: reading a program does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphprobe.ir import findings

    found: object = getattr(findings, name)
    return found
