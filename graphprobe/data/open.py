"""Open a data set from one line of text, as ``voc:PATH?split=val`` or ``digits?count=200``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

from graphprobe.data.sample import Dataset, DatasetFormat
from graphprobe.errors import DataError, did_you_mean
from graphprobe.registry import discover
from graphprobe.waits import waiting_for

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_OPENED: ContextVar[dict[str, Dataset] | None] = ContextVar("opened", default=None)


def formats() -> dict[str, DatasetFormat]:
    """All formats by name."""
    return discover("graphprobe.data.formats", "DATASET", DatasetFormat)


def parse_spec(spec: str) -> tuple[str, str, dict[str, str]]:
    """Split ``name:path?key=value&key=value``; path and options may be left out.

    Returns:
        name, path, and the options as text.
    """
    head, _, query = spec.partition("?") if ":" not in spec else _split_path(spec)
    name, _, path = head.partition(":")
    return name, path, dict(parse_qsl(query, keep_blank_values=True))


def _split_path(spec: str) -> tuple[str, str, str]:
    head, mark, query = spec.rpartition("?")
    return (head, mark, query) if mark and "=" in query else (spec, "", "")


@contextmanager
def opened_once() -> Iterator[None]:
    """Inside, what `open_data` has opened by a line of text is given again for the same line.

    Reading the annotations of train2017 takes 17 s, and a command may need them several times.
    """
    token = _OPENED.set({})
    try:
        yield
    finally:
        _OPENED.reset(token)


def open_data(spec: str, **more: Any) -> Dataset:
    """Open the data set that a line of text names.

    Args:
        spec: ``name[:path][?key=value&...]``.
        more: options that go before those of the line, as from a config.

    Raises:
        DataError: an unknown name or option, a wrong value, or what the format itself finds.
    """
    opened = None if more else _OPENED.get()
    if opened is not None and spec in opened:
        return opened[spec]
    name, path, options = parse_spec(spec)
    with waiting_for(f"opening {spec}"):
        found = open_named(name, {**({"path": path} if path else {}), **options, **more})
    if opened is not None:
        opened[spec] = found
    return found


def find_format(name: str) -> DatasetFormat:
    """The format of that name.

    Raises:
        DataError: there is none.
    """
    known = formats()
    if name not in known:
        hint = did_you_mean(name, known) or f"known are {', '.join(known)}"
        raise DataError("unknown kind of data set", where=name or "data", hint=hint)
    return known[name]


def open_named(name: str, options: Mapping[str, Any]) -> Dataset:
    """Open a data set by the name of its format; values may be typed or text.

    Raises:
        DataError: as `open_data`.
    """
    form = find_format(name)
    rest = dict(options)
    path = rest.pop("path", "")
    if bool(path) != form.takes_path:
        text = "needs a path" if form.takes_path else "takes no path"
        raise DataError(text, where=name, hint=f"write {_usage(form)}")
    checked = _check_options(form, rest)
    return form.open(path, **checked) if form.takes_path else form.open(**checked)


def _usage(form: DatasetFormat) -> str:
    return f"{form.name}:PATH" if form.takes_path else f"{form.name}?{next(iter(form.options))}=..."


def _check_options(form: DatasetFormat, given: Mapping[str, Any]) -> dict[str, Any]:
    problems = []
    values = dict(form.options)
    for key, value in given.items():
        if key not in form.options:
            hint = did_you_mean(key, form.options) or f"known are {', '.join(form.options)}"
            problems.append(f"unknown option {key!r} ({hint})")
            continue
        try:
            values[key] = _convert(value, form.options[key])
        except (ValueError, OverflowError, TypeError):
            kind = type(form.options[key]).__name__
            problems.append(f"option {key} must be {kind}, not {value!r}")
    if problems:
        raise DataError("; ".join(problems), where=form.name)
    return values


def _convert(value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        return _truth(value)
    if isinstance(default, int | float):
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if isinstance(default, int):
            if number != int(number):
                raise ValueError
            return int(number)
        return number
    return str(value)


def _truth(value: Any) -> bool:
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE
