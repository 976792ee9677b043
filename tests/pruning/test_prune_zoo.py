"""The published classes of YOLOv3-MobileNetV1, and rows for every convolution of the zoo."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.permute import rename_all, shuffle_ops
from graphprobe.ops.work.count import network_size
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import Limits, choose

pytestmark = pytest.mark.paddle

Programs = Callable[[str], Program]
STUDENT = "zoo:yolov3_mobilenet_v1"
DEPTHWISE = {
    f"conv{name}_dw_weights"
    for name in [
        "2_1",
        "2_2",
        "3_1",
        "3_2",
        "4_1",
        "4_2",
        "5_1",
        "5_2",
        "5_3",
        "5_4",
        "5_5",
        "5_6",
        "6",
    ]
}
OUTPUT = {f"yolo_output.{i}.conv.weights" for i in range(3)}
CONCAT = {"conv3_2_sep_weights", "conv4_2_sep_weights"} | {
    f"yolo_transition.{i}.conv.weights" for i in range(2)
}
PUBLISHED = [
    "conv2_1_sep_weights",
    "conv2_2_sep_weights",
    "conv3_1_sep_weights",
    "conv4_1_sep_weights",
    "conv5_1_sep_weights",
    "conv5_2_sep_weights",
    "conv5_3_sep_weights",
    "conv5_4_sep_weights",
    "conv5_5_sep_weights",
    "conv5_6_sep_weights",
    "yolo_block.0.0.0.conv.weights",
    "yolo_block.0.0.1.conv.weights",
    "yolo_block.0.1.0.conv.weights",
    "yolo_block.0.1.1.conv.weights",
    "yolo_block.1.0.0.conv.weights",
    "yolo_block.1.0.1.conv.weights",
    "yolo_block.1.1.0.conv.weights",
    "yolo_block.1.1.1.conv.weights",
    "yolo_block.1.2.conv.weights",
    "yolo_block.2.0.0.conv.weights",
    "yolo_block.2.0.1.conv.weights",
    "yolo_block.2.1.1.conv.weights",
    "yolo_block.2.2.conv.weights",
    "yolo_block.2.tip.conv.weights",
]
SIX_MORE = {
    "conv1_weights",
    "conv6_sep_weights",
    "yolo_block.0.2.conv.weights",
    "yolo_block.0.tip.conv.weights",
    "yolo_block.1.tip.conv.weights",
    "yolo_block.2.1.0.conv.weights",
}


def by_reason(program, policy="seeds"):
    found = {}
    for d in find_prunable(program, policy).decisions:
        found.setdefault(d.reason if d.status == "blocked" else d.status, set()).add(d.param)
    return found


@pytest.mark.parametrize("mode", ["train", "eval", "infer"])
def test_the_classes_are_exact(program: Programs, mode):
    found = by_reason(program(f"{STUDENT}?mode={mode}"))
    assert found["depthwise"] == DEPTHWISE
    assert found["output"] == OUTPUT
    assert found["concat"] == CONCAT
    assert found["prunable"] == set(PUBLISHED) | SIX_MORE
    assert len(found["prunable"]) == 30


def test_the_classes_do_not_depend_on_names_or_order(program: Programs):
    original = program(STUDENT)
    renamed, new = rename_all(shuffle_ops(original, 3), 3)
    expected = {k: {new[n] for n in names} for k, names in by_reason(original).items()}
    assert by_reason(renamed) == expected


def test_coupled_leaves_only_the_outputs(program: Programs):
    found = by_reason(program(STUDENT), "coupled")
    assert found["output"] == OUTPUT
    assert found["follower"] == DEPTHWISE
    assert len(found["prunable"]) == 34


def test_paths_are_chains_of_the_program(program: Programs):
    student = program(STUDENT)
    for d in find_prunable(student).decisions:
        if d.status != "blocked" or d.reason == "depthwise":
            continue
        assert d.path[0] == student.ops[d.op].output("Output") and d.at is not None
        assert set(d.path[-2:]) & {*student.ops[d.at.op].input_names()}
        for a, b in zip(d.path, d.path[1:], strict=False):
            touching = [o for o in student.ops if a in (*o.input_names(), *o.output_names())]
            assert any(b in (*o.input_names(), *o.output_names()) for o in touching)


@pytest.mark.parametrize(
    ("name", "blocked"),
    [
        ("zoo:yolov3_r34", {"output": 3}),
        ("zoo:deeplabv3p_mobilenetv2", {"output": 1}),
        ("zoo:deeplabv3p_xception65", {"output": 1}),
    ],
)
def test_coupled_blocks_only_the_answers(program: Programs, name, blocked):
    decisions = find_prunable(program(name), "coupled").decisions
    assert Counter(d.reason for d in decisions if d.status == "blocked") == blocked
    assert len(decisions) == sum("Filter" in op.inputs for op in program(name).ops)


def test_sizes_are_the_published_ones(program: Programs):
    size = network_size(program(STUDENT), (608, 608))
    assert round(size.megabytes) == 93
    assert 20e9 < size.flops < 22.5e9


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
def test_a_share_of_the_work_is_reached(program: Programs, policy):
    choice = choose(find_prunable(program(STUDENT), policy), target_flops=0.5)
    assert 0.5 <= 1 - choice.after.flops / choice.before.flops < 0.505
    with pytest.raises(UsageError, match="at most"):
        choose(find_prunable(program(STUDENT), "seeds"), target_flops=0.999)


def test_limits(program: Programs):
    found = find_prunable(program(STUDENT), "coupled")
    limits = Limits(re.compile("yolo|conv5_1_dw"), round_to=8, min_channels=100)
    choice = choose(found, 0.6, limits=limits)
    names = set(choice.params)
    assert not any("yolo" in name for name in names)
    assert "conv4_2_sep_weights" not in names  # conv5_1_dw follows it
    assert "conv2_1_sep_weights" not in names  # 64 channels are fewer than 100
    for name, shape in choice.shapes.items():
        before = program(STUDENT).shape(name)
        assert before is not None and shape != before
        assert all(
            b == a or a == 100 or a > 100 and a % 8 == 0 for a, b in zip(shape, before, strict=True)
        )


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, 1.5])
def test_senseless_ratios_are_refused(program: Programs, ratio):
    with pytest.raises(UsageError, match="^ratio"):
        choose(find_prunable(program(STUDENT)), ratio)
