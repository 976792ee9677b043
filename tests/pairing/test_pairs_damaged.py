"""Programs whose attributes, shapes and wiring make no sense give an answer and no traceback."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from graphprobe.ir import Attr, Op, Program, Var
from graphprobe.ir.builder import Builder
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.channel_indices import MOST_FOLLOWED, trace_channel_indices
from graphprobe.pairing.find import find_pairs, pair_rules

VALUES: tuple[Attr, ...] = (0, -1, 7, 2**62, (), (0,), (-3, 9), (1, 2, 3, 4, 5, 6), 0.0, "x", None)
SHAPES = (None, (), (-1,), (3,), (0, 0, 0, 0), (-1, 75, -1, -1), (2**62, 2**62), (1, 2, 3, 4, 5))


def network() -> Program:
    """Every kind of op that the search follows."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 32)), 75, k=3, stride=2)
    shape = (-1, 75, 16, 16)
    x = b.op("pool2d", {"X": x}, attrs={"strides": (2, 2)}, shape=(-1, 75, 8, 8))
    x = b.op("bilinear_interp", {"X": x}, attrs={"scale": 2.0}, shape=shape)
    head = b.conv(x, 75)
    b.op("yolo_box", {"X": head}, attrs={"anchors": (1, 2, 3, 4, 5, 6), "class_num": 20})
    slot = {"axes": (1,), "starts": (0,), "ends": (75,), "strides": (25,)}
    parts = [
        b.op(
            "strided_slice", {"Input": head}, attrs={**slot, "starts": (k,)}, shape=(-1, 3, 16, 16)
        )
        for k in range(5)
    ]
    joined = b.op("stack", {"X": parts}, {"Y": "stacked"}, {"axis": 1}, (-1, 5, 3, 16, 16))
    moved = b.op(
        "transpose2", {"X": joined}, attrs={"axis": (0, 1, 3, 4, 2)}, shape=(-1, 5, 16, 16, 3)
    )
    flat = b.op("reshape2", {"X": moved}, attrs={"shape": (-1, 3)}, shape=(-1, 3))
    for kind in ("split", "concat", "squeeze2", "unsqueeze2", "slice", "reduce_mean", "arg_max"):
        flat = b.op(kind, {"X": flat}, attrs={"axes": (0,), "axis": 0, "dim": (1,)}, shape=(-1, 3))
    label = b.feed("label", (-1, 3))
    b.op("softmax_with_cross_entropy", {"Logits": flat, "Label": label}, shape=(1,))
    b.op("pixel_shuffle", {"X": head}, attrs={"upscale_factor": 5}, shape=(-1, 3, 80, 80))
    return b.build()


def damaged(program: Program, seed: int) -> Program:
    random = Random(seed)  # noqa: S311
    block = program.blocks[0]

    def op(one: Op) -> Op:
        attrs = {
            k: random.choice(VALUES) if random.random() < 0.2 else v for k, v in one.attrs.items()
        }
        return replace(one, attrs=attrs)

    def var(one: Var) -> Var:
        return replace(one, shape=random.choice(SHAPES)) if random.random() < 0.2 else one

    ops = [op(one) for one in block.ops]
    if random.random() < 0.3:
        random.shuffle(ops)
        ops = [replace(one, id=i) for i, one in enumerate(ops)]
    variables = {name: var(one) for name, one in block.vars.items()}
    return replace(program, blocks=(replace(block, ops=tuple(ops), vars=variables),))


@pytest.mark.parametrize("start", range(0, 120, 40))
def test_damage_never_escapes(start):
    whole = network()
    for seed in range(start, start + 40):
        other = damaged(whole, seed)
        for rule in (None, *pair_rules()):
            report = find_pairs(whole, other, rule)
            assert report.pairs or report.warnings


def yolo_like(channels: int) -> Program:
    """A head whose channels are taken apart, as many of them as a file says."""
    b = Builder()
    head = b.conv(b.feed("image", (-1, 3, 32, 32)), channels, k=3)
    y = head
    for _ in range(40):
        y = b.op("concat", {"X": [y, y]}, attrs={"axis": 1}, shape=(-1, channels, 32, 32))
    return b.build([y])


@pytest.mark.parametrize("channels", [6, 255, 2**40, 2**62])
def test_channels_of_any_number_are_not_counted_up_one_by_one(channels: int) -> None:
    analysis = ProgramAnalysis(yolo_like(channels))
    head = next(v for v in analysis.flow.values if v.name == "conv2d_0.tmp_0")
    followed = trace_channel_indices(analysis, head, 1, channels)
    assert sum(array.size for array in followed.values()) <= MOST_FOLLOWED
    assert bool(followed) == (channels < 2**40)


def test_a_stack_of_thousands_of_parts_is_followed_once_they_are_all_there() -> None:
    b = Builder()
    head = b.conv(b.feed("image", (-1, 3, 4, 4)), 3000, k=3)
    parts = [
        b.op(
            "strided_slice",
            {"Input": head},
            attrs={"axes": (1,), "starts": (at,), "ends": (at + 1,), "strides": (1,)},
            shape=(-1, 1, 4, 4),
        )
        for at in range(3000)
    ]
    whole = b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 3000, 4, 4))
    analysis = ProgramAnalysis(b.build([whole]))
    found = next(v for v in analysis.flow.values if v.name == head)
    joined = next(v for v in analysis.flow.values if v.name == whole)
    indices = trace_channel_indices(analysis, found, 1, 3000)[joined.id]
    assert indices.ravel().tolist() == list(range(3000))
