"""The sizes of every value of a program for one size of the input; linear in the program.

Each operator's rule stands in its family (facet ``shapes``). What a rule leaves open is taken from
the sizes that the program declares, and stays -1 where these are open too: a size that is not
known is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from graphprobe.ir import Dataflow, Op, Program, Value
from graphprobe.ir.dataflow import topological
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.shapes.spec import (
    UNKNOWN,
    Declared,
    Made,
    ShapeContext,
    Sizes,
    Tensor,
    known_product,
)
from graphprobe.ops.spatial.info import image_axes
from graphprobe.ops.table import op_spec

Tensors: TypeAlias = list[Tensor]


def infer_shapes(program: Program, image: tuple[int, int] | None = None, batch: int = 1) -> Tensors:
    """What is known of every value of a program's forward part, by its id in the dataflow.

    Args:
        program: of any kind.
        image: H and W of its images where it leaves them open; None leaves them open too.
        batch: the size of axis 0 of its inputs where it leaves that open.
    """
    flow = program.dataflow
    found: Tensors = [UNKNOWN] * len(flow.values)
    for value in flow.values:
        if value.producer is None:
            fed = value.name in program.feeds
            found[value.id] = Tensor(
                _fed(flow, value, image, batch) if fed else _shape(flow, value)
            )
    order: Iterable[int] = range(len(program.ops))
    for i in topological(flow) if len(program.blocks) > 1 else order:
        if program.ops[i].role == "forward":
            _follow(flow, program.ops[i], found, image, batch)
    return found


def _shape(flow: Dataflow, value: Value) -> Sizes | None:
    return flow.program.shape(value.name, value.block)


def _fed(flow: Dataflow, value: Value, image: tuple[int, int] | None, batch: int) -> Sizes | None:
    """The shape of an input: open sizes of axis 0, H and W are as asked."""
    shape = _shape(flow, value)
    if not shape:
        return shape
    sizes = list(shape)
    axes = image_axes(shape, flow.consumers(value))
    for axis, size in zip(axes, image or (), strict=False):
        sizes[axis] = sizes[axis] if sizes[axis] > 0 else size
    sizes[0] = sizes[0] if sizes[0] > 0 else batch
    return tuple(size if size >= 0 else -1 for size in sizes)


def _follow(
    flow: Dataflow, op: Op, found: Tensors, image: tuple[int, int] | None, batch: int
) -> None:
    """Apply the rule of one op."""
    if kind_of(op.type) == "input":
        for value in flow.writes(op):
            found[value.id] = Tensor(_fed(flow, value, image, batch))
        return
    made = _made(flow, op, found)
    for slot, ids in flow.outputs[op.id].items():
        for at, i in enumerate(ids):
            found[i] = _settled(made.get((slot, at), UNKNOWN), _shape(flow, flow.values[i]))


def _made(flow: Dataflow, op: Op, found: Tensors) -> dict[tuple[str, int], Tensor]:
    spec = op_spec(op.type)
    if spec is None or isinstance(spec.shapes, Declared):
        return {}
    inputs = {slot: tuple(found[i] for i in ids) for slot, ids in flow.inputs[op.id].items() if ids}
    results: Iterable[Made] = spec.shapes(ShapeContext(op, inputs))
    return {(slot, at): tensor for slot, tensor, at in results}


def _settled(made: Tensor, declared: Sizes | None) -> Tensor:
    """What a rule returns, completed by what the program declares."""
    if declared is not None:
        declared = tuple(n if n >= 0 else -1 for n in declared)
    if made.shape is None:
        return Tensor(declared)
    if made.shape == () and declared == (1,):
        return Tensor(declared, made.data)  # Paddle 2 has no tensors of rank 0
    if declared is None or len(declared) != len(made.shape) or -1 not in made.shape:
        return made
    shape = tuple(m if m >= 0 else d for m, d in zip(made.shape, declared, strict=True))
    return Tensor(shape, made.data if known_product(shape) == len(made.data or ()) else None)
