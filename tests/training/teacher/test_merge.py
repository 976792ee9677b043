"""Our merge of teacher and student, held against PaddleSlim's op by op and by what it computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphprobe.errors import ConfigError, TrainError

pytestmark = pytest.mark.paddle

STUDENT = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
TEACHER = "zoo:yolov3_r34?num_classes=2&scale=0.05"
HEADS = ["conv2d_6.tmp_1", "conv2d_14.tmp_1", "conv2d_22.tmp_1"]
# PaddleSlim marks the teacher's ops for its quantization, and gives the batch norms an output that
# only their gradients read; Paddle notes where an op was made.
ONLY_PADDLESLIM = {"skip_quant", "op_callstack", "ReserveSpace"}


def merged(merge_name: str) -> tuple[Any, Any]:
    """A student's program with a teacher in it, and the scope of both."""
    import paddle

    from graphprobe.training.teacher import merge
    from graphprobe.zoo import build_zoo, parse_zoo

    place = paddle.CPUPlace()
    networks = []
    for seed, name in enumerate((STUDENT, TEACHER)):
        built, scope = build_zoo(parse_zoo(name), "train"), paddle.static.Scope()
        paddle.seed(seed)
        paddle.static.Executor(place).run(built.startup, scope=scope)
        networks.append((built, scope))
    (student, scope), (teacher, teacher_scope) = networks
    feeds = [name for name, _, _ in teacher.feeds]
    part = merge.teacher_part(teacher.main, HEADS, feeds)
    function = getattr(merge, merge_name)
    function(part, student.main, feeds, scope=scope, teacher_scope=teacher_scope, place=place)
    return student.main, scope


def described(op: Any) -> dict[str, Any]:
    ends = {slot: op.input(slot) for slot in op.input_names}
    ends |= {slot: op.output(slot) for slot in op.output_names}
    ends |= {name: op.attr(name) for name in op.attr_names}
    return {"type": op.type, **{k: v for k, v in ends.items() if k not in ONLY_PADDLESLIM}}


def test_our_merge_is_paddleslims() -> None:
    import paddle

    (own, own_scope), (slim, slim_scope) = map(merged, ("merge_teacher", "merge_with_paddleslim"))
    ours, theirs = own.global_block(), slim.global_block()
    assert [described(op) for op in ours.ops] == [described(op) for op in theirs.ops]
    extra = theirs.vars.keys() - ours.vars.keys()
    assert not ours.vars.keys() - theirs.vars.keys()
    assert extra and all("reserve_space" in name for name in extra)
    for name, var in ours.vars.items():
        other = theirs.var(name)
        for key in ("shape", "dtype", "type", "persistable", "stop_gradient"):
            assert getattr(var, key) == getattr(other, key), (name, key)
    names = [f"teacher_{name}" for name in HEADS]
    feed = {"image": np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32)}
    executor = paddle.static.Executor(paddle.CPUPlace())
    found = [
        executor.run(part, feed=feed, fetch_list=names, scope=scope)
        for part, scope in ((only(own, names), own_scope), (only(slim, names), slim_scope))
    ]
    for one, other in zip(*found, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_array_equal(one, other)


def only(program: Any, names: list[str]) -> Any:
    return program._prune_with_input(["image"], names)


def test_own_merge_does_without_paddleslim(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "paddleslim", None)
    program, _ = merged("merge_teacher")
    assert any(op.type == "conv2d" and "teacher_" in op.input("Input")[0]
               for op in program.global_block().ops)  # fmt: skip


def test_what_cannot_be_merged_is_refused() -> None:
    import paddle

    from graphprobe.training.teacher.merge import merge_teacher

    def network(channels: int, name: str = "image", extra: str = "x") -> Any:
        program = paddle.static.Program()
        with paddle.static.program_guard(program, paddle.static.Program()):
            paddle.static.data(extra, [1])
            paddle.static.data(name, [-1, channels, 8, 8]).sum()
        return program

    paddle.enable_static()
    scopes = {"scope": paddle.static.Scope(), "teacher_scope": paddle.static.Scope()}

    def merge(teacher: Any, student: Any, feed: str = "image") -> None:
        merge_teacher(teacher, student, [feed], **scopes, place=paddle.CPUPlace())

    with pytest.raises(ConfigError, match=r"image is \(-1, 4, 8, 8\), the student's \(-1, 3, 8"):
        merge(network(4), network(3))
    with pytest.raises(ConfigError, match="its input picture meets none"):
        merge(network(3, "picture"), network(3), "picture")
    with pytest.raises(TrainError, match="has a variable teacher_x already"):
        merge(network(3), network(3, extra="teacher_x"))
