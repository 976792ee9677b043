"""Folding keeps the graph: it has no cycle, loses nothing, and stops where it must."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.drawing.folding.fold import MAX_STAGES, Fold, Level, fold
from graphprobe.drawing.labels import describe
from graphprobe.drawing.marks import Marks
from graphprobe.drawing.raw import raw_views
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

LEVELS: tuple[Level, ...] = ("op", "unit", "block", "stage")


def titles(folded: Fold, level: Level) -> list[str]:
    return [words.title for words in describe(folded, level, Marks())]


def check(folded: Fold) -> None:
    """What holds at every level of every fold."""
    finer = None
    for level in LEVELS:
        quotient = folded.levels[level]
        items = sorted(item for part in quotient.items for item in part)
        assert items == list(range(len(folded.graph.items))), level
        assert nx.is_directed_acyclic_graph(quotient.dag.to_networkx()), level
        assert all(quotient.node_of[i] == n for n, part in enumerate(quotient.items) for i in part)
        if finer is not None:
            homes = [{quotient.node_of[i] for i in part} for part in finer.items]
            assert all(len(home) == 1 for home in homes), f"{level} splits a node of a finer level"
        finer = quotient


def test_units_are_convolutions_with_norm_and_activation(resnet: Program) -> None:
    folded = fold(resnet)
    check(folded)
    found = titles(folded, "unit")
    assert found[1] == "conv 3×3 →8 · bn · relu"
    assert found[2] == "conv 3×3 /2 →8 · bn · relu"
    assert found.count("add") == 6


def test_residual_blocks_fold_whole(resnet: Program) -> None:
    folded = fold(resnet)
    assert titles(folded, "block").count("2 conv · 2 relu · add") == 6


def test_stages_follow_the_stride(resnet: Program) -> None:
    folded = fold(resnet)
    ends = [folded.strides[items[-1]] for items in folded.levels["stage"].items]
    assert {"1", "2", "4"} <= set(map(str, ends))
    assert len(ends) <= MAX_STAGES


def test_no_fold_crosses_a_kept_variable(resnet: Program) -> None:
    convs = [op for op in resnet.ops if op.type == "conv2d"]
    kept = convs[5].output("Output")
    assert kept is not None
    folded = fold(resnet, {kept})
    check(folded)
    for level in LEVELS:
        between = {name for names in folded.variables(level).values() for name in names}
        assert kept in between, f"{kept} is hidden at level {level}"


def test_a_step_with_two_consumers_does_not_fold() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4)
    y = b.op("relu", {"X": x}, shape=(-1, 4, 8, 8))
    b.op("elementwise_mul", {"X": x, "Y": y}, shape=(-1, 4, 8, 8))
    assert titles(fold(b.build()), "unit")[1:] == ["conv 1×1 →4", "relu", "mul"]


def test_bias_needs_a_parameter() -> None:
    b = Builder()
    x, other = b.feed("image", (-1, 3, 8, 8)), b.feed("other", (-1, 4, 8, 8))
    x = b.op(
        "elementwise_add", {"X": b.conv(x, 4), "Y": b.param("bias", (4,))}, shape=(-1, 4, 8, 8)
    )
    b.op("elementwise_add", {"X": x, "Y": other}, shape=(-1, 4, 8, 8))
    assert sorted(titles(fold(b.build()), "unit"))[:2] == ["add", "conv 1×1 →4 · bias"]


def test_gradients_are_counted_on_their_forward_op() -> None:
    b = Builder()
    image = b.feed("image", (-1, 3, 8, 8))
    x = b.conv(image, 4, name="c")
    loss = b.op("mean", {"X": x}, shape=(1,))
    back, update = {"op_role": 1}, {"op_role": 2}
    b.op("fill_constant", {}, {"Out": f"{loss}@GRAD"}, {"op_role": 257})
    b.op("mean_grad", {"X": x, "Out@GRAD": f"{loss}@GRAD"}, {"X@GRAD": f"{x}@GRAD"}, back)
    slots = {"Input": image, "Filter": "c.w_0", "Output@GRAD": f"{x}@GRAD"}
    b.op("conv2d_grad", slots, {"Filter@GRAD": "c.w_0@GRAD"}, back)
    b.op("momentum", {"Param": "c.w_0", "Grad": "c.w_0@GRAD"}, {"ParamOut": "c.w_0"}, update)
    folded = fold(b.build())
    assert [item.kind for item in folded.graph.items] == ["input", "op", "op"]
    conv = next(op.id for op in folded.graph.program.ops if op.type == "conv2d")
    assert folded.owned.backward[conv] == 1
    assert folded.owned.optimizer[conv] == 1
    assert any("∇ 1 backward · 1 optimizer" in w.lines for w in describe(folded, "unit", Marks()))


def test_a_prune_target_stays_alone(resnet: Program) -> None:
    target = next(op.input("Filter") for op in resnet.ops[12:] if op.type == "conv2d")
    assert target is not None
    folded = fold(resnet, targets={target})
    check(folded)
    item = next(
        at
        for at, it in enumerate(folded.graph.items)
        if it.op is not None and it.op.input("Filter") == target
    )
    block = folded.levels["block"].node_of[item]
    assert len(folded.levels["block"].parts[block]) == 1


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Any graph of ops: chains, merges, constants, dead ends."""
    b = Builder()
    shape = (-1, 4, 8, 8)
    names = [b.feed("image", shape)]
    for _ in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(["conv", "relu", "batch_norm", "add", "concat", "constant"]))
        back = st.integers(1, min(len(names), draw(st.sampled_from([1, 3, 40]))))
        x = names[-draw(back)]
        if kind == "conv":
            names.append(b.conv(x, 4, k=3, stride=draw(st.sampled_from([1, 1, 2]))))
        elif kind == "constant":
            names.append(b.op("fill_constant", {}, shape=shape))
        elif kind in ("add", "concat"):
            other = names[-draw(back)]
            slots = {"X": x, "Y": other} if kind == "add" else {"X": [x, other]}
            type_ = "elementwise_add" if kind == "add" else "concat"
            names.append(b.op(type_, slots, shape=shape))
        else:
            names.append(b.op(kind, {"X": x}, shape=shape))
    fetched = draw(st.lists(st.sampled_from(names[1:]), max_size=3, unique=True))
    return b.build(fetched)


@settings(max_examples=150, deadline=None)
@given(programs(), st.data())
def test_every_fold_is_a_quotient_without_cycles(program: Program, data: st.DataObject) -> None:
    names = sorted({name for op in program.ops for name in op.output_names()})
    kept = frozenset(data.draw(st.lists(st.sampled_from(names), max_size=3)))
    folded = fold(program, kept)
    check(folded)
    for level in LEVELS:
        hidden = set()
        node_of = folded.levels[level].node_of
        for (u, v), carried in folded.graph.dag.edges.items():
            if node_of[u] == node_of[v]:
                hidden.update(carried)
        assert not hidden & kept, f"kept variables inside a node at level {level}"


@settings(max_examples=60, deadline=None)
@given(programs(), st.randoms(use_true_random=False))
def test_any_order_of_the_ops_gives_the_same_graph(program: Program, random: Random) -> None:
    """Not only valid orders: a read before the only write of a variable means that write."""
    block = program.blocks[0]
    ops = list(block.ops)
    random.shuffle(ops)
    other = tuple(replace(op, id=at) for at, op in enumerate(ops))
    mixed = replace(program, blocks=(replace(block, ops=other),))
    folded, again = fold(program), fold(mixed)
    check(again)
    assert [item.name for item in folded.graph.items] == [item.name for item in again.graph.items]
    for level in LEVELS:
        assert titles(folded, level) == titles(again, level)
        assert folded.variables(level) == again.variables(level)
    first, second = (list(raw_views(p, Marks(), {})) for p in (program, mixed))
    assert [(v.words, v.dag.succ) for v in first] == [(v.words, v.dag.succ) for v in second]


@pytest.mark.parametrize("size", [0, 1])
def test_tiny_programs(size: int) -> None:
    b = Builder()
    if size:
        b.feed("image", (1,))
        b.op("relu", {"X": "image"})
    check(fold(b.build()))


def test_a_cycle_is_cut_and_counted() -> None:
    b = Builder()
    b.var("a")
    b.var("b")
    b.op("relu", {"X": "b"}, {"Out": "a"})
    b.op("relu", {"X": "a"}, {"Out": "b"})
    folded = fold(b.build())
    check(folded)
    assert folded.graph.cycles == 1


def test_big_graphs_fold_to_a_page(resnet: Program) -> None:
    b = Builder()
    names = [b.feed("image", (-1, 4, 8, 8))]
    for at in range(4000):
        other = names[(at * 7919) % len(names)]
        names.append(b.op("elementwise_add", {"X": names[-1], "Y": other}, shape=(-1, 4, 8, 8)))
    folded = fold(b.build())
    check(folded)
    assert len(folded.levels["stage"].dag) <= MAX_STAGES + 2


def test_the_stride_of_a_resize_is_that_of_what_it_grows_to() -> None:
    """769 pixels become 49 at stride 16; a resize to 193 is at stride 4, not 16 * 49 / 193."""
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 3, 769, 769)), "Filter": b.param("w", (8, 3, 1, 1))}
    deep = b.op("conv2d", slots, attrs={"strides": (16, 16)}, shape=(-1, 8, 49, 49))
    grown = b.op("bilinear_interp", {"X": deep}, attrs={"out_h": 193, "out_w": 193, "scale": 0.0},
                 shape=(-1, 8, 193, 193))  # fmt: skip
    b.op("relu", {"X": grown}, shape=(-1, 8, 193, 193))
    folded = fold(b.build())
    found = {item.name: folded.strides[i] for i, item in enumerate(folded.graph.items)}
    assert str(found[deep]) == "16"
    assert str(found[grown]) == "4"
    assert "4" in [str(folded.strides[items[-1]]) for items in folded.levels["op"].items]


def test_channels_may_come_last() -> None:
    """128 by 64 pixels, a depth of 3: the height is on axis 1."""
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 128, 64, 3)), "Filter": b.param("w", (8, 3, 1, 1))}
    attrs = {"strides": (8, 8), "data_format": "NHWC"}
    deep = b.op("conv2d", slots, attrs=attrs, shape=(-1, 16, 8, 8))
    attrs = {"out_h": 32, "out_w": 16, "data_layout": "NHWC"}
    grown = b.op("bilinear_interp_v2", {"X": deep}, attrs=attrs, shape=(-1, 32, 16, 8))
    b.op("relu", {"X": grown}, shape=(-1, 32, 16, 8))
    folded = fold(b.build())
    found = {item.name: folded.strides[i] for i, item in enumerate(folded.graph.items)}
    assert (str(found[deep]), str(found[grown])) == ("8", "4")


def test_unequal_strides_are_shown_as_height_by_width() -> None:
    """Readers of text halve the height of a line more often than its width."""
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 3, 32, 320)), "Filter": b.param("w", (8, 3, 3, 3))}
    x = b.op("conv2d", slots, attrs={"strides": (2, 1)}, shape=(-1, 8, 16, 320))
    folded = fold(b.build([x]))
    at = next(i for i, item in enumerate(folded.graph.items) if item.name == x)
    assert str(folded.strides[at]) == "2x1"
    assert any("stride 2x1" in line for w in describe(folded, "block", Marks()) for line in w.lines)
