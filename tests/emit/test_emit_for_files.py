"""What is emitted for exported programs: a script that trains, and what PaddleSlim cannot cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphprobe
from graphprobe.emit.pair_emitters.python import python_text
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import find_pairs
from graphprobe.programs import load_program


def flattened(size: int) -> Program:
    """A convolution whose map of size x size cells is flattened into a fully connected layer."""
    b = Builder()
    image = b.feed("image", (-1, 3, size, size))
    x = b.conv(b.conv(image, 8, k=3, name="first"), 6, k=3, name="last")
    x = b.op("relu", {"X": x}, shape=(-1, 6, size, size))
    x = b.op(
        "flatten_contiguous_range",
        {"X": x},
        attrs={"start_axis": 1, "stop_axis": -1},
        shape=(-1, 6 * size * size),
    )
    weight = b.param("fc.w_0", (6 * size * size, 5))
    attrs = {"x_num_col_dims": 1, "y_num_col_dims": 1}
    y = b.op("mul", {"X": x, "Y": weight}, attrs=attrs, shape=(-1, 5))
    return b.build(fetches=[b.op("softmax", {"X": y}, shape=(-1, 5))])


@pytest.mark.parametrize("emit", ["act", "ppdet2x", "ppdet1x", "slim1x"])
def test_a_filter_in_front_of_flatten_is_warned_of(emit: str) -> None:
    found = graphprobe.find_prunable(flattened(4))
    assert found.params == ["first.w_0", "last.w_0"]
    (warning,) = found.emit_warnings(emit)
    assert warning.startswith(
        "PaddleSlim fails on 1 of 2 filters (first: last.w_0): behind flatten"
    )
    assert graphprobe.find_prunable(flattened(1)).emit_warnings(emit) == ()
    # The file says it too, and names every filter.
    head = found.emit(emit).split("\n# ")
    assert head[0].startswith("# PaddleSlim fails on 1 of 2 filters (last.w_0): behind flatten")
    assert not graphprobe.find_prunable(flattened(1)).emit(emit).startswith("# PaddleSlim fails")


def classifier(width: int, flatten: bool) -> Callable[[], tuple[Any, Any]]:
    """Convolutions with and without batch norm, then pooled or flattened to 4 classes."""

    def build() -> tuple[Any, Any]:
        import paddle
        import paddle.nn.functional as f

        image = paddle.static.data("image", [-1, 3, 16, 16], "float32")
        x = f.relu(paddle.static.nn.conv2d(image, width, 3, stride=2, padding=1))
        x = paddle.static.nn.conv2d(x, width, 3, stride=2, padding=1, bias_attr=False)
        x = paddle.static.nn.batch_norm(x, act="relu")
        x = paddle.flatten(x, 1) if flatten else f.adaptive_avg_pool2d(x, 1)
        return image, paddle.static.nn.fc(x, 4)

    return build


def export(folder: Path, build: Callable[[], tuple[Any, Any]]) -> Program:
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.utils.unique_name.guard(), paddle.static.program_guard(main, startup):
        image, output = build()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor.run(startup)
        names = [p.name for p in main.all_parameters() if p.trainable]
        weights = {
            n: np.array(paddle.static.global_scope().find_var(n).get_tensor()) for n in names
        }
        np.savez(folder / "weights.npz", **weights)
        paddle.static.save_inference_model(
            str(folder / "model"), [image], [output], executor, program=main
        )
    return load_program(str(folder))


# What follows a script's step: the student's weights, by name.
AFTER = """
    found = {p.name: np.array(scope.find_var(p.name).get_tensor()) for p in main.all_parameters()}
    np.savez("after.npz", **found)
"""


@pytest.mark.paddle
@pytest.mark.parametrize(
    ("flatten", "rule"), [(True, None), (False, "backbone_stages")], ids=["flatten", "adapter"]
)
def test_the_script_trains_an_exported_student(
    tmp_path: Path, flatten: bool, rule: str | None
) -> None:
    """Exports have no outputs for gradients, and adapters must not take a filter's name."""
    folders = [tmp_path / side for side in ("student", "teacher")]
    for folder in folders:
        folder.mkdir()
    student = export(folders[0], classifier(8, flatten))
    teacher = export(folders[1], classifier(16, flatten))
    report = find_pairs(student, teacher, rule)
    assert any(pair.adapter for pair in report.pairs) is (rule is not None)
    (tmp_path / "distill.py").write_text(python_text(report, student, teacher) + AFTER)
    ran = subprocess.run(
        [sys.executable, "distill.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "step 0: total " in ran.stdout
    before = dict(np.load(folders[0] / "weights.npz"))
    after = dict(np.load(tmp_path / "after.npz"))
    assert before.keys() <= after.keys()
    filters = [name for name in before if name.startswith("conv2d") and name.endswith("w_0")]
    assert len(filters) == 2
    assert all(np.abs(after[name] - before[name]).max() > 0 for name in filters)


def test_a_teacher_with_a_loop_is_refused() -> None:
    """PaddleSlim's merge would leave the body of the loop behind."""

    def build(width: int) -> Program:
        b = Builder()
        y = b.conv(b.conv(b.feed("image", (-1, 3, 8, 8)), width, k=3), 5)
        go = b.op("fill_constant", {}, shape=(1,))
        with b.block() as body:
            b.op("assign", {"X": b.op("relu", {"X": y}, shape=(-1, 5, 8, 8))}, {"Out": y})
        b.op("while", {"Condition": go, "X": [y]}, {"Out": [y]}, attrs={"sub_block": body})
        return b.build(fetches=[y])

    report = find_pairs(build(4), build(8))
    with pytest.raises(graphprobe.UsageError, match="has a while, and PaddleSlim merges"):
        python_text(report, build(4), build(8))
