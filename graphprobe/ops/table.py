"""The table of operators: every family's rows by op type."""

from __future__ import annotations

from functools import cache, lru_cache

from graphprobe.errors import PluginError
from graphprobe.ops.facets import Family, OpSpec
from graphprobe.registry import discover, modules


@cache
def families() -> dict[str, Family]:
    """Every family by its name."""
    return discover("graphprobe.ops.families", "FAMILY", Family)


@cache
def op_specs() -> dict[str, OpSpec]:
    """Every spec by op type.

    Raises:
        PluginError: a family of an installed package claims a known op type.
        TypeError: two families of graphprobe do (a defect, not a user's error).
    """
    found: dict[str, OpSpec] = {}
    for family in families().values():
        twice = found.keys() & family.specs.keys()
        if twice:
            message = f"{family.name}: also in another family: {', '.join(sorted(twice))}"
            own = family.name in modules("graphprobe.ops.families")
            raise TypeError(message) if own else PluginError(message)
        found.update(family.specs)
    return found


@lru_cache(maxsize=4096)
def op_spec(op_type: str) -> OpSpec | None:
    """The spec of an op type; ``relu_`` works in place and is otherwise ``relu``."""
    specs = op_specs()
    return specs.get(op_type) or specs.get(op_type.removesuffix("_"))
