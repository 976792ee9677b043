"""A program as it will be after a cut, before any weights are there."""

from __future__ import annotations

import paddle

from graphprobe.config import ProgramRef, PruneSection
from graphprobe.training.networks.build import build
from graphprobe.training.pruning.cutter import apply_prune


def cut_program(ref: ProgramRef, section: PruneSection, *, where: str = "") -> bytes:
    """Build a program for training and cut it; which channels go does not change its shapes.

    Returns:
        the ProgramDesc.

    Raises:
        ConfigError: the cut does not fit the program.
        LoadError: the program cannot be built.
    """
    built = build(ref, "train", where=where)
    scope = paddle.static.Scope()
    paddle.static.Executor(paddle.CPUPlace()).run(built.startup, scope=scope)
    apply_prune(built.main, None, scope, section, where=where)
    content: bytes = built.main.desc.serialize_to_string()
    return content
