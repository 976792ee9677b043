"""Which forward op each backward and optimizer op belongs to.

A gradient op reads the forward variables of its forward op under the same slot names; where it
reads none of them, it reads the gradient of the forward op's output. An optimizer op updates a
parameter, which belongs to the forward op that reads it first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from graphprobe.ir import Dataflow, Op

GRADIENT = "@GRAD"  # framework::kGradVarSuffix, in slots and in names
_TRIES = 8


@dataclass(slots=True)
class Owned:
    """How many backward and optimizer ops each forward op has.

    Args:
        backward: forward op id -> backward ops.
        optimizer: forward op id -> optimizer ops.
        loose: role -> ops that belong to no single forward op (learning rate, sums, clips).
    """

    backward: Counter[int] = field(default_factory=Counter)
    optimizer: Counter[int] = field(default_factory=Counter)
    loose: Counter[str] = field(default_factory=Counter)


def owned_ops(flow: Dataflow) -> Owned:
    """Attach every backward and optimizer op of a program. Linear in its size."""
    owned = Owned()
    readers = _readers(flow)
    writers = _writers(flow)
    of_parameter = _parameter_readers(flow)
    for op in flow.program.ops:
        if op.role == "backward":
            owner = _by_slots(op, readers)
            owner = _by_gradient(op, writers) if owner is None else owner
            _count(owned, owned.backward, owner, "backward")
        elif op.role == "optimizer":
            name = op.input("Param")
            _count(owned, owned.optimizer, of_parameter.get(name or ""), "optimizer")
    return owned


def _count(owned: Owned, counter: Counter[int], owner: int | None, role: str) -> None:
    if owner is None:
        owned.loose[role] += 1
    else:
        counter[owner] += 1


def _readers(flow: Dataflow) -> dict[tuple[str, str, str], list[Op]]:
    """(op type, slot, variable) -> the forward ops with that variable in that slot."""
    found: dict[tuple[str, str, str], list[Op]] = {}
    for op in flow.program.ops:
        if op.role == "forward":
            for slots in (op.inputs, op.outputs):
                for slot, names in slots.items():
                    if names:
                        found.setdefault((op.type, slot, names[0]), []).append(op)
    return found


def _by_slots(op: Op, readers: dict[tuple[str, str, str], list[Op]]) -> int | None:
    kind = op.type.removesuffix("_grad")
    slots = [(s, n) for s, n in op.inputs.items() if n and not s.endswith(GRADIENT)]
    candidates = [readers.get((kind, slot, names[0]), []) for slot, names in slots]
    fewest = min((found for found in candidates if found), key=len, default=[])
    for other in fewest[:_TRIES]:
        if all(_same(other, slot, names) for slot, names in slots):
            return other.id
    return None


def _same(op: Op, slot: str, names: tuple[str, ...]) -> bool:
    return names in (op.inputs.get(slot, names), op.outputs.get(slot, names))


def _by_gradient(op: Op, writers: dict[str, int]) -> int | None:
    """The forward op that wrote the variable whose gradient this op reads."""
    for _, names in sorted(op.inputs.items()):
        for name in names:
            if GRADIENT in name and name.split(GRADIENT)[0] in writers:
                return writers[name.split(GRADIENT)[0]]
    return None


def _writers(flow: Dataflow) -> dict[str, int]:
    """Variable -> the last forward op that writes it."""
    return {
        value.name: value.producer
        for value in flow.values
        if value.producer is not None and flow.program.ops[value.producer].role == "forward"
    }


def _parameter_readers(flow: Dataflow) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in flow.values:
        if value.producer is None:
            for reader in value.consumers:
                if flow.program.ops[reader].role == "forward":
                    found.setdefault(value.name, reader)
                    break
    return found
