"""How many images a program takes at once, where it ties some of them together.

Networks for videos have the frames of a clip beside each other in the batch: a reshape takes them
apart by a fixed number, and only batches of a multiple of it can be run.
"""

from __future__ import annotations

from math import gcd, prod

from graphprobe.ir import Op, Program
from graphprobe.ops.kinds import move_of
from graphprobe.ops.shapes.infer import Tensors, infer_shapes

# Where a reshape is given the shape that it makes by tensors, which are followed elsewhere.
_GIVEN = ("Shape", "ShapeTensor")
# So many numbers of frames may multiply each other; more images than these are no clip.
_ROUNDS, _MOST = 3, 256


def images_at_once(program: Program) -> int:
    """The number of which a batch must be a multiple; 1 where any batch is taken.

    Sizes of images that the program leaves open do not show it: it is 1 then, too.
    """
    shapes = [program.shape(name) or () for name in program.feeds]
    if any(size < 0 for shape in shapes for size in shape[1:]) or all(
        s[:1] != (-1,) for s in shapes
    ):
        return 1
    count = 1
    for _ in range(_ROUNDS):
        tensors = infer_shapes(program, batch=count)
        times = next((n for op in program.ops if (n := _missing(program, op, tensors)) > 1), 1)
        if times == 1 or count * times > _MOST:
            return count
        count *= times
    return count


def _missing(program: Program, op: Op, tensors: Tensors) -> int:
    """How many times more images a reshape needs; 1 where it has enough."""
    value = program.dataflow.read(op, "X")
    given = op.get_ints("shape")
    if value is None or move_of(op.type) != "reshape" or given[:1] != (-1,) or given.count(-1) > 1:
        return 1
    if op.role != "forward" or any(op.input(slot) for slot in _GIVEN):
        return 1
    read = tensors[value.id].shape or ()
    sizes = [read[i] if n == 0 and i < len(read) else n for i, n in enumerate(given) if i]
    there, each = tensors[value.id].numel, prod(sizes)
    if there < 1 or each < 1:
        return 1
    return each // gcd(there, each)
