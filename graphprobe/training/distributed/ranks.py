"""The rank of this process and the world size, as ``paddle.distributed.launch`` sets them."""

from __future__ import annotations

import os

from graphprobe.errors import UsageError


def rank() -> int:
    """The number of this process, from 0; 0 where it is alone."""
    found = _number("PADDLE_TRAINER_ID", 0)
    if not 0 <= found < world_size():
        text = f"PADDLE_TRAINER_ID is {found} with {world_size()} processes"
        raise UsageError(text, hint="start them with python -m paddle.distributed.launch")
    return found


def world_size() -> int:
    """How many processes train together; 1 where this one is alone."""
    return max(_number("PADDLE_TRAINERS_NUM", 1), 1)


def local_world_size() -> int:
    """How many of them run on this machine, this one included."""
    own = os.environ.get("PADDLE_CURRENT_ENDPOINT", "").rpartition(":")[0]
    every = os.environ.get("PADDLE_TRAINER_ENDPOINTS", "").split(",")
    return max(sum(end.rpartition(":")[0] == own for end in every), 1)


def _number(name: str, usual: int) -> int:
    text = os.environ.get(name, "")
    try:
        return int(text) if text else usual
    except ValueError:
        raise UsageError(f"{name} is {text!r}, not a number", hint=f"unset {name}") from None
