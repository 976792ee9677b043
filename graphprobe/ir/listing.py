"""The variables of a program, each with the op that writes it and the ops that read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from graphprobe.ir.dataflow import Dataflow
from graphprobe.ir.program import Op, Program, Var

# What Paddle 1.x adds for its data readers; nobody distils or prunes it.
_HELPERS = ("py_reader", "double_buffer", "generated_var")


class VarUse(NamedTuple):
    """A variable and who uses it.

    Args:
        var: the variable.
        block: the block that declares it.
        producer: the first op that writes it, or None.
        consumers: the ops that read it, by id.
    """

    var: Var
    block: int
    producer: Op | None
    consumers: tuple[Op, ...]

    def __repr__(self) -> str:
        return (
            f"<VarUse {self.var.name!r} in block {self.block}: read by {len(self.consumers)} ops>"
        )


class Wanted(NamedTuple):
    """Which variables to list; every condition must hold.

    Args:
        match: searched in the name.
        params: only persistable tensors that a forward op reads.
        op_type: only what ops of this type read or write.
        helpers: also the variables of data readers.
    """

    match: re.Pattern[str] | None = None
    params: bool = False
    op_type: str | None = None
    helpers: bool = False


@dataclass(slots=True)
class _Use:
    producer: int | None = None
    consumers: set[int] = field(default_factory=set)
    first: int = 0


def list_vars(program: Program, wanted: Wanted | None = None) -> tuple[VarUse, ...]:
    """The declared variables in the order of their first use; unused ones last, by name.

    Linear in the size of the program, but for the sort.
    """
    wanted = wanted or Wanted()
    flow = program.dataflow
    uses = _uses(flow)
    parameters = {var.name for var in program.parameters} if wanted.params else set()
    last = len(flow.values)
    found = [
        (uses[key].first if key in uses else last, var.name, block, var)
        for block, var in _declared(program)
        if _is_wanted(var, wanted, parameters)
        for key in [(block, var.name)]
    ]
    found.sort(key=lambda row: (row[2], row[0], row[1]))
    listed = (
        _var_use(program, var, block, uses.get((block, name))) for _, name, block, var in found
    )
    return tuple(v for v in listed if wanted.op_type is None or _touches(v, wanted.op_type))


def undeclared(program: Program) -> tuple[str, ...]:
    """Names that ops use but no block declares, by first use."""
    names = {
        name: None
        for op in program.ops
        for group in (op.input_names(), op.output_names())
        for name in group
        if name and name != "@EMPTY@" and program.var(name, op.block) is None
    }
    return tuple(names)


def _declared(program: Program) -> Iterator[tuple[int, Var]]:
    for block in program.blocks:
        for var in block.vars.values():
            yield block.index, var


def _is_wanted(var: Var, wanted: Wanted, parameters: set[str]) -> bool:
    if not wanted.helpers and any(word in var.name for word in _HELPERS):
        return False
    if wanted.params and var.name not in parameters:
        return False
    return wanted.match is None or wanted.match.search(var.name) is not None


def _uses(flow: Dataflow) -> dict[tuple[int, str], _Use]:
    """Put the values of each variable together."""
    found: dict[tuple[int, str], _Use] = {}
    for value in flow.values:
        use = found.setdefault((value.block, value.name), _Use(first=value.id))
        if use.producer is None:
            use.producer = value.producer
        use.consumers.update(value.consumers)
    return found


def _var_use(program: Program, var: Var, block: int, use: _Use | None) -> VarUse:
    if use is None:
        return VarUse(var, block, None, ())
    ops = program.ops
    producer = None if use.producer is None else ops[use.producer]
    return VarUse(var, block, producer, tuple(ops[i] for i in sorted(use.consumers)))


def _touches(use: VarUse, op_type: str) -> bool:
    ends = (use.producer, *use.consumers)
    return any(op is not None and op.type == op_type for op in ends)
