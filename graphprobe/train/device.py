"""Where programs run: the CPU or one GPU."""

from __future__ import annotations

from typing import Any

import numpy as np  # noqa: F401 - must come before paddle: scipy after paddle alone crashes
import paddle

from graphprobe.errors import UsageError

DEVICES = ("auto", "cpu", "gpu")


def choose_place(device: str) -> Any:
    """The paddle place for ``auto``, ``cpu`` or ``gpu``; auto takes a GPU where one can be used.

    Raises:
        UsageError: a GPU is asked for and this build or machine has none.
    """
    if device not in DEVICES:
        raise UsageError(f"unknown device {device!r}", hint=f"use one of {', '.join(DEVICES)}")
    count = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
    if device == "gpu" and not count:
        raise UsageError(
            "--device gpu: "
            + (
                "no GPU is visible"
                if paddle.is_compiled_with_cuda()
                else "this paddlepaddle is built for the CPU only"
            ),
            hint="use --device cpu, or install graphprobe[gpu] on a machine with a GPU",
        )
    use_gpu = count > 0 and device != "cpu"
    paddle.set_device("gpu:0" if use_gpu else "cpu")
    return paddle.CUDAPlace(0) if use_gpu else paddle.CPUPlace()


def is_gpu(place: Any) -> bool:
    """Whether a place is a GPU."""
    return isinstance(place, paddle.CUDAPlace)
