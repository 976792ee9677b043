"""Who writes what and who reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.ir import Block, Op, Program, Var, build_dataflow
from graphprobe.ir.builder import Builder
from graphprobe.ir.dataflow import reachable, topological


def test_writes_of_one_variable_are_told_apart() -> None:
    b = Builder()
    x = b.feed("x", (4,))
    b.op("relu", {"X": x}, {"Out": x})
    b.op("tanh", {"X": x}, {"Out": "y"})
    flow = build_dataflow(b.build())
    relu, tanh = flow.program.ops
    before, after = flow.read(relu, "X"), flow.read(tanh, "X")
    assert before is not None and after is not None
    assert (before.name, before.producer, before.consumers) == ("x", None, [0])
    assert (after.name, after.producer, after.consumers) == ("x", 0, [1])
    assert flow.last("x") == after
    assert flow.last("nothing") is None
    assert flow.written(relu, "Out") == after
    assert flow.producer(before) is None and flow.producer(after) is relu


def test_an_op_that_reads_a_value_twice_is_one_consumer() -> None:
    b = Builder()
    x = b.feed("x", (4,))
    b.op("elementwise_add", {"X": x, "Y": x})
    flow = build_dataflow(b.build())
    value = flow.last("x")
    assert value is not None and value.consumers == [0]
    assert [v.name for v in flow.reads(flow.program.ops[0])] == ["x", "x"]


def test_a_sub_block_is_entered_where_its_op_stands() -> None:
    b = Builder()
    x = b.feed("x", (4,))
    with b.block() as body:
        b.op("relu", {"X": x}, {"Out": x})
    b.op("tanh", {"X": x}, {"Out": "before"})
    b.op("while", {"X": x}, {}, {"sub_block": body})
    b.op("tanh", {"X": x}, {"Out": "after"})
    flow = build_dataflow(b.build())
    before, _, after, inner = flow.program.ops
    read = flow.read(before, "X"), flow.read(after, "X")
    assert read[0] is not None and read[0].producer is None
    assert read[1] is not None and read[1].producer == inner.id
    assert read[1].block == 0


def test_a_name_means_the_innermost_declaration() -> None:
    b = Builder()
    x = b.feed("x", (4,))
    with b.block() as body:
        b.var("x", (9,))
        b.op("relu", {"X": x}, {"Out": "y"})
    b.op("while", {}, {}, {"sub_block": body})
    program = b.build()
    inner = build_dataflow(program).read(program.ops[1], "X")
    assert inner is not None and inner.block == 1
    assert (program.shape("x", 0), program.shape("x", 1)) == ((4,), (9,))


def deep(depth: int) -> Program:
    """Blocks nested one in the other; the innermost reads a variable of the outermost."""
    blocks = []
    for i in range(depth):
        op = Op(i, "while", {"X": ("x",)}, {"Out": (f"y{i}",)}, {"sub_block": i + 1}, i)
        blocks.append(Block(i, i - 1, {"x": Var("x", (1,))} if i == 0 else {}, (op,)))
    return Program(tuple(blocks))


def test_deep_nesting_needs_no_recursion() -> None:
    flow = build_dataflow(deep(500))
    value = next(v for v in flow.values if v.name == "x")
    assert len(value.consumers) == 500 and value.block == 0


@pytest.mark.parametrize("target", [0, 1, 2, -1, 99])
def test_blocks_that_name_themselves_or_none_end(target: int) -> None:
    ops = [Op(i, "while", {"X": ("x",)}, {}, {"sub_block": target}, i) for i in range(3)]
    blocks = tuple(Block(i, (i + 1) % 3, {}, (ops[i],)) for i in range(3))
    flow = build_dataflow(Program(blocks))
    assert [len(inputs) for inputs in flow.inputs] == [1, 1, 1]
    assert Program(blocks).var("x") is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_reads_and_writes_agree(edges: list[tuple[int, int]]) -> None:
    ops = tuple(
        Op(i, "any", {"X": (f"v{a}",)}, {"Out": (f"v{b}",)}) for i, (a, b) in enumerate(edges)
    )
    flow = build_dataflow(Program((Block(0, -1, {}, ops),)))
    for op in ops:
        for value in flow.reads(op):
            assert op.id in value.consumers
            assert value.producer is None or value.producer < op.id
            # The value is the newest one that was written before.
            writers = [o.id for o in ops[: op.id] if o.output("Out") == value.name]
            assert value.producer == (writers[-1] if writers else None)
    order = topological(flow)
    assert sorted(order) == list(range(len(ops)))
    place = {op: i for i, op in enumerate(order)}
    assert all(place[p] < place[op.id] for op in ops for p in flow.predecessors(op.id))


@pytest.mark.parametrize("value", [True, 1.0, "1", (1,), None])
def test_what_is_no_integer_is_not_read_as_one(value: Any) -> None:
    attrs = {} if value is None else {"axis": value}
    op = Op(0, "concat", attrs=attrs)
    assert op.get_int("axis", 7) == 7
    assert op.get_ints("axis", (7,)) == ((1,) if value == (1,) else (7,))


def test_reachable() -> None:
    steps = {0: [1, 2], 1: [3], 2: [3], 3: [0], 4: [5], 5: []}
    assert reachable([0], steps.__getitem__) == {0, 1, 2, 3}
    assert reachable([4], steps.__getitem__) == {4, 5}


def test_the_order_of_what_a_block_is_handed_does_not_change_the_fingerprint() -> None:
    """Paddle names it in the order of a set, another one in each process."""
    from graphprobe.ir.fingerprint import fingerprint

    def program(type: str, names: tuple[str, ...], **attrs: int) -> str:
        b = Builder()
        for name in sorted(names):
            b.feed(name, (1,))
        b.op(type, {"X": names}, {"Out": names}, attrs=attrs)
        return fingerprint(b.build())

    once, again = ("a", "b", "c"), ("c", "a", "b")
    assert program("while", once, sub_block=1) == program("while", again, sub_block=1)
    assert program("sum", once) != program("sum", again)


def test_the_order_of_slots_does_not_change_the_fingerprint() -> None:
    from graphprobe.ir.fingerprint import fingerprint

    b = Builder()
    b.op("elementwise_add", {"X": b.feed("x", (1,)), "Y": b.feed("y", (1,))})
    program = b.build()
    op = program.ops[0]
    turned = replace(op, inputs=dict(reversed(op.inputs.items())), attrs={"axis": 1})
    other = replace(program, blocks=(replace(program.blocks[0], ops=(turned,)),))
    assert fingerprint(other) == fingerprint(program)
    changed = replace(program, blocks=(replace(program.blocks[0], ops=(replace(op, type="sum"),)),))
    assert fingerprint(changed) != fingerprint(program)
