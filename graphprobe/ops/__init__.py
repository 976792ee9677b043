"""What graphprobe knows of operators, one file a family.

Each file defines FAMILY: op types and, for each, an `OpSpec` whose rule says how channels pass.
To add an operator, add its type to the family that it works like, or write a new file.
"""

from __future__ import annotations

from functools import cache

from graphprobe.ops.spec import Family, OpSpec
from graphprobe.registry import discover

__all__ = ["OpSpec", "op_spec", "op_specs"]


@cache
def op_specs() -> dict[str, OpSpec]:
    """Every spec by op type.

    Raises:
        TypeError: two families claim one op type (a defect, not a user's error).
    """
    found: dict[str, OpSpec] = {}
    for family in discover("graphprobe.ops.families", "FAMILY", Family).values():
        twice = found.keys() & family.specs.keys()
        if twice:
            raise TypeError(f"{family.name}: also in another family: {', '.join(sorted(twice))}")
        found.update(family.specs)
    return found


def op_spec(op_type: str) -> OpSpec | None:
    """The spec of an op type; ``relu_`` works in place and is otherwise ``relu``."""
    specs = op_specs()
    return specs.get(op_type) or specs.get(op_type.removesuffix("_"))
