"""Who writes what and who reads it, where every write of a variable is a value of its own.

An op may write a variable that another wrote before it (``relu_`` in place, batch-norm
statistics). `dataflow` numbers the writes, so each read names the one write that reaches it.
Time and memory are linear in the number of slots entries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from graphprobe.ir.program import Op, Program


@dataclass(slots=True)
class Value:
    """One write of one variable (or its state before any write).

    Args:
        id: position in ``Dataflow.values``.
        name: the variable's name.
        producer: id of the op that writes it; None for feeds, parameters and dangling names.
        slot: the output slot of the producer.
        index: the position in that slot.
        consumers: ids of the ops that read it, ascending, each once.
        block: the block that the variable belongs to.
    """

    id: int
    name: str
    producer: int | None = None
    slot: str = ""
    index: int = 0
    consumers: list[int] = field(default_factory=list)
    block: int = 0


@dataclass(slots=True, repr=False)
class Dataflow:
    """The reads and writes of a program.

    Args:
        program: the program it was made from.
        values: every value, in the order of first appearance.
        inputs: for each op id, slot -> value ids read.
        outputs: for each op id, slot -> value ids written.
    """

    program: Program
    values: list[Value]
    inputs: list[dict[str, list[int]]]
    outputs: list[dict[str, list[int]]]
    _last: dict[str, int] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"<Dataflow: {len(self.values)} values of {len(self.inputs)} ops>"

    def read(self, op: Op, slot: str) -> Value | None:
        """The first value that an op reads in a slot."""
        ids = self.inputs[op.id].get(slot)
        return self.values[ids[0]] if ids else None

    def written(self, op: Op, slot: str) -> Value | None:
        """The first value that an op writes in a slot."""
        ids = self.outputs[op.id].get(slot)
        return self.values[ids[0]] if ids else None

    def reads(self, op: Op) -> Iterator[Value]:
        """Every value that an op reads, with repetitions."""
        for ids in self.inputs[op.id].values():
            for i in ids:
                yield self.values[i]

    def writes(self, op: Op) -> Iterator[Value]:
        """Every value that an op writes."""
        for ids in self.outputs[op.id].values():
            for i in ids:
                yield self.values[i]

    def producer(self, value: Value) -> Op | None:
        """The op that writes a value."""
        return None if value.producer is None else self.program.ops[value.producer]

    def consumers(self, value: Value) -> Iterator[Op]:
        """The ops that read a value."""
        return (self.program.ops[i] for i in value.consumers)

    def successors(self, op_id: int) -> Iterator[int]:
        """Ids of the ops that read anything an op writes."""
        for ids in self.outputs[op_id].values():
            for i in ids:
                yield from self.values[i].consumers

    def predecessors(self, op_id: int) -> Iterator[int]:
        """Ids of the ops that wrote anything an op reads."""
        for ids in self.inputs[op_id].values():
            for i in ids:
                producer = self.values[i].producer
                if producer is not None:
                    yield producer

    def last(self, name: str) -> Value | None:
        """The last write of a variable of any block, or its initial state."""
        if len(self._last) == 0:
            self._last.update((value.name, value.id) for value in self.values)
        at = self._last.get(name)
        return None if at is None else self.values[at]


def build_dataflow(program: Program) -> Dataflow:
    """Number every write of a program and link every read to the write that reaches it.

    Sub-blocks are entered where their op stands (attribute ``sub_block``); each block is walked
    once, and one that is named by several ops, by none, or by itself is still walked only once.
    A name is looked up from the innermost block outwards, as the executor does.
    """
    flow = Dataflow(program, [], [{} for _ in program.ops], [{} for _ in program.ops])
    state: list[dict[str, int]] = [{} for _ in program.blocks]
    walked: set[int] = set()
    for block in program.blocks:
        _walk_block(flow, block.index, state, walked)
    return flow


def _walk_block(flow: Dataflow, start: int, state: list[dict[str, int]], walked: set[int]) -> None:
    """Walk a block and, where its ops name them, its sub-blocks (a stack, not recursion)."""
    if start in walked:
        return
    walked.add(start)
    stack: list[Iterator[Op]] = [iter(flow.program.blocks[start].ops)]
    while stack:
        op = next(stack[-1], None)
        if op is None:
            stack.pop()
            continue
        flow.inputs[op.id] = {
            slot: [_read(flow, op, name, state) for name in names]
            for slot, names in op.inputs.items()
        }
        sub = op.attrs.get("sub_block")
        if isinstance(sub, int) and 0 <= sub < len(flow.program.blocks) and sub not in walked:
            walked.add(sub)
            stack.append(iter(flow.program.blocks[sub].ops))
        flow.outputs[op.id] = {
            slot: [_write(flow, op, slot, i, name, state) for i, name in enumerate(names)]
            for slot, names in op.outputs.items()
        }


def _home(program: Program, block: int, name: str, state: list[dict[str, int]]) -> int:
    """The block whose variable `name` means, seen from `block`; `block` itself if nowhere."""
    if name in state[block] or name in program.blocks[block].vars:
        return block
    seen: set[int] = set()
    at = block
    while 0 <= at < len(program.blocks) and at not in seen:
        seen.add(at)
        if name in state[at] or name in program.blocks[at].vars:
            return at
        at = program.blocks[at].parent
    return block


def _read(flow: Dataflow, op: Op, name: str, state: list[dict[str, int]]) -> int:
    home = _home(flow.program, op.block, name, state)
    at = state[home].get(name)
    if at is None:
        at = len(flow.values)
        flow.values.append(Value(at, name, block=home))
        state[home][name] = at
    consumers = flow.values[at].consumers
    if not consumers or consumers[-1] != op.id:
        consumers.append(op.id)
    return at


def _write(
    flow: Dataflow, op: Op, slot: str, index: int, name: str, state: list[dict[str, int]]
) -> int:
    home = _home(flow.program, op.block, name, state)
    at = len(flow.values)
    flow.values.append(Value(at, name, op.id, slot, index, block=home))
    state[home][name] = at
    return at


def reachable(start: Iterable[int], step: Callable[[int], Iterable[int]]) -> set[int]:
    """Everything that `step` leads to from `start`, `start` included. Linear."""
    seen = set(start)
    queue = deque(seen)
    while queue:
        for other in step(queue.popleft()):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return seen


def topological(flow: Dataflow) -> tuple[int, ...]:
    """Op ids so that every op comes after what it reads; ties by id.

    A read that a later op's write would satisfy does not exist in a dataflow, so the ids
    themselves are such an order except across sub-blocks.
    """
    count = [0] * len(flow.program.ops)
    for op in flow.program.ops:
        for other in set(flow.predecessors(op.id)):
            if other != op.id:
                count[op.id] += 1
    ready = deque(i for i, n in enumerate(count) if n == 0)
    order: list[int] = []
    while ready:
        at = ready.popleft()
        order.append(at)
        for other in sorted(set(flow.successors(at))):
            if other != at:
                count[other] -= 1
                if count[other] == 0:
                    ready.append(other)
    return tuple(order)
