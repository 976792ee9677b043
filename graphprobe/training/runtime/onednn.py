"""Which convolutions of a training step run in oneDNN on a CPU.

oneDNN keeps a copy of what each of its convolutions works on, in layouts of its own and for as long
as the program is there. So there is room for copies, and it goes to those that save most for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import paddle

from graphprobe.formats import load_bytes
from graphprobe.ops.kinds import is_depthwise, trains_in_onednn
from graphprobe.ops.work.count import Work, weight_uses

FLOAT = 4  # bytes
# The room: times the networks' weights, and a share of what all convolutions read and write. With
# it a step of YOLOv3-MobileNetV1 from ResNet34 takes less memory than PaddleSlim's merged program
# at any width and size that was tried (docs/benchmarks.md).
WEIGHTS, SHARE = 1.5, 0.2
_GRADIENT = "_grad"
# Multiplications for each number that is copied. Below, oneDNN gains little over Paddle's kernels;
# all gains here are of YOLOv3-MobileNetV1's layers at 160, 320 and 608 pixels, on two cores.
HEAVY = 150
# A multiplication of a depthwise convolution takes Paddle this many times as long, for there is one
# call for each channel of each image, which alone costs as much as CALL positions of the map.
DEPTHWISE, CALL = 20, 250
# To prepare a train program of that network anew, without the copies for images of another size,
# takes 0.4 s there, as long as 7e9 multiplications gain in oneDNN.
FORGET = 1e10


@dataclass(frozen=True, slots=True)
class BatchGeometry:
    """What decides how large copies are, and the room for them.

    Args:
        count: images in a batch.
        sizes: their H = W where the program leaves them open; each batch has one of them.
        weights: bytes of the weights of all networks in the process.
    """

    count: int
    sizes: tuple[int, ...]
    weights: int

    @property
    def vary(self) -> bool:
        """Whether batches differ in size."""
        return len(set(self.sizes)) > 1


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An op that oneDNN could run: how many numbers it would copy, and what each of them saves."""

    op: Any
    copied: int
    worth: float


def use_onednn(program: Any, geometry: BatchGeometry) -> bool:
    """Let the convolutions run in oneDNN that save most for the copies there is room for.

    oneDNN copies for each thread that runs ops: so one thread runs them, and they share the cores.

    Args:
        program: a paddle program with its gradients, which is changed.
        geometry: of the batches that it will be fed.

    Returns:
        whether any does. Where sizes vary, copies for all of them would not fit, so who runs the
        program is to `forget` them with each other size; none does where that costs too much.
    """
    paddle.set_flags({"FLAGS_new_executor_serial_run": True})
    ops, largest = _convolutions(program), max(geometry.sizes)
    read = load_bytes(program.desc.serialize_to_string(), "the student's program")
    candidates: list[_Candidate] = []
    numbers = 0
    for use in weight_uses(read, (largest, largest)):
        name = read.ops[use.op].input("Input")
        depthwise = is_depthwise(read.ops[use.op], read)
        for op in ops.get((name or "", use.param), ()):
            inside, outside = _map_numbers(op, use, geometry.count)
            if not op.type.endswith(_GRADIENT):
                numbers += inside + outside
            candidates += _candidates(op, use, geometry.count, (inside, outside), depthwise)
    room = WEIGHTS * geometry.weights / FLOAT + SHARE * numbers
    chosen = list(_fitting(candidates, room))
    saved = sum(candidate.worth * candidate.copied for candidate in chosen)
    if geometry.vary and saved * (min(geometry.sizes) / largest) ** 2 < FORGET:
        return False
    for candidate in chosen:
        candidate.op._set_attr("use_mkldnn", True)
    return bool(chosen)


def forget(executor: Any) -> None:
    """Drop oneDNN's copies of what an executor ran, with all else that it prepared to run it."""
    executor._executor_cache.clear()


def _fitting(candidates: Iterable[_Candidate], room: float) -> Iterator[_Candidate]:
    """Those that save most for each number, as long as there is room for their copies."""
    for candidate in sorted(candidates, key=lambda c: -c.worth):
        if candidate.copied <= room:
            room -= candidate.copied
            yield candidate


def _convolutions(program: Any) -> dict[tuple[str, str], list[Any]]:
    """Convolutions with their gradients by the input and the filter that they read."""
    found: dict[tuple[str, str], list[Any]] = {}
    for op in program.global_block().ops:
        if trains_in_onednn(op.type.removesuffix(_GRADIENT)):
            found.setdefault((op.input("Input")[0], op.input("Filter")[0]), []).append(op)
    return found


def _map_numbers(op: Any, use: Work, batch: int) -> tuple[int, int]:
    """How many numbers a convolution reads and writes, its filter left out."""
    made, taken = use.shape[:2]
    strides = prod(op.attr("strides"))
    positions = batch * use.positions
    return taken * op.attr("groups") * strides * positions, made * positions


def _candidates(
    op: Any, use: Work, batch: int, numbers: tuple[int, int], depthwise: bool
) -> Iterator[_Candidate]:
    """The op, if oneDNN is of use to it; `numbers` as it reads and writes them."""
    inside, outside = numbers
    backward = op.type.endswith(_GRADIENT)
    copied = inside + prod(use.shape) + (2 * outside if backward else 0)
    passes = 2 if backward else 1  # to the filter and to the input
    if depthwise:
        saved = use.positions + CALL if backward else CALL
        yield _Candidate(op, copied, DEPTHWISE * passes * prod(use.shape) * batch * saved / copied)
        return
    worth = passes * prod(use.shape) * batch * use.positions / copied
    if worth >= HEAVY:
        yield _Candidate(op, copied, worth)
