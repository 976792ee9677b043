"""Strides, channels, cut vertices and heads on tiny programs built by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.channel_indices import reshaped
from graphprobe.pairing.features import stride_text
from graphprobe.pairing.find import find_pairs, pair_rules


def keep(b: Builder, type: str, x: str, channels: int = 8, **more: str) -> str:
    """An op that keeps the shape."""
    return b.op(type, {"X": x, **more}, shape=(-1, channels, -1, -1))


def stride_of(program: Program, name: str) -> object:
    analysis = ProgramAnalysis(program)
    value = next(v for v in reversed(analysis.flow.values) if v.name == name)
    return analysis.stride(value)


def test_strides_follow_the_ops_where_sizes_are_unknown():
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, -1, -1)), 8, k=3, stride=2)
    pool = b.op("pool2d", {"X": x}, attrs={"strides": (2, 2)}, shape=(-1, 8, -1, -1))
    up = b.op("nearest_interp", {"X": pool}, attrs={"scale": 2.0}, shape=(-1, 8, -1, -1))
    tall = b.op("conv2d", {"Input": up, "Filter": b.param("w", (8, 8, 1, 1))},
                {"Output": "tall"}, {"strides": (2, 1)}, (-1, 8, -1, -1))  # fmt: skip
    size = b.op("shape", {"Input": x}, shape=(4,))
    part = b.op("slice", {"Input": size}, attrs={"axes": (0,)}, shape=(2,))
    like = b.op("bilinear_interp_v2", {"X": pool, "OutSize": part}, shape=(-1, 8, -1, -1))
    flat = b.op("pool2d", {"X": like}, attrs={"global_pooling": True}, shape=(-1, 8, 1, 1))
    program = b.build()
    expected = {x: (2, 2), pool: (4, 4), up: (2, 2), tall: (4, 2), like: (2, 2), flat: None}
    assert {name: stride_of(program, name) for name in expected} == expected


def test_strides_are_told_in_words():
    texts = [stride_text(s) for s in (None, (32.0, 32.0), (16.0, 4.0), (0.5, 0.5), (7.7, 7.7))]
    assert texts == ["", "stride 32", "stride 16x4", "stride 1/2", "stride 7.70"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_reshapes_of_the_small_array_are_those_of_the_tensor(data):
    """The held channels of a reshaped tensor, against numpy on the whole tensor."""
    n, anchors, size, h, w = (data.draw(st.integers(2, 4)) for _ in range(5))
    channels = anchors * size
    before = (n, channels, h, w)
    after = data.draw(
        st.sampled_from([(n, anchors, size, h, w), (n, anchors, size, h * w), (n, channels, h * w)])
    )
    known = data.draw(st.booleans())
    unknown = tuple(-1 if i in (0, 2, 3) else s for i, s in enumerate(before))
    hidden = tuple(
        -1 if i == 0 or i >= len(after) - len(after[3:]) else s for i, s in enumerate(after)
    )
    sizes = reshaped(before if known else unknown, (1, channels, 1, 1), after if known else hidden)
    if sizes is None:
        assert not known
        return
    whole = np.broadcast_to(np.arange(channels).reshape(1, -1, 1, 1), before).reshape(after)
    small = np.arange(channels).reshape(sizes)
    assert (np.broadcast_to(small, after) == whole).all()


def spelled_out(filters: int, seed: int | None = None) -> Program:
    """A detector of one stride whose losses are written in elementary ops."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, -1, -1)), filters, k=3, stride=2)
    x = keep(b, "relu", x, filters)
    scores, boxes = b.conv(x, 5), b.conv(x, 4)
    wanted = b.feed("wanted", (-1, 5, -1, -1)), b.feed("boxes", (-1, 4, -1, -1))
    squashed = keep(b, "sigmoid", scores, 5)
    terms = []
    for value, label, channels in ((squashed, wanted[0], 5), (boxes, wanted[1], 4)):
        gap = keep(b, "elementwise_sub", value, channels, Y=label)
        terms.append(b.op("mean", {"X": keep(b, "square", gap, channels)}, shape=(1,)))
    b.op("sum", {"X": terms}, shape=(1,))
    program = b.build()
    return program if seed is None else shuffle_ops(rename_all(program, seed)[0], seed)


def test_a_loss_in_elementary_ops_is_followed_back_to_the_last_layers():
    report = find_pairs(spelled_out(8), spelled_out(16))
    assert [(p.student, p.student_shape[1], p.role) for p in report.pairs] == [
        ("conv2d_2.tmp_0", 4, "head, stride 2"),
        ("conv2d_1.tmp_0", 5, "head, stride 2"),
    ]
    assert all("meets the labels at elementwise_sub" in p.evidence for p in report.pairs)


@pytest.mark.parametrize("seed", range(5))
def test_it_does_not_depend_on_names_or_order(seed):
    report = find_pairs(spelled_out(8, seed), spelled_out(16, seed + 1))
    assert [p.student_shape[1] for p in report.pairs] == [4, 5]
    assert [p.teacher_shape[1] for p in report.pairs] == [4, 5]


def test_branches_of_a_block_are_no_stage():
    b = Builder()
    x = keep(b, "relu", b.conv(b.feed("image", (-1, 3, -1, -1)), 8, k=3, stride=2))
    inner = b.conv(keep(b, "relu", b.conv(x, 8, k=3)), 8, k=3)
    x = keep(b, "elementwise_add", inner, Y=x)
    end = keep(b, "relu", x)
    deep = b.conv(keep(b, "relu", b.conv(end, 8, k=3, stride=2)), 5)
    b.op("arg_max", {"X": deep}, shape=(-1, -1, -1))
    report = find_pairs(b.build(), b.build(), "backbone_stages")
    assert [(p.student, p.role) for p in report.pairs] == [
        ("relu_3.tmp_0", "backbone stage, stride 4"),
        (end, "backbone stage, stride 2"),
    ]


def test_an_empty_program_and_one_without_layers_match_nothing():
    b = Builder()
    b.op("relu", {"X": b.feed("x", (-1, 4))}, shape=(-1, 4))
    empty = Builder().build()
    for program in (b.build(), empty):
        for rule in (None, *pair_rules()):
            report = find_pairs(program, empty, rule)
            assert not report.pairs
            assert report.warnings[0].startswith("nothing matched")


def test_the_rules_are_these():
    assert {name: rule.priority for name, rule in pair_rules().items()} == {
        "yolo_parts": 60,
        "distribution_heads": 58,
        "dense_levels": 56,
        "segmentation": 55,
        "loss_input": 50,
        "decoding_input": 40,
        "neck_levels": 20,
        "backbone_stages": 10,
        "stage_flows": 5,
    }


def test_unknown_rules_are_refused_with_a_hint():
    empty = Builder().build()
    with pytest.raises(UsageError, match="did you mean yolo_parts"):
        find_pairs(empty, empty, "yolo_part")


def test_shuffling_keeps_every_read_behind_its_write():
    program = spelled_out(8)
    orders = set()
    for seed in range(10):
        shuffled = shuffle_ops(program, seed)
        written = {*program.feeds, *(v.name for v in program.parameters)}
        for op in shuffled.ops:
            assert set(op.input_names()) <= written
            written.update(op.output_names())
        assert [op.id for op in shuffled.ops] == list(range(len(program.ops)))
        orders.add(tuple(op.type for op in shuffled.ops))
    assert len(orders) > 1
