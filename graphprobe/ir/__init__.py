"""The program model: standard library only, no paddle object inside, no format knowledge."""

from graphprobe.ir.findings import Adapter, Pair, PruneDecision, Site
from graphprobe.ir.program import Attr, Block, Op, Origin, Program, Var
from graphprobe.ir.walk import Dataflow, Value, dataflow

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
    "Site",
    "Value",
    "Var",
    "dataflow",
]
