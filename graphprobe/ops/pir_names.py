"""What the operators of PIR are called in ProgramDesc: types, slots, attributes.

Facts taken from paddle/phi/ops/yaml/ops.yaml (order of operands) and op_compat.yaml (names); they
stand in the families of `graphprobe.ops`.
A line reads ``pir_name = type : input slots > output slots ; attribute=its name in ProgramDesc``.
The type is left out where it is the same, the slots where they are ``X > Out``. ``Slot@attr`` is
an operand that ProgramDesc keeps in an attribute when it is constant, in the slot when it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from graphprobe.ops.table import families


@dataclass(frozen=True, slots=True)
class OpNames:
    """How one PIR operator reads in ProgramDesc.

    Args:
        type: op type.
        inputs: for each operand its slot and the attribute that takes it when constant.
        outputs: for each result its slot.
        attrs: attribute names that differ.
    """

    type: str
    inputs: tuple[tuple[str, str | None], ...]
    outputs: tuple[str, ...]
    attrs: dict[str, str] = field(default_factory=dict)

    def input(self, index: int) -> tuple[str, str | None]:
        """Slot and attribute of an operand; operands the table lacks get slots of their own."""
        return self.inputs[index] if index < len(self.inputs) else (f"Input_{index}", None)

    def output(self, index: int) -> str:
        """Slot of a result; results the table lacks get slots of their own."""
        return self.outputs[index] if index < len(self.outputs) else f"Out_{index}"


def op_names(pir_name: str) -> OpNames:
    """The names for a PIR operator, as ``conv2d`` or ``batch_norm_`` (in place).

    An operator that the table lacks keeps its name, with slots ``X``, ``Input_1``, ... and
    ``Out``, ``Out_1``, ...
    """
    name = pir_name if pir_name in pir_lines() else pir_name.rstrip("_") or pir_name
    return (
        _parse(name, pir_lines()[name])
        if name in pir_lines()
        else OpNames(name, (("X", None),), ("Out",))
    )


@cache
def attribute_slots(type: str) -> dict[str, str]:
    """Attribute -> slot of the operands that ProgramDesc keeps in an attribute when constant.

    Args:
        type: an op type of ProgramDesc.
    """
    rows = (_parse(name, line) for name, line in pir_lines().items())
    return {attr: slot for row in rows if row.type == type for slot, attr in row.inputs if attr}


@cache
def pir_lines() -> dict[str, str]:
    """The lines of all families by the name in PIR."""
    found = {}
    for family in families().values():
        for line in family.pir.split("\n"):
            words = line.split(maxsplit=1)
            if words:
                found[words[0]] = words[1] if len(words) > 1 else ""
    return found


@cache
def _parse(name: str, line: str) -> OpNames:
    """Parse what follows the name in a line of the table."""
    head, _, renames = line.partition(";")
    type_part, _, slots = head.partition(":")
    given = type_part.replace("=", "").strip()
    inputs, _, outputs = (slots if slots.strip() else "X > Out").partition(">")
    pairs = (word.partition("@") for word in inputs.split())
    return OpNames(
        given or name,
        tuple((slot, attr or None) for slot, _, attr in pairs),
        tuple(outputs.split()),
        dict(word.split("=") for word in renames.split()),
    )
