"""A program that takes its images by clips is tried with as many as it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import graphprobe
from graphprobe.ops.shapes.batches import images_at_once
from graphprobe.programs import load_program
from graphprobe.training.pruning.proof import check_prune

pytestmark = pytest.mark.paddle


def _write(path: Path, build: Any) -> str:
    import paddle

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        x = paddle.static.nn.conv2d(paddle.static.data("image", [-1, 3, 8, 8]), 8, 3, padding=1)
        paddle.static.nn.conv2d(build(paddle, x), 4, 1)
    path.write_bytes(program.desc.serialize_to_string())
    return str(path)


def _shifted(paddle: Any, x: Any) -> Any:
    """Half of the channels of a frame are those of the frame before it."""
    clips = paddle.reshape(x, [-1, 4, 8, 8, 8])
    before = paddle.concat([clips[:, :1], clips[:, :-1]], 1)
    both = paddle.concat([before[:, :, :4], clips[:, :, 4:]], 2)
    return paddle.reshape(both, [-1, 8, 8, 8])


def test_a_program_of_clips_is_proven_with_a_clip(tmp_path):
    path = _write(tmp_path / "clips.pdmodel", _shifted)
    assert images_at_once(load_program(path)) == 4
    config = graphprobe.find_prunable(path, policy="coupled").to_config()
    report = check_prune(config, prove=True)
    assert report.passed and {shape[0] for shape in report.outputs.values()} == {4}
    assert report.groups and all((row.difference or 0) < 1e-4 for row in report.groups)
    assert any("batches of a multiple of 4 images" in note for note in report.notes)


def test_any_batch_is_taken_where_a_reshape_leaves_images_apart(tmp_path):
    def flat(paddle: Any, x: Any) -> Any:
        return paddle.reshape(paddle.reshape(x, [-1, 512]), [-1, 8, 8, 8])

    path = _write(tmp_path / "flat.pdmodel", flat)
    assert images_at_once(load_program(path)) == 1
    report = check_prune(graphprobe.find_prunable(path, policy="coupled").to_config())
    assert not any("multiple" in note for note in report.notes)
