"""A teacher in Paddle's inference engine: folded and fused, beside the student's program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import paddle
from paddle import inference

from graphprobe.data.sample import Feed
from graphprobe.errors import TrainError
from graphprobe.training.feeding.pixels import Convert
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.trainable import IMAGE
from graphprobe.training.runtime.device import is_gpu
from graphprobe.training.runtime.inference_engine import engine_settings, run_predictor
from graphprobe.training.teacher.merge import PREFIX, inputs_of, teacher_part
from graphprobe.waits import waiting_for


class InferenceTeacher:
    """Computes the variables that the pairs want of a teacher, batch by batch.

    Args:
        teacher: with its weights in its scope.
        wanted: the teacher's own variable names.
        place: where it runs.
        convert: makes the student's images such as the teacher wants them; None where they are.
    """

    def __init__(
        self,
        teacher: Network,
        wanted: Sequence[str],
        place: Any,
        convert: Convert | None = None,
    ) -> None:
        self.wanted = list(dict.fromkeys(wanted))
        part = teacher_part(teacher.main, self.wanted, teacher.feed_names)
        self.inputs = inputs_of(part, teacher.feed_names)
        self._predictor = _start(part, self.inputs, self.wanted, teacher.scope, place)
        self._lock = Lock()
        self._convert = convert
        block = part.global_block()
        self.shapes = {name: tuple(block.var(name).shape) for name in self.wanted}

    def declare(self, program: Any) -> None:
        """Make the teacher's variables inputs of the student's program, with the merge's names."""
        with paddle.static.program_guard(program):
            for name, shape in self.shapes.items():
                paddle.static.data(PREFIX + name, list(shape)).stop_gradient = True

    def extend(self, feed: Feed) -> dict[str, Any]:
        """The feed with the teacher's variables for it; one that has them stays as it is."""
        if PREFIX + self.wanted[0] in feed:
            return dict(feed)
        return {**feed, **self.outputs(feed)}

    def outputs(self, feed: Feed) -> dict[str, Any]:
        """The teacher's variables for a feed, with the merge's names; any thread may ask."""
        with self._lock:
            return self._outputs(feed)

    def _outputs(self, feed: Feed) -> dict[str, Any]:
        predictor = self._predictor
        for name in self.inputs:
            handle = predictor.get_input_handle(name)
            array: Any = feed[name]
            if name == IMAGE and self._convert is not None:
                array = self._convert(array)
            handle.copy_from_cpu(np.ascontiguousarray(array))
        run_predictor(predictor)
        names = predictor.get_output_names()
        found = [predictor.get_output_handle(name).copy_to_cpu() for name in names]
        return {PREFIX + name: value for name, value in zip(self.wanted, found, strict=True)}


def _start(part: Any, inputs: list[str], wanted: list[str], scope: Any, place: Any) -> Any:
    """A predictor of a program; it reads a file, since it would keep a buffer for as long.

    Raises:
        TrainError: the file cannot be written.
    """
    block = part.global_block()
    feeds, fetches = [block.var(n) for n in inputs], [block.var(n) for n in wanted]
    # The weights are written from the CPU, wherever they are.
    executor = paddle.static.Executor(paddle.CPUPlace())
    try:
        with (
            TemporaryDirectory() as folder,
            paddle.static.scope_guard(scope),
            # The outputs that are added get names of their own: an exported teacher has some.
            paddle.utils.unique_name.guard("wanted_"),
        ):
            path = f"{folder}/teacher"
            with waiting_for("making an inference engine of the teacher"):
                paddle.static.save_inference_model(path, feeds, fetches, executor, program=part)
                return inference.create_predictor(_settings(path, place))
    except OSError as error:
        raise TrainError(
            f"the teacher cannot be written to a temporary folder ({error.strerror})",
            hint="free some space, set TMPDIR, or set train.teacher_engine=own",
        ) from error


def _settings(path: str, place: Any) -> Any:
    model, params = Path(f"{path}.pdmodel"), Path(f"{path}.pdiparams")
    settings = engine_settings(model, params, place, half=True)
    if not is_gpu(place):
        # It frees maps as it goes. The old one keeps them for the next batch: that is a tenth to a
        # fifth less time for the teacher, and 370 MB more of ResNet34 at 608 pixels and batch 8.
        settings.enable_new_executor(True)
        # Weights are kept in oneDNN's layouts for the last shape of images alone: each one more
        # is 185 MB of ResNet34.
        settings.set_mkldnn_cache_capacity(1)
    return settings
