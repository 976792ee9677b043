"""The text ``zoo:NAME?option=value&...`` and the options' types and ranges."""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from graphprobe.errors import LoadError, did_you_mean
from graphprobe.plugins import Plugin, plugins
from graphprobe.zoo._base import MODES, OptionValue

PREFIX = "zoo:"


@dataclass(frozen=True)
class ZooSpec:
    """A bundled model and the options that were given for it.

    Args:
        name: a name of `zoo_names`.
        options: the options that stood in the text, typed; the model's defaults fill the rest.
    """

    name: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """``train``, ``eval`` or ``infer``."""
        return str(self.options.get("mode", "train"))

    def __str__(self) -> str:
        """One text for one meaning: options sorted, values in one spelling."""
        pairs = (f"{key}={_spell(self.options[key])}" for key in sorted(self.options))
        query = "&".join(pairs)
        return f"{PREFIX}{self.name}?{query}" if query else f"{PREFIX}{self.name}"


def _spell(value: OptionValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def zoo_names() -> tuple[str, ...]:
    """The names of the models, sorted, from the names of their files and of entry points."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    own = (info.name for info in modules if not info.name.startswith("_"))
    return tuple(sorted({*own, *(plugin.name for plugin in plugins("graphprobe.zoo"))}))


def zoo_plugin(name: str) -> Plugin | None:
    """The installed package's model of that name; None for a bundled one."""
    return next((plugin for plugin in plugins("graphprobe.zoo") if plugin.name == name), None)


def parse_zoo(text: str) -> ZooSpec:
    """Read ``zoo:NAME?num_classes=3&size=96&mode=train``.

    Raises:
        LoadError: not such a text, an unknown model or option, or a value out of range.
    """
    if not text.startswith(PREFIX):
        raise LoadError("is not the name of a bundled model", where=text, hint=_form())
    name, _, query = text[len(PREFIX) :].partition("?")
    known = zoo_names()
    if name not in known:
        hint = did_you_mean(name, known) or f"the bundled models are {', '.join(known)}"
        raise LoadError(f"no bundled model is called {name!r}", where=text, hint=hint)
    return ZooSpec(name, _parse_options(text, query))


def _form() -> str:
    return "write zoo:NAME or zoo:NAME?option=value&option=value"


def _parse_options(text: str, query: str) -> dict[str, OptionValue]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        message = f"the options {query!r} cannot be read"
        raise LoadError(message, where=text, hint=_form()) from None
    options: dict[str, OptionValue] = {}
    for key, value in pairs:
        if key in options:
            raise LoadError(f"option {key} is given twice", where=text, hint="give it once")
        options[key] = _parse_value(text, key, value)
    return dict(sorted(options.items()))


def _parse_value(text: str, key: str, value: str) -> OptionValue:
    if key not in OPTIONS:
        hint = did_you_mean(key, OPTIONS) or f"the options are {', '.join(OPTIONS)}"
        raise LoadError(f"there is no option {key!r}", where=text, hint=hint)
    read, expected = OPTIONS[key]
    found = read(value)
    if found is None:
        raise LoadError(f"{key}={value!r} is not possible", where=text, hint=f"give {expected}")
    return found


def _integer(low: int, high: int) -> Callable[[str], int | None]:
    def read(value: str) -> int | None:
        plain = value.isascii() and value.isdigit() and len(value) < 10
        return int(value) if plain and low <= int(value) <= high else None

    return read


def _number(low: float, high: float) -> Callable[[str], float | None]:
    def read(value: str) -> float | None:
        try:
            found = float(value)
        except ValueError:
            return None
        return found if math.isfinite(found) and low <= found <= high else None

    return read


def _truth(value: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(value.lower())


def _one_of(*words: str) -> Callable[[str], str | None]:
    return lambda value: value if value in words else None


# option -> (text -> value, or None where it is refused; what to give instead)
OPTIONS: dict[str, tuple[Callable[[str], OptionValue | None], str]] = {
    "assign": (_one_of("aligned", "atss"), "aligned or atss"),
    "fine_grained": (_truth, "true or false"),
    "frozen": (_truth, "true or false"),
    "label_smooth": (_truth, "true or false"),
    "mode": (_one_of(*MODES), "train, eval or infer"),
    "num_classes": (_integer(1, 10_000), "a whole number from 1 to 10000"),
    "plus": (_truth, "true or false"),
    "scale": (_number(0.05, 4.0), "a number from 0.05 to 4"),
    "size": (_integer(32, 4096), "a whole number of pixels from 32 to 4096"),
}
