"""The table of operators: every family's rows by op type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import get_args

from graphprobe.errors import did_you_mean
from graphprobe.ops.facets import Computation, Family, Kind, Move, OpSpec
from graphprobe.plugins import Plugin
from graphprobe.registry import discover, plugin_of

_FAMILIES = "graphprobe.ops.families"


@cache
def families() -> dict[str, Family]:
    """Every family by its name.

    Raises:
        PluginError: a family of an installed package is none.
    """
    found = discover(_FAMILIES, "FAMILY", Family)
    for name, family in found.items():
        plugin = plugin_of(_FAMILIES, name)
        if plugin is not None:
            _check_form(plugin, family)
    return found


def _check_form(plugin: Plugin, family: Family) -> None:
    """Refuse what the type of a family promises and a package does not keep."""
    if not isinstance(family.specs, Mapping):
        raise plugin.broken(
            f"must give its specs by op type, not as a {type(family.specs).__name__}"
        )
    for type_, spec in family.specs.items():
        if not isinstance(type_, str):
            raise plugin.broken(f"must name op types by text, not by {type_!r}")
        if not isinstance(spec, OpSpec):
            raise plugin.broken(f"must give {type_} an OpSpec, not a {type(spec).__name__}")
    if not isinstance(family.pir, str):
        raise plugin.broken(f"must give its names in PIR as text, not {type(family.pir).__name__}")


@cache
def op_specs() -> dict[str, OpSpec]:
    """Every spec by op type.

    Raises:
        PluginError: a family of an installed package claims a known op type, or gives one a
            kind, a move or a computation that does not exist.
        TypeError: two families of graphprobe claim one op type (a defect, not a user's error).
    """
    found: dict[str, OpSpec] = {}
    owners: dict[str, str] = {}
    for name, family in families().items():
        plugin = plugin_of(_FAMILIES, name)
        twice = sorted(found.keys() & family.specs.keys())
        if plugin is not None:
            _check_added(plugin, family, {type_: owners[type_] for type_ in twice})
        elif twice:
            raise TypeError(f"{name}: also in another family: {', '.join(twice)}")
        found.update(family.specs)
        owners |= dict.fromkeys(family.specs, plugin.package if plugin else "graphprobe")
    return found


def _check_added(plugin: Plugin, family: Family, taken: dict[str, str]) -> None:
    """Refuse a family of an installed package that cannot be used; `taken`: op type -> by whom."""
    if taken:
        others = " and ".join(dict.fromkeys(taken.values()))
        raise plugin.broken(f"defines what {others} defines too: {', '.join(taken)}")
    for type_, spec in family.specs.items():
        for facet, word, known in _words(spec):
            if word not in known:
                near = did_you_mean(str(word), known)
                message = f"gives {type_} the {facet} {word!r}, which does not exist"
                raise plugin.broken(f"{message} ({near})" if near else message)


def _words(spec: OpSpec) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The facets that are one word of a list, with the list."""
    yield "kind", spec.kind, get_args(Kind)
    if spec.move is not None:
        yield "move", spec.move, get_args(Move)
    if spec.computes is not None:
        yield "computation", spec.computes, get_args(Computation)


@lru_cache(maxsize=4096)
def op_spec(op_type: str) -> OpSpec | None:
    """The spec of an op type; ``relu_`` works in place and is otherwise ``relu``."""
    specs = op_specs()
    return specs.get(op_type) or specs.get(op_type.removesuffix("_"))
