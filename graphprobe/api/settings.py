"""Open the config that a function is given, with what overrides it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprobe.errors import UsageError

if TYPE_CHECKING:
    from graphprobe.config import Config
    from graphprobe.training.reporting.progress import Log

# A config, its file, or the folder of a run.
ConfigLike: TypeAlias = "str | os.PathLike[str] | Config"
# {"train.batch_size": 4}, or the same as words: ["train.batch_size=4"].
Override: TypeAlias = "Mapping[str, Any] | Sequence[str]"
_OVERRIDE_HINT = "give {'train.batch_size': 4}, or words as 'train.batch_size=4'"


def override_words(override: Override) -> list[str]:
    """Overrides as ``key.path=value``; one may come without a list around it.

    Raises:
        UsageError: what is given is neither a mapping of plain values nor such words.
    """
    if isinstance(override, str):
        return [override]
    if isinstance(override, Mapping):
        return [f"{key}={_override_value(key, value)}" for key, value in override.items()]
    if not isinstance(override, Iterable):
        raise UsageError(
            f"is {type(override).__name__}, not a mapping or a list of words",
            where="override",
            hint=_OVERRIDE_HINT,
        )
    words = list(override)
    for word in words:
        if not isinstance(word, str):
            raise UsageError(
                f"holds {type(word).__name__}, not a word", where="override", hint=_OVERRIDE_HINT
            )
    return words


def _override_value(key: str, value: Any) -> str:
    """A value as JSON; a path counts as its text."""
    try:
        return json.dumps(os.fspath(value) if isinstance(value, os.PathLike) else value)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{type(value).__name__} is no value of a config", where=f"override {key}"
        ) from error


def open_config(
    config: ConfigLike, override: Override = (), *, allow_code: bool = False
) -> tuple[Config, str]:
    """Read a config, then make sure that Paddle is there for what follows.

    Args and Raises: as `read_settings`.

    Raises:
        MissingDependency: Paddle is not installed.
    """
    from graphprobe.training.runtime.dependencies import require_paddle

    found = read_settings(config, override, allow_code=allow_code)
    require_paddle()
    return found


def read_settings(
    config: ConfigLike, override: Override = (), *, allow_code: bool = False
) -> tuple[Config, str]:
    """Read a config, without Paddle.

    Args:
        config: a file, the folder of a run or one of its checkpoints, whose config it then is, or
            a config that was made in Python, which may name the user's own code.
        override: what it sets in the config.
        allow_code: whether a file may name the user's own code.

    Returns:
        the config, and what to call it in messages.

    Raises:
        GraphprobeError: the file is not there, or cannot be read.
        ConfigError: every problem of the config at once, each with its path.
    """
    from pydantic import BaseModel

    from graphprobe.config import load_config, override_config, read_config

    words = override_words(override)
    if isinstance(config, (str, os.PathLike)):
        where = os.fspath(config)
        path = Path(where)
        if not path.exists():
            hint = "name a config, or the folder that train wrote into"
            raise UsageError("is not there", where=where, hint=hint)
        if path.is_dir():
            from graphprobe.training.run_record import read_run

            document = read_run(path)
            found = read_config(document, words, where=where, allow_code=allow_code)
        else:
            found = load_config(path, words, allow_code=allow_code)
    elif isinstance(config, BaseModel):
        where = "the config"
        found = override_config(config, words, where=where)
    else:
        raise UsageError(
            f"is {type(config).__name__}, not a file or a folder of a run",
            where="config",
            hint="name one, or take what to_config() makes",
        )
    return found, where


def place_run(wanted: Path, *, resume: bool, log: Log) -> Path:
    """The folder that a run is written into: the next number where one is there already.

    Args:
        wanted: of the config.
        resume: whether the run goes on: then it is the last one into that place.
        log: takes a line where it is another folder.
    """
    from graphprobe.training.distributed.ranks import world_size
    from graphprobe.training.run_folder import free_folder, newest_run

    if world_size() > 1 and not resume:
        # Each process would choose for itself; a folder that holds a run is refused by all.
        return wanted
    folder = newest_run(wanted) if resume else free_folder(wanted)
    if folder != wanted and resume:
        log(f"going on with {folder}, the last run into {wanted}")
    elif folder != wanted:
        log(f"{wanted} holds a run already, so this one goes into {folder}")
    return folder


def data_words(data: str | None) -> Sequence[str]:
    """What sets the data of a config: both lines that ``voc:PATH`` stands for."""
    from graphprobe.data.splits import train_and_val

    if data is None:
        return ()
    train_on, val = train_and_val(data)
    return f"train.data.train={json.dumps(train_on)}", f"train.data.val={json.dumps(val)}"


def engine_words(engine: str | None) -> Sequence[str]:
    """What sets who prunes, in a pruning config."""
    return () if engine is None else (f"prune.engine={json.dumps(engine)}",)
