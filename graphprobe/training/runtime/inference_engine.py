"""Run Paddle's inference engine with this process's threads, and leave them as they were."""

from __future__ import annotations

from typing import Any

from paddle.base import core

from graphprobe.training.runtime.threads import thread_count


def use_cpu(settings: Any) -> None:
    """Let an engine compute on the CPU, in oneDNN, with this process's threads."""
    settings.disable_gpu()
    settings.enable_mkldnn()
    settings.set_cpu_math_library_num_threads(thread_count())


def run_predictor(predictor: Any) -> None:
    """Run an engine on the inputs that it was given.

    When it ends, it has set the threads of its caller to one, for servers that run many
    (AnalysisPredictor::Run). A train step from the same thread would go on with that one.
    """
    predictor.run()
    core.set_num_threads(thread_count())
