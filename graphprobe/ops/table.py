"""The table of operators: every family's rows by op type."""

from __future__ import annotations

from functools import cache

from graphprobe.ops.facets import Family, OpSpec
from graphprobe.registry import discover


@cache
def families() -> dict[str, Family]:
    """Every family by its name."""
    return discover("graphprobe.ops.families", "FAMILY", Family)


@cache
def op_specs() -> dict[str, OpSpec]:
    """Every spec by op type.

    Raises:
        TypeError: two families claim one op type (a defect, not a user's error).
    """
    found: dict[str, OpSpec] = {}
    for family in families().values():
        twice = found.keys() & family.specs.keys()
        if twice:
            raise TypeError(f"{family.name}: also in another family: {', '.join(sorted(twice))}")
        found.update(family.specs)
    return found


def op_spec(op_type: str) -> OpSpec | None:
    """The spec of an op type; ``relu_`` works in place and is otherwise ``relu``."""
    specs = op_specs()
    return specs.get(op_type) or specs.get(op_type.removesuffix("_"))
