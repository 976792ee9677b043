"""Run a program op by op, as far as its operators are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphprobe.ir import Op, Program
from graphprobe.training.reference.kernel import Array, Run
from graphprobe.training.reference.layers import LAYERS
from graphprobe.training.reference.moves import MOVES
from graphprobe.training.reference.numbers import NUMBERS
from graphprobe.training.reference.resizing import RESIZING

TABLE: dict[str, Run] = {**LAYERS, **RESIZING, **NUMBERS, **MOVES}
_PORTS = ("feed", "fetch")


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Args:
        values: the arrays of all variables that could be computed.
        unknown: types of operators that are not known, with their number.
    """

    values: dict[str, Array] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def ends(self, program: Program) -> list[str]:
        """The variables to compare: outputs, and what unknown operators would have read."""
        asked = [name for name in program.fetches if name in self.values]
        for op in program.blocks[0].ops:
            if op.type not in _PORTS and op.type not in TABLE:
                names = [name for slot in op.inputs.values() for name in slot]
                asked += [name for name in names if name in self.values]
        return list(dict.fromkeys(asked))


def run_reference(
    program: Program, weights: Mapping[str, Array], feed: Mapping[str, Array]
) -> Outcome:
    """Run the main block; what needs an unknown operator's result is left out.

    Args:
        program: one without loops; an op that has a block of its own is unknown.
        weights: the stored tensors by name.
        feed: the inputs by name.
    """
    found = Outcome({**weights, **feed})
    for op in program.blocks[0].ops:
        if op.type in _PORTS:
            continue
        inputs = {slot: [found.values.get(n) for n in names] for slot, names in op.inputs.items()}
        ready = all(array is not None for arrays in inputs.values() for array in arrays)
        if op.type not in TABLE:
            found.unknown[op.type] += 1
        if op.type not in TABLE or not ready:
            # What an op in place would have overwritten is not known any more.
            for name in (name for names in op.outputs.values() for name in names):
                found.values.pop(name, None)
            continue
        outputs = _run(op, inputs)
        for slot, arrays in outputs.items():
            for name, array in zip(op.outputs.get(slot, ()), arrays, strict=False):
                found.values[name] = array
    return found


def _run(op: Op, inputs: Mapping[str, list[Any]]) -> dict[str, list[Array]]:
    with np.errstate(all="ignore"):
        return TABLE[op.type](op, inputs)
