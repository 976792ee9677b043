"""Paddle's inference engine: its settings, and this process's threads, which it changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from paddle import inference
from paddle.base import core

from graphprobe.compat.pir_engine import read_as_pir
from graphprobe.training.runtime.device import is_gpu
from graphprobe.training.runtime.process import thread_count

GPU_MEMORY_MB = 256  # that the engine takes at first


def engine_settings(model: Path, params: Path, place: Any, *, half: bool = False) -> Any:
    """Settings for a network in files: on a GPU, or in oneDNN on the CPU.

    Args:
        model: the program.
        params: its parameters.
        place: a paddle place.
        half: compute in half precision on a GPU.
    """
    settings = inference.Config(str(model), str(params))
    settings.disable_glog_info()
    if is_gpu(place):
        precision = inference.PrecisionType.Half if half else inference.PrecisionType.Float32
        settings.enable_memory_optim()
        settings.enable_use_gpu(GPU_MEMORY_MB, place.get_device_id(), precision)
    else:
        settings.disable_gpu()
        settings.enable_mkldnn()
        # It compiles attention to AVX-512 without asking whether the processor has it, and then
        # the whole process dies of an illegal instruction.
        settings.pass_builder().delete_pass("self_attention_fuse_pass")
        settings.set_cpu_math_library_num_threads(thread_count())
    return settings


def run_unoptimised(
    model: Path, params: Path | None, feed: Mapping[str, NDArray[Any]]
) -> list[NDArray[Any]]:
    """The outputs of a network in files, on the CPU and by its ops as they are written.

    Args:
        model: the program.
        params: its parameters in one file; None where each has a file of its own beside
            ``__model__``.
        feed: an array for each input, by the program's names.

    Raises:
        RuntimeError, ValueError, NotImplementedError, OSError: Paddle cannot read or run it.
        KeyError: an input is not fed.
    """
    where = [str(model.parent)] if params is None else [str(model), str(params)]
    settings = inference.Config(*where)
    settings.disable_glog_info()
    settings.disable_gpu()
    settings.switch_ir_optim(False)
    read_as_pir(settings, model)
    predictor = inference.create_predictor(settings)
    for name in predictor.get_input_names():
        predictor.get_input_handle(name).copy_from_cpu(np.ascontiguousarray(feed[name]))
    run_predictor(predictor)
    names = predictor.get_output_names()
    return [predictor.get_output_handle(name).copy_to_cpu() for name in names]


def run_predictor(predictor: Any) -> None:
    """Run an engine on the inputs that it was given.

    When it ends, it has set the threads of its caller to one, for servers that run many
    (AnalysisPredictor::Run). A train step from the same thread would go on with that one.
    """
    predictor.run()
    core.set_num_threads(thread_count())
