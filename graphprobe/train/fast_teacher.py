"""A teacher in Paddle's inference engine: folded and fused, beside the student's program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle
from paddle import inference

from graphprobe.train.device import is_gpu
from graphprobe.train.engine import Feed
from graphprobe.train.merge import PREFIX, inputs_of, teacher_part
from graphprobe.train.networks import Network


class FastTeacher:
    """Computes the variables that the pairs want of a teacher, batch by batch.

    Args:
        teacher: with its weights in its scope.
        wanted: the teacher's own variable names.
        place: where it runs.
    """

    def __init__(self, teacher: Network, wanted: Sequence[str], place: Any) -> None:
        self.wanted = list(dict.fromkeys(wanted))
        part = teacher_part(teacher.main, self.wanted, teacher.feed_names)
        self._inputs = inputs_of(part, teacher.feed_names)
        self._predictor = inference.create_predictor(
            _settings(*_serialize(part, self._inputs, self.wanted, teacher.scope), place)
        )
        block = part.global_block()
        self.shapes = {name: tuple(block.var(name).shape) for name in self.wanted}

    def declare(self, program: Any) -> None:
        """Make the teacher's variables inputs of the student's program, with the merge's names."""
        with paddle.static.program_guard(program):
            for name, shape in self.shapes.items():
                paddle.static.data(PREFIX + name, list(shape)).stop_gradient = True

    def extend(self, feed: Feed) -> dict[str, Any]:
        """The feed with the teacher's variables for it."""
        for name in self._inputs:
            handle = self._predictor.get_input_handle(name)
            handle.copy_from_cpu(np.ascontiguousarray(feed[name]))
        self._predictor.run()
        names = self._predictor.get_output_names()
        found = [self._predictor.get_output_handle(name).copy_to_cpu() for name in names]
        return {
            **feed,
            **{PREFIX + name: value for name, value in zip(self.wanted, found, strict=True)},
        }


def _serialize(part: Any, inputs: list[str], wanted: list[str], scope: Any) -> tuple[bytes, bytes]:
    block = part.global_block()
    feeds, fetches = [block.var(n) for n in inputs], [block.var(n) for n in wanted]
    # The weights are written from the CPU, wherever they are.
    executor = paddle.static.Executor(paddle.CPUPlace())
    program = paddle.static.normalize_program(part, feeds, fetches)
    with paddle.static.scope_guard(scope):
        model = paddle.static.serialize_program(feeds, fetches, program=part)
        params = paddle.static.serialize_persistables(feeds, fetches, executor, program=program)
    return model, params


def _settings(model: bytes, params: bytes, place: Any) -> Any:
    settings = inference.Config()
    settings.set_model_buffer(model, len(model), params, len(params))
    settings.disable_glog_info()
    settings.enable_memory_optim()
    if is_gpu(place):
        settings.enable_use_gpu(256, 0)
    else:
        settings.disable_gpu()
        settings.enable_mkldnn()
        settings.set_cpu_math_library_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return settings
