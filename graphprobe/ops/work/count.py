"""How often each weight is used: the multiply-adds of a program as weights times positions.

A convolution multiplies each weight of its filter once for each position of its output map (of
its input map, where it is transposed), a fully connected layer once for each row. So pruning a
filter's axes scales its work, and the positions stay. The positions come from the sizes of all
values (`graphprobe.ops.shapes.infer`). Products of two features have no weights and are counted
apart; what could not be counted is named and never counted as nothing.
PaddleSlim's ``flops`` counts convolutions and fully connected layers in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from graphprobe.ir import Dataflow, Op, Program, Value, Var
from graphprobe.ops.kinds import has_weights, is_one_to_one
from graphprobe.ops.shapes.infer import infer_shapes
from graphprobe.ops.table import op_spec
from graphprobe.ops.work.rules import (
    Counted,
    Gap,
    NoWork,
    Product,
    Uncounted,
    Work,
    WorkContext,
)

__all__ = [
    "BYTES",
    "DEFAULT_IMAGE",
    "MEGABYTE",
    "Gap",
    "NetworkSize",
    "Product",
    "Work",
    "WorkCount",
    "count_work",
    "gaps_text",
    "multiply_adds",
    "network_size",
    "numbers",
    "parameters_of_ops",
    "weight_uses",
    "work_text",
]

# Where H and W of a feed are not declared: the size the seeds' figures are for.
DEFAULT_IMAGE = 608
# As the published tables have it.
MEGABYTE = 2**20
# Paddle counts the numbers of a tensor in 64 bits; no network holds or multiplies more.
_MOST = 2**63 - 1
# A number in a file of weights; 4 where the type is not listed.
BYTES = {"float64": 8, "int64": 8, "float16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1}


class WorkCount(NamedTuple):
    """What a program computes, for one image.

    Args:
        uses: every use of a filter or of another weight.
        products: products of two features, as attention has them.
        gaps: ops whose multiply-adds are not known.
    """

    uses: tuple[Work, ...]
    products: tuple[Product, ...]
    gaps: tuple[Gap, ...]

    def __repr__(self) -> str:
        layers, products, gaps = map(len, self)
        return f"<WorkCount: {layers} layers, {products} products, {gaps} unknown>"


def count_work(program: Program, image: tuple[int, int] | None = None) -> WorkCount:
    """Count the multiply-adds of the forward ops from the sizes of all values.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open.
    """
    image = image or (DEFAULT_IMAGE, DEFAULT_IMAGE)
    if ("work", image) not in program.memo:
        program.memo["work", image] = _count_work(program, image)
    found: WorkCount = program.memo["work", image]
    return found


def _count_work(program: Program, image: tuple[int, int]) -> WorkCount:
    flow = program.dataflow
    tensors = infer_shapes(program, image)
    batch = _batch(program)
    found: list[Counted] = []
    for op in program.ops:
        if op.role == "forward":
            counted = _counted(WorkContext(op, flow, tensors, lambda v: _weight(flow, v)))
            found += map(_plausible, counted)
    return WorkCount(
        tuple(
            work._replace(positions=_for_one(work.positions, batch))
            for work in found
            if isinstance(work, Work)
        ),
        tuple(
            made._replace(macs=_for_one(made.macs, batch))
            for made in found
            if isinstance(made, Product)
        ),
        tuple(gap for gap in found if isinstance(gap, Gap)),
    )


def _plausible(found: Counted) -> Counted:
    """A count, or a gap in the place of one that no machine could do."""
    count = numbers((*found.shape, found.positions)) if isinstance(found, Work) else 0
    count = numbers((found.macs,)) if isinstance(found, Product) else count
    return Gap(found.op, "its sizes are more than 64 bits count") if count is None else found


def numbers(shape: Iterable[int]) -> int | None:
    """How many numbers a tensor of this shape holds; None where 64 bits do not count them."""
    count = prod(shape)
    return count if -_MOST <= count <= _MOST else None


def weight_uses(program: Program, image: tuple[int, int] | None = None) -> list[Work]:
    """Every use of a filter or of another weight in the forward ops, as `count_work` has it."""
    return list(count_work(program, image).uses)


def _counted(context: WorkContext) -> Iterator[Counted]:
    op = context.op
    spec = op_spec(op.type)
    if spec is None:
        yield Gap(op.id, "the operator is not known")
    elif isinstance(spec.work, Uncounted):
        if spec.kind != "control" or _computes_inside(context.flow.program, op):
            yield Gap(op.id, spec.work.reason)
    elif not isinstance(spec.work, NoWork):
        yield from spec.work(context)


def _computes_inside(program: Program, op: Op) -> bool:
    """Whether an op runs a block that holds layers, an unknown number of times."""
    block = op.attrs.get("sub_block")
    if not isinstance(block, int) or not 0 < block < len(program.blocks):
        return False
    return any(has_weights(inner.type) for inner in program.blocks[block].ops)


# So many casts, reshapes and the like may stand between a parameter and its use.
_STEPS = 8


def _weight(flow: Dataflow, value: Value, steps: int = _STEPS) -> Var | None:
    """The parameter that a value is, or is a copy of under another shape or type.

    A filter that is computed number by number (``w * g``, ``tanh(w)``) is as large as the widest of
    the parameters that it is computed from, also when that is pruned.
    """
    op = flow.producer(value)
    if op is None:
        var = flow.program.var(value.name, value.block)
        return var if var is not None and var.persistable else None
    spec = op_spec(op.type)
    if spec is None or steps == 0:
        return None
    if spec.channels.keeps_param or spec.channels.moves_param or is_one_to_one(op.type):
        before = flow.read(op, "X") or flow.read(op, "Input")
        return None if before is None else _weight(flow, before, steps - 1)
    if spec.kind != "elementwise":
        return None
    sources = [flow.read(op, slot) for slot in ("X", "Y")]
    found = [None if v is None else _weight(flow, v, steps // 2) for v in sources]
    if found[0] is None or found[1] is None:
        return None
    return max((var for var in found if var is not None), key=lambda var: prod(var.shape or ()))


def _batch(program: Program) -> int:
    """How many images the program works on at once: axis 0 of its inputs, 1 where it is open.

    An input of one axis is a list, and no batch.
    """
    shapes = (program.shape(name) or () for name in program.feeds)
    sizes = [shape[0] for shape in shapes if len(shape) > 1]
    return max([size for size in sizes if size > 0], default=1)


def _for_one(count: int, batch: int) -> int:
    return count if batch == 1 else round(count / batch)


def multiply_adds(uses: Iterable[Work], shapes: Mapping[str, tuple[int, ...]] | None = None) -> int:
    """The sum of multiply-adds; `shapes` gives the weights' shapes after pruning."""
    after = shapes or {}
    return sum(prod(after.get(use.param, use.shape)) * use.positions for use in uses)


def size_text(megabytes: float) -> str:
    """The size of a file for people: ``4.47 MB``, ``38.2 kB``."""
    return f"{megabytes:.2f} MB" if megabytes >= 0.1 else f"{megabytes * 1024:.3g} kB"


def work_text(count: int) -> str:
    """Multiply-adds as tables show them: ``10.8 G``, ``2.76 M``."""
    return f"{count / 1e9:.3g} G" if count >= 1e9 else f"{count / 1e6:.3g} M"


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """How large a network is.

    Args:
        flops: multiply-adds (as PaddleSlim's ``flops``) of convolutions and other layers with
            weights, for one image: of those that could be counted (`uncounted` has the rest).
        params: numbers in its trained parameters: moving statistics are not counted.
        megabytes: of parameters and statistics as they are stored (2**20 bytes).
        products: multiply-adds of products of two features, as attention has them.
        uncounted: what `flops` and `products` lack, as ``lstm (2): the steps ... are not known``.
    """

    flops: int
    params: int
    megabytes: float
    products: int = 0
    uncounted: tuple[str, ...] = ()

    @property
    def macs(self) -> int:
        """The same as `flops`, by the name of what is counted: multiply-adds."""
        return self.flops


def network_size(
    program: Program,
    image: tuple[int, int] | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> NetworkSize:
    """Measure a program.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open (608 by default).
        shapes: parameters' shapes after pruning.
    """
    after = shapes or {}
    found = {var: numbers(after.get(var.name, var.shape or ())) for var in program.parameters}
    counts = {var: count for var, count in found.items() if count is not None}
    moving = _statistics(program)
    work = count_work(program, image)
    return NetworkSize(
        multiply_adds(work.uses, after),
        sum(count for var, count in counts.items() if var.name not in moving),
        sum(count * BYTES.get(var.dtype, 4) for var, count in counts.items()) / MEGABYTE,
        sum(product.macs for product in work.products),
        (*gaps_text(program, work.gaps), *_too_large(len(found) - len(counts))),
    )


def parameters_of_ops(program: Program) -> dict[int, int]:
    """Op id -> numbers in the trained parameters that it is the first to read.

    Their sum is ``params`` of `network_size` where the forward part reads every parameter.
    """
    moving = _statistics(program)
    left = {
        var.name: numbers(var.shape or ()) or 0
        for var in program.parameters
        if var.name not in moving
    }
    found: Counter[int] = Counter()
    for op in program.ops:
        if op.role == "forward":
            for name in op.input_names():
                found[op.id] += max(0, left.pop(name, 0))
    return found


def _too_large(count: int) -> Iterator[str]:
    if count:
        yield f"parameters ({count}): they hold more numbers than 64 bits count"


def gaps_text(program: Program, gaps: Iterable[Gap]) -> tuple[str, ...]:
    """What could not be counted, one line for each type and reason."""
    counts = Counter((program.ops[gap.op].type, gap.reason) for gap in gaps)
    return tuple(f"{type_} ({n}): {reason}" for (type_, reason), n in sorted(counts.items()))


def _statistics(program: Program) -> set[str]:
    """What a norm keeps of the batches that it has seen."""
    slots = ("Mean", "Variance")
    return {name for op in program.ops for slot in slots for name in op.inputs.get(slot, ())}
