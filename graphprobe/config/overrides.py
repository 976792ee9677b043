"""``key.path=value`` from the command line, put into a config before it is validated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from graphprobe.errors import Problem, UsageError
from graphprobe.yaml_io import parse_value

_STEP = re.compile(r"[^.\[\]=]+|\[\d+\]")
_PATH = re.compile(r"^[^.\[\]=]+(?:\.[^.\[\]=]+|\[\d+\])*$")


def apply_overrides(document: Any, overrides: Sequence[str]) -> tuple[Any, list[Problem]]:
    """Set each path of a document that was just read (it is changed in place).

    Args:
        document: plain data.
        overrides: as ``train.batch_size=4`` or ``pairs[0].weight=10``; values are YAML.

    Returns:
        The document and what could not be set.

    Raises:
        UsageError: an override is not of the form key.path=value.
    """
    problems = []
    for text in overrides:
        path, value = _split(text)
        if not _set(document, _steps(path), value):
            problems.append(Problem(path, "the override meets no section or list there"))
    return document, problems


def paths_of(overrides: Sequence[str]) -> list[str]:
    """What overrides set, as ``train.batch_size``.

    Raises:
        UsageError: as `apply_overrides`.
    """
    return [_split(text)[0] for text in overrides]


def is_named(name: str, overrides: Sequence[str]) -> bool:
    """Whether an override sets a value, a part of it, or the section that contains it.

    Args:
        name: of a value, as ``train.batch_size``.
        overrides: as `apply_overrides` takes them.

    Raises:
        UsageError: as `apply_overrides`.
    """
    return any(
        path == name or path.startswith((f"{name}.", f"{name}[")) or name.startswith(f"{path}.")
        for path in paths_of(overrides)
    )


def _split(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not _PATH.match(path):
        raise UsageError(
            "not of the form key.path=value",
            where=f"override={text!r}",
            hint="as train.batch_size=4; the folder of predictions and exports is no such key",
        )
    return path, parse_value(value, text)


def _steps(path: str) -> list[str | int]:
    return [int(s[1:-1]) if s.startswith("[") else s for s in _STEP.findall(path)]


def _set(document: Any, steps: list[str | int], value: Any) -> bool:
    at = document
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        last = following is None
        if isinstance(at, dict) and isinstance(step, str):
            if last:
                at[step] = value
            elif at.get(step) is None:
                at[step] = {}
            at = at[step]
        elif isinstance(at, list) and str(step).isdigit() and int(step) < len(at):
            if last:
                at[int(step)] = value
            at = at[int(step)]
        else:
            return False
    return True
