"""Read a small json file whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graphprobe.errors import GraphprobeError
from graphprobe.yaml_io import read_start

MAX_BYTES = 16 << 20


def read_json(path: Path, hint: str) -> Any:
    """What a json file holds.

    Args:
        path: the file.
        hint: what to do where it cannot be read.

    Raises:
        GraphprobeError: it cannot be read, is larger than 16 MiB, or is not json.
    """
    data = read_start(path, MAX_BYTES + 1, hint)
    if len(data) > MAX_BYTES:
        raise GraphprobeError("larger than 16 MiB", where=str(path), hint=hint)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # ValueError: not json, or not text
        raise GraphprobeError(f"not json ({error})", where=str(path), hint=hint) from error
