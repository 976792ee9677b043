"""Pairs of a student that was pruned: where one does not fit any more, what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphprobe.config import PairConfig
from graphprobe.errors import Problem
from graphprobe.ops.kinds import reads_size_only
from graphprobe.pruning.plan import PrunePlan
from graphprobe.training.networks.build import Network
from graphprobe.training.objective import Group, group_problems

# More groups than this meet in one variable of a dense network; the line gives their number.
_SHOWN = 6


def pair_problems(group: Group, student: Network, teacher: Network) -> list[Problem]:
    """What keeps a group from being built; where the pruning is the cause, how to mend it.

    Args:
        group: pairs that one loss takes.
        student: with the pruning that it has been through, if any.
        teacher: before a merge.
    """
    problems = group_problems(group, student.main, teacher.main)
    if not problems or student.plan is None:
        return problems
    whole = student.source.build("train").main
    hints = [hint for pair in group.pairs for hint in _hints(pair, student, whole)]
    first = problems[0]
    return [first._replace(message="; ".join([first.message, *hints])), *problems[1:]]


def _hints(pair: PairConfig, student: Network, whole: Any) -> Iterator[str]:
    before, after = _shape(whole, pair.student), _shape(student.main, pair.student)
    axis = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    if axis is None or student.plan is None:
        return
    adapter = "give the pair an adapter"
    if pair.adapter is not None:
        adapter = f"set its adapter.in_channels to {after[axis]}"
    keep = _keep(_makers(pair.student, whole, student.plan))
    yield (
        f"pruning left {after[axis]} of the {before[axis]} channels of {pair.student}: "
        f"{keep}{adapter}"
    )


def _keep(makers: list[str]) -> str:
    """How to leave all the groups whole that a variable's channels come from."""
    if not makers:
        return ""
    if len(makers) > _SHOWN:
        return (
            f"its channels come from {len(makers)} pruned groups, from that of {makers[0]} "
            f"to that of {makers[-1]}, so "
        )
    names = "|".join(map(re.escape, makers))
    regex = f"^(?:{names})$" if len(makers) > 1 else f"^{names}$"
    return f"write the prune config again with keep={regex!r}, or "


def _shape(program: Any, name: str) -> tuple[int, ...]:
    block = program.global_block()
    return tuple(block.var(name).shape) if block.has_var(name) else ()


def _makers(name: str, program: Any, plan: PrunePlan) -> list[str]:
    """The nearest filters before a variable whose output channels the plan prunes, one a group.

    A residual chain has many convolutions in one group, any of which keeps all of it; a concat has
    as many groups as inputs.
    """
    writers = {out: op for op in program.global_block().ops for out in op.output_arg_names}
    found: dict[str, str] = {}
    seen, queue = {name}, [name]
    for at in queue:
        op = writers.get(at)
        if op is None or reads_size_only(op.type):  # what a resize measures has channels of its own
            continue
        if "Filter" in op.input_names:
            for filter_ in op.input("Filter"):
                found.setdefault(plan.leaders.get(filter_, ""), filter_)
            continue
        fresh = [other for other in op.input_arg_names if other not in seen]
        seen.update(fresh)
        queue += fresh
    found.pop("", None)
    return list(found.values())
