"""Write a network for inference: ``.pdmodel``/``.pdiparams``, or ``__model__``/``__params__``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paddle

from graphprobe.files import write_whole
from graphprobe.training.runtime.programs import plain_bytes
from graphprobe.zoo import Built

LEGACY = ("__model__", "__params__")


def export_network(
    built: Built, scope: Any, place: Any, folder: Path, *, name: str = "model", legacy: bool = False
) -> list[Path]:
    """Write the program from its inputs to its outputs, and its parameters in one file.

    Args:
        built: a network built for inference.
        scope: holds its weights.
        place: where the weights are.
        folder: made if it is not there.
        name: of the two files, before their suffixes.
        legacy: give them the names of Paddle 1.x instead; the contents are the same.

    Returns:
        the two files.
    """
    block = built.main.global_block()
    feeds = [block.var(feed) for feed, _, _ in built.feeds]
    fetches = [block.var(output) for output in built.outputs.values()]
    executor = paddle.static.Executor(place)
    program = paddle.static.normalize_program(built.main, feeds, fetches)
    with paddle.static.scope_guard(scope):
        params = paddle.static.serialize_persistables(feeds, fetches, executor, program=program)
    names = LEGACY if legacy else (f"{name}.pdmodel", f"{name}.pdiparams")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file for file in names]
    write_whole(paths[1], params)
    write_whole(paths[0], plain_bytes(program))
    return paths
