"""Pydantic's errors as problems with a path in the file, in the words of its reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from graphprobe.errors import Problem, did_you_mean

_WORDS = {
    "missing": "missing",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a section of keys and values",
    "model_type": "must be a section of keys and values",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """One problem for each place in the file; the alternatives of a union are merged."""
    found: dict[str, str] = {}
    items = error.errors(include_url=False)
    for item in items:
        if _follows(item, items):
            continue
        steps = _in_file(item["loc"], model)
        path = to_path(steps)
        message = _message(item, steps, model)
        end = f", not {item.get('input')!r}"
        if path not in found:
            found[path] = message
        elif message not in found[path]:
            # One value, and all that it may be.
            begin = found[path].removesuffix(end)
            found[path] = f"{begin} or {message.removeprefix('must be ')}"
    return [Problem(path, message) for path, message in found.items()]


def _follows(item: Any, items: Sequence[Any]) -> bool:
    """Whether a list counts as empty only because its items are wrong."""
    loc = item["loc"]
    return item["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in items
    )


def to_path(steps: tuple[int | str, ...]) -> str:
    """As ``pairs[2].loss``."""
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)
    return text.removeprefix(".")


def _in_file(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[int | str, ...]:
    """Leave out what names an alternative of a union (``str``, ``float``), not a key."""
    return tuple(
        s
        for i, s in enumerate(loc)
        if not (i and i == len(loc) - 1 and _is_alternative(s) and s not in _keys(model, loc[:i]))
    )


def _is_alternative(step: int | str) -> bool:
    known = {"str", "int", "float", "bool", "none", "constrained-float"}
    return isinstance(step, str) and (step in known or step.startswith("literal["))


def _message(item: Any, steps: tuple[int | str, ...], model: type[BaseModel]) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        name = str(steps[-1])
        hint = did_you_mean(name, _keys(model, steps[:-1])) or _below(name, model, steps[:-1])
        return f"unknown key, {hint}" if hint else "unknown key"
    if kind == "missing":
        return "missing"
    text = _WORDS.get(kind) or str(item["msg"]).replace("Input should ", "must ").replace(
        "String should ", "must "
    )
    value = item.get("input")
    if kind == "string_pattern_mismatch":
        text = "must be sha256: and 16 hexadecimal digits"
    return f"{text}, not {value!r}" if _short(value) else text


def _below(name: str, model: type[BaseModel], steps: tuple[int | str, ...]) -> str:
    """A hint where a section below has that key: ``batch_size`` is ``train.batch_size``."""
    homes = [s for s in _keys(model, steps) if name in _keys(model, (*steps, s))]
    path = "".join(f"{step}." for step in steps)
    return f"did you mean {' or '.join(f'{path}{s}.{name}' for s in homes)}?" if homes else ""


def _short(value: Any) -> bool:
    simple = value is None or isinstance(value, str | int | float)
    return simple and value != "" and len(repr(value)) <= 60


def _keys(model: type[BaseModel], steps: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that the section at a path may have; none where it is no section."""
    at: type[BaseModel] | None = model
    for step in steps:
        if at is None:
            return ()
        if isinstance(step, int):
            continue
        field = at.model_fields.get(step)
        at = next(_models(field.annotation), None) if field is not None else None
    return tuple(at.model_fields) if at is not None else ()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
