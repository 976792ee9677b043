"""Open the config that a function is given, with what overrides it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from graphprobe.config import Config

# A config, or its file.
ConfigLike: TypeAlias = "str | os.PathLike[str] | Config"
# {"train.batch_size": 4}, or the same as words: ["train.batch_size=4"].
Override: TypeAlias = "Mapping[str, Any] | Sequence[str]"


def override_words(override: Override) -> list[str]:
    """Overrides as ``key.path=value``."""
    if isinstance(override, Mapping):
        return [f"{key}={json.dumps(value)}" for key, value in override.items()]
    return list(override)


def open_config(
    config: ConfigLike, override: Override = (), *, allow_code: bool = False
) -> tuple[Config, str]:
    """Read a config, then make sure that Paddle is there for what follows.

    Args:
        config: a file, or a config that was made in Python, which may name the user's own code.
        override: what it sets in the config.
        allow_code: whether a file may name the user's own code.

    Returns:
        the config, and what to call it in messages.

    Raises:
        GraphprobeError: the file cannot be read.
        ConfigError: every problem of the config at once, each with its path.
        MissingDependency: Paddle is not installed.
    """
    from graphprobe.config import load_config, override_config
    from graphprobe.training.runtime.dependencies import require_paddle

    words = override_words(override)
    if isinstance(config, (str, os.PathLike)):
        where = os.fspath(config)
        found = load_config(Path(where), words, allow_code=allow_code)
    else:
        where = "the config"
        found = override_config(config, words, where=where)
    require_paddle()
    return found, where
