"""The same program in another form: other names, another valid order of the ops.

What graphprobe finds must not depend on either, so tests compare before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

from graphprobe.ir.program import Block, Op, Program


def rename_all(program: Program, seed: int, form: str = "v{}") -> tuple[Program, dict[str, str]]:
    """Give every variable and parameter another name.

    Args:
        program: What is renamed.
        seed: Of the numbers that the names hold.
        form: The new names, a number in place of ``{}``.

    Returns:
        The program and old name -> new name.
    """
    random = Random(seed)  # noqa: S311 - not for secrets
    names = {name: None for block in program.blocks for name in block.vars}
    names.update({n: None for op in program.ops for n in (*op.input_names(), *op.output_names())})
    numbers = random.sample(range(10 * len(names) + 10), len(names))
    new = {name: form.format(number) for name, number in zip(names, numbers, strict=True)}
    blocks = tuple(_renamed(block, new) for block in program.blocks)
    feeds, fetches = ([new.get(n, n) for n in group] for group in (program.feeds, program.fetches))
    return replace(program, blocks=blocks, feeds=tuple(feeds), fetches=tuple(fetches)), new


def _renamed(block: Block, new: Mapping[str, str]) -> Block:
    return replace(
        block,
        vars={new[n]: replace(var, name=new[n]) for n, var in block.vars.items()},
        ops=tuple(
            replace(op, inputs=_slots(op.inputs, new), outputs=_slots(op.outputs, new))
            for op in block.ops
        ),
    )


def _slots(
    slots: Mapping[str, tuple[str, ...]], new: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    return {slot: tuple(new[n] for n in names) for slot, names in slots.items()}


def shuffle_ops(program: Program, seed: int) -> Program:
    """Put the ops of each block into another order in which every read still finds its write."""
    random = Random(seed)  # noqa: S311 - not for secrets
    blocks: list[Block] = []
    first = 0
    for block in program.blocks:
        order = _another_order(program, block, random)
        ops = tuple(replace(op, id=first + i) for i, op in enumerate(order))
        blocks.append(replace(block, ops=ops))
        first += len(ops)
    return replace(program, blocks=tuple(blocks))


def _another_order(program: Program, block: Block, random: Random) -> list[Op]:
    """A random topological order; reads and writes of one name keep their order."""
    after: list[list[int]] = [[] for _ in block.ops]
    waits = [0] * len(block.ops)
    writer: dict[str, int] = {}
    readers: dict[str, list[int]] = {}
    for i, op in enumerate(block.ops):
        reads, writes = _names(program, op)
        before = {writer[n] for n in (*reads, *writes) if n in writer}
        before |= {r for n in writes for r in readers.get(n, ())}
        before.discard(i)
        for other in before:
            after[other].append(i)
        waits[i] = len(before)
        for name in reads:
            readers.setdefault(name, []).append(i)
        for name in writes:
            writer[name] = i
            readers[name] = []
    return [block.ops[i] for i in _drawn(after, waits, random)]


def _drawn(after: list[list[int]], waits: list[int], random: Random) -> Iterable[int]:
    ready = [i for i, count in enumerate(waits) if count == 0]
    while ready:
        at = random.randrange(len(ready))
        ready[at], ready[-1] = ready[-1], ready[at]
        chosen = ready.pop()
        yield chosen
        for other in after[chosen]:
            waits[other] -= 1
            if waits[other] == 0:
                ready.append(other)


def _names(program: Program, op: Op) -> tuple[set[str], set[str]]:
    """What an op reads and writes, the ops of its sub-blocks included."""
    reads, writes = set(op.input_names()), set(op.output_names())
    queue, seen = [op], {op.block}
    for one in queue:
        sub = one.attrs.get("sub_block")
        if isinstance(sub, int) and 0 <= sub < len(program.blocks) and sub not in seen:
            seen.add(sub)
            queue += program.blocks[sub].ops
            for inner in program.blocks[sub].ops:
                reads.update(inner.input_names())
                writes.update(inner.output_names())
    return reads, writes
