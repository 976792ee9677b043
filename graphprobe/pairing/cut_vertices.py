"""Cut vertices: the values of a part of a program that every path through it crosses."""

from __future__ import annotations

from collections.abc import Iterable

from graphprobe.ir import Value
from graphprobe.pairing.analysis import ProgramAnalysis


def cut_vertices(analysis: ProgramAnalysis, ops: Iterable[int], keep: set[int]) -> list[Value]:
    """The values of a part of a program that every path from its inputs to its ends crosses.

    Whether a value is one does not depend on the order in which independent ops stand.

    Args:
        analysis: the program.
        ops: ids of the ops of the part.
        keep: ids of the values that count (constants and statistics do not).

    Returns:
        The values in the order of the program. Linear in the part.
    """
    order = sorted(ops)
    position = {op: i for i, op in enumerate(order)}
    ends = len(order)
    changes = [0] * (ends + 2)
    made: list[tuple[int, Value]] = []
    for op in order:
        for value in analysis.flow.writes(analysis.program.ops[op]):
            if value.id in keep:
                uses = [position[c] for c in value.consumers if c in position]
                # What nobody in the part reads is an end of it, and ends live on together.
                last = max(uses) if uses else ends
                changes[position[op]] += 1
                changes[last] -= 1
                made.append((position[op], value))
    alive = [0] * (ends + 1)
    running = 0
    for i in range(ends + 1):
        running += changes[i]
        alive[i] = running
    return [value for at, value in made if alive[at] == 1]
