"""The variables that hold what a network predicts, before decoding and choices hide differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphprobe.ops.kinds import has_weights, kind_of, reads_size_only

# What is made of predictions is no prediction any more.
_HEADS = frozenset({"decode", "loss", "metric", "output"})
# The smallest change of what these read may change all of what they make.
_CHOOSING = frozenset({"select", "path", "comparison", "control"})


def outputs_of(program: Any) -> tuple[str, ...]:
    """What decoding, suppression and losses read first; else what nothing reads.

    Integers (the classes that arg_max picks) hide differences, so what they are computed from is
    compared; and a choice among a network's outputs (the peaks of a map, the best 100 rows) turns
    the rounding of two scores into another choice, so what it chooses from is compared.
    """
    ops = program.global_block().ops
    writers = {name: op for op in ops for name in op.output_arg_names}
    heads = [op for op in ops if kind_of(op.type) in _HEADS]
    made = {name for op in heads for name in op.output_arg_names}
    chosen, answers = _choices(program, writers)
    made |= chosen
    found = [
        name
        for op in heads
        for name in op.input_arg_names
        if name not in made and _is_float_activation(program, name, writers)
    ]
    if not found:
        inner = chosen.union(name for op in ops for name in op.input_arg_names)
        ends = [op for op in ops if inner.isdisjoint(op.output_arg_names)]
        found = [name for op in ends for name in _floats(program, op, writers)]
    return tuple(dict.fromkeys((*answers, *found)))


def _choices(program: Any, writers: Mapping[str, Any]) -> tuple[set[str], list[str]]:
    """What a network's own answers choose among them, and the answers.

    Returns:
        names that a choice decides, and the activations that are chosen from and by; none of either
        where layers with weights follow, for then the answers are behind them.
    """
    block = program.global_block()
    computed = {
        name
        for op in block.ops
        for name in op.input_arg_names
        if name not in writers and not block.var(name).persistable
    }
    chosen: set[str] = set()
    answers: list[str] = []
    for op in block.ops:
        reads = [name for name in op.input_arg_names if name in computed]
        chooses = bool(reads) and kind_of(op.type) in _CHOOSING
        if chooses or chosen.intersection(op.input_arg_names):
            if any(has_weights(inner.type) for inner in _with_inner(program, op)):
                return set(), []
            chosen.update(op.output_arg_names)
            answers += [n for n in reads if _is_float_activation(program, n, writers)]
        elif reads and not reads_size_only(op.type):
            computed.update(op.output_arg_names)
    return chosen, answers


def _with_inner(program: Any, op: Any) -> Iterator[Any]:
    """An op, and those of the block that it runs."""
    yield op
    if op.has_attr("sub_block"):
        for inner in program.block(op._block_attr_id("sub_block")).ops:
            yield from _with_inner(program, inner)


def _floats(program: Any, op: Any, writers: Mapping[str, Any]) -> list[str]:
    """The first output of an op, or the activations that it is made of where it is no float.

    Exported programs hand whole numbers on (arg_max, then scale), so the way back may be long.
    """
    name = op.output_arg_names[0]
    if _is_float_activation(program, name, writers):
        return [name]
    found, seen, queue = [], {name}, [op]
    for at in queue:
        floats = [n for n in at.input_arg_names if _is_float_activation(program, n, writers)]
        found += floats
        behind = [] if floats else [n for n in at.input_arg_names if n not in seen]
        seen.update(behind)
        queue += [writers[n] for n in behind if n in writers]
    return found or [name]


def _is_float_activation(program: Any, name: str, writers: Mapping[str, Any]) -> bool:
    var = program.global_block().var(name)
    kind = str(var.dtype).lower()
    return name in writers and not var.persistable and ("float" in kind or "fp" in kind)
