"""The blocks of a Program while they are made from PIR: names of values, variables, ops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphprobe.formats._limits import MAX_BLOCKS, MAX_DEPTH, MAX_OPS
from graphprobe.formats.pir.values import Json, Malformed, get_id, variables
from graphprobe.ir import Op, Var


@dataclass(slots=True)
class Draft:
    """A block in the making."""

    index: int
    parent: int
    depth: int
    vars: dict[str, Var] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)


class Drafts:
    """All blocks of one program. PIR numbers its values across blocks; here each has a name."""

    def __init__(self) -> None:
        self.blocks: list[Draft] = []
        self.names: dict[int, tuple[str, ...]] = {}
        self.counts: Counter[str] = Counter()
        self._taken: set[str] = set()
        self._ops = 0

    def open(self, parent: int, depth: int) -> Draft:
        """A new block.

        Raises:
            Malformed: there are too many, or they are nested too deeply.
        """
        if depth > MAX_DEPTH or len(self.blocks) >= MAX_BLOCKS:
            raise Malformed(f"blocks nested deeper than {MAX_DEPTH} or more than {MAX_BLOCKS}")
        self.blocks.append(Draft(len(self.blocks), parent, depth))
        return self.blocks[-1]

    def parameter(self, name: str, var: Var, number: int) -> None:
        """Declare a parameter in the main block, under its own name."""
        self._taken.add(name)
        self.blocks[0].vars[name] = var
        self.names[number] = (name,)

    def read(self, value: Json) -> tuple[str, ...]:
        """Names of an operand; none where it is absent."""
        number = get_id(value)
        if number == 0:
            return ()
        if number not in self.names:
            # A value nobody writes: keep the op, under a name that shows it.
            self.names[number] = (self.fresh(f"undefined_{number}"),)
        return self.names[number]

    def read_all(self, values: Iterable[Json]) -> tuple[str, ...]:
        """Names of several operands, one after the other."""
        return tuple(name for value in values for name in self.read(value))

    def next_number(self, stem: str) -> int:
        """How many results were named after a stem before; each call counts."""
        self.counts[stem] += 1
        return self.counts[stem] - 1

    def declare(self, draft: Draft, value: dict[str, Json], stem: str) -> tuple[str, ...]:
        """Name and declare the variables of a result: ``STEM.tmp_0``, or members of a vector."""
        number = get_id(value)
        if number == 0:
            return ()
        found = variables(self.fresh(stem), value.get("TT"))
        draft.vars.update((var.name, var) for var in found)
        self.names[number] = tuple(var.name for var in found)
        return self.names[number]

    def new_var(self, draft: Draft, stem: str, var: Var) -> str:
        """Declare a variable that PIR does not have, and return its name."""
        name = self.fresh(f"{stem}_{self.next_number(stem)}.tmp_0")
        draft.vars[name] = replace(var, name=name)
        return name

    def fresh(self, name: str) -> str:
        """The name, or the name with a number where it is taken."""
        unique = name
        while unique in self._taken:
            self.counts[f"{name}@"] += 1
            unique = f"{name}@{self.counts[f'{name}@']}"
        self._taken.add(unique)
        return unique

    def holder(self, kind: str) -> str:
        """The variable of the main block that feed or fetch ops share."""
        self.blocks[0].vars.setdefault(kind, Var(kind, None, "unknown", True, kind))
        return kind

    def emit(self, draft: Draft, op: Op) -> None:
        """Append an op to a block.

        Raises:
            Malformed: there are too many.
        """
        self._ops += 1
        if self._ops > MAX_OPS:
            raise Malformed(f"more than {MAX_OPS} ops")
        draft.ops.append(replace(op, block=draft.index))
