"""Where programs run: the CPU or one GPU."""

from __future__ import annotations

import os
from typing import Any

import numpy as np  # noqa: F401 - must come before paddle: scipy after paddle alone crashes
import paddle

from graphprobe.errors import UsageError
from graphprobe.training.reporting.progress import Log, no_log

DEVICES = ("auto", "cpu", "gpu")
# The first that paddle raises where a wheel holds no machine code for a card (CUDA error 209).
_CUDA_FAILS = (OSError, RuntimeError, SystemError)


def choose_place(device: str, log: Log = no_log) -> Any:
    """The paddle place for ``auto``, ``cpu`` or ``gpu``; auto takes a GPU where one can be used.

    Of several processes each takes the GPU that the launcher gave it.

    Args:
        device: one of `DEVICES`.
        log: takes a warning where auto passes over a GPU.

    Raises:
        UsageError: a GPU is asked for and this build or machine has none that it can use.
    """
    if device not in DEVICES:
        raise UsageError(f"unknown device {device!r}", hint=f"use one of {', '.join(DEVICES)}")
    if device == "cpu":
        return _take_cpu()
    why = _no_gpu() or _refusal(_number())
    if not why:
        paddle.set_device(f"gpu:{_number()}")
        return paddle.CUDAPlace(_number())
    if device == "gpu":
        raise UsageError(why, where="device='gpu'", hint="or use device='cpu'")
    if not _no_gpu():
        log(f"warning: taking the CPU: {why}")
    return _take_cpu()


def is_gpu(place: Any) -> bool:
    """Whether a place is a GPU."""
    return isinstance(place, paddle.CUDAPlace)


def _take_cpu() -> Any:
    paddle.set_device("cpu")
    return paddle.CPUPlace()


def _number() -> int:
    """The GPU that `paddle.distributed.launch` gave this process, else the first."""
    given = os.environ.get("FLAGS_selected_gpus", "")  # noqa: SIM112 - the launcher spells it so
    given = given.split(",")[0]
    return int(given) if given.isdecimal() else 0


def _no_gpu() -> str:
    if not paddle.is_compiled_with_cuda():
        text = "this paddlepaddle is built for the CPU only"
    elif not paddle.device.cuda.device_count():
        text = "no GPU is visible"
    else:
        return ""
    return f"{text}; docs/compat.md has what to install for each card"


def _refusal(number: int) -> str:
    """Why this build cannot run on a GPU; empty where it can."""
    try:
        _add_on(number)
    except _CUDA_FAILS as error:
        first = next((line for line in str(error).splitlines() if "rror" in line), str(error))
        major, minor = paddle.device.cuda.get_device_capability(number)
        return (
            f"Paddle {paddle.__version__} with CUDA {paddle.version.cuda()} cannot run on GPU "
            f"{number} of compute capability {major}.{minor} ({first.strip()}); install a build "
            "for this card: the wheel of 2.6.2 on the package index holds 6.1 to 8.6"
        )
    return ""


def _add_on(number: int) -> None:
    """Add two numbers on a GPU."""
    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        total = paddle.full([1], 1.0) + paddle.full([1], 1.0)
    executor = paddle.static.Executor(paddle.CUDAPlace(number))
    executor.run(program, fetch_list=[total], scope=paddle.static.Scope())
