"""How channels travel through a program: the rules of `graphprobe.ops`, applied op by op.

One walk in the order of execution. Each op whose inputs carry channels (or that makes new ones)
is asked what its outputs carry, which parameters are cut along with them, and what cannot be cut.
Nothing is decided here about pruning; `graphprobe.pruning.decisions` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from graphprobe.ir import Dataflow, Op, Program, Value
from graphprobe.ir.dataflow import topological
from graphprobe.ir.findings import Reason
from graphprobe.ops import op_spec
from graphprobe.ops.channel_layout import ChannelLayout, ChannelRange, Space, aligned, own
from graphprobe.ops.facets import ChannelFacet
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    TieChannels,
)


@dataclass(frozen=True, slots=True)
class Block:
    """Channels that an op keeps from being cut; `reason` None: to be told from the graph."""

    layout: ChannelLayout
    op: int
    detail: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter's axis and the channels that lie along it."""

    layout: ChannelLayout
    role: Literal["out", "in", "each"]
    op: int


@dataclass(slots=True)
class Channels:
    """Where channels go in one program.

    Args:
        flow: the program's values.
        layouts: for each value, what it carries.
        bound: (parameter, axis) -> the channels along it, as first met.
        users: (parameter, axis) -> ops that cut it along.
        alike: runs of equal length that are cut alike, position by position.
        blocks: what cannot be cut.
        meets: what a policy may refuse: (kind, channels, op).
        edits: attributes that count channels, with their ops.
        unknown: ops that channels reach and that have no spec.
        convs: (op id, filter, the axis of its output channels), in program order.
        links: ops whose inputs and outputs carry the same channels.
    """

    flow: Dataflow
    layouts: list[ChannelLayout | None]
    bound: dict[Space, Bound] = field(default_factory=dict)
    users: dict[Space, set[int]] = field(default_factory=lambda: defaultdict(set))
    alike: list[tuple[ChannelRange, ChannelRange]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    meets: list[tuple[str, ChannelLayout, int]] = field(default_factory=list)
    edits: list[tuple[int, AttrUpdate]] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    convs: list[tuple[int, str, int]] = field(default_factory=list)
    links: set[int] = field(default_factory=set)

    @property
    def program(self) -> Program:
        """The program."""
        return self.flow.program


def find_channels(program: Program) -> Channels:
    """Follow every channel of a program's forward ops. Linear in ops and runs."""
    flow = program.dataflow
    found = Channels(flow, [None] * len(flow.values))
    walk = _Walk(found)
    order = topological(flow) if len(program.blocks) > 1 else range(len(program.ops))
    for i in order:
        if program.ops[i].role == "forward":
            walk.visit(program.ops[i])
    _block_ends(found)
    _block_other_uses(found)
    return found


class _Walk:
    """The state of one walk: what was found, and which values are a parameter in another form."""

    def __init__(self, found: Channels) -> None:
        self.found = found
        self.alias: dict[int, str] = {}

    def visit(self, op: Op) -> None:
        """Apply the rule of one op."""
        known = op_spec(op.type)
        spec = None if known is None else known.channels
        if spec is not None and spec.filter is not None:
            self._note_conv(op, spec)
        carries = any(self.found.layouts[v.id] is not None for v in self.found.flow.reads(op))
        if spec is not None and spec.moves_param and not carries:
            carries = self._move_param(op)
        if spec is not None and spec.keeps_param:
            self._keep_param(op)
        elif not carries and (spec is None or not spec.makes):
            return
        view = self._view(op)
        if spec is None:
            self._unknown(view)
            return
        effects = list(spec.rule(view))
        for effect in effects:
            self._take(op, effect)
        self._check(view, effects)

    def _note_conv(self, op: Op, spec: ChannelFacet) -> None:
        value = self.found.flow.read(op, spec.filter or "")
        name = self._param(value, op) if value is not None else None
        written = op.input(spec.filter or "") or ""
        self.found.convs.append((op.id, name or written, spec.out_axis))

    def _keep_param(self, op: Op) -> None:
        for slot in ("X", "Input"):
            value = self.found.flow.read(op, slot)
            name = self._param(value, op) if value is not None else None
            for out in ("Out", "Y", "Output"):
                written = self.found.flow.written(op, out)
                if name is not None and written is not None:
                    self.alias[written.id] = name

    def _move_param(self, op: Op) -> bool:
        """A vector of parameters under another shape carries its own numbers."""
        value = self.found.flow.read(op, "X")
        name = self._param(value, op) if value is not None else None
        shape = self.found.program.shape(name, op.block)
        if value is None or name is None or shape is None or len(shape) != 1 or shape[0] < 2:
            return False
        layout = own((name, 0), shape[0], 0)
        self.found.layouts[value.id] = layout
        self._bind(op, PruneAlong(name, layout))
        for same in (value, *self.found.flow.writes(op)):
            self.alias[same.id] = name
        return True

    def _param(self, value: Value, op: Op) -> str | None:
        if value.id in self.alias:
            return self.alias[value.id]
        var = self.found.program.var(value.name, op.block)
        return value.name if var is not None and var.persistable else None

    def _view(self, op: Op) -> OpContext:
        flow, program = self.found.flow, self.found.program
        inputs = {
            slot: tuple(self._port(flow.values[i], op) for i in ids)
            for slot, ids in flow.inputs[op.id].items()
            if ids
        }
        outputs = {
            slot: tuple(program.shape(name, op.block) for name in names)
            for slot, names in op.outputs.items()
            if names
        }
        return OpContext(op, inputs, outputs)

    def _port(self, value: Value, op: Op) -> Port:
        layout = self.found.layouts[value.id]
        shape = self.found.program.shape(value.name, op.block)
        param = self.alias.get(value.id) if layout is not None else self._param(value, op)
        return Port(value.name, shape, layout, param)

    def _unknown(self, view: OpContext) -> None:
        self.found.unknown.append(view.op.id)
        for port in view.carrying():
            self._block(view.op, port.layout, f"op {view.op.type} is not known", "unsupported_op")

    def _block(
        self, op: Op, layout: ChannelLayout | None, detail: str, reason: Reason | None
    ) -> None:
        if layout is not None:
            self.found.blocks.append(Block(layout, op.id, detail, reason))

    def _take(self, op: Op, effect: Effect) -> None:
        found = self.found
        if isinstance(effect, Propagate):
            self._carry(op, effect)
        elif isinstance(effect, PruneAlong):
            self._bind(op, effect)
        elif isinstance(effect, TieChannels):
            self._tie(op, effect.a, effect.b)
        elif isinstance(effect, PolicyBoundary):
            found.meets.append((effect.what, effect.layout, op.id))
        elif isinstance(effect, BlockChannels):
            self._block(op, effect.layout, effect.detail, effect.reason)
        else:
            found.edits.append((op.id, effect))

    def _carry(self, op: Op, effect: Propagate) -> None:
        ids = self.found.flow.outputs[op.id].get(effect.slot, [])
        if effect.index < len(ids):
            self.found.layouts[ids[effect.index]] = effect.layout
            own = {(name, axis) for i, name, axis in self.found.convs[-1:] if i == op.id}
            if not own.intersection(run.space for run in effect.layout.runs[:1]):
                self.found.links.add(op.id)

    def _bind(self, op: Op, effect: PruneAlong) -> None:
        space = (effect.param, effect.layout.axis)
        known = self.found.bound.get(space)
        self.found.users[space].add(op.id)
        if known is None:
            self.found.bound[space] = Bound(effect.layout, effect.role, op.id)
        elif known.layout != effect.layout:
            self._tie(op, known.layout, effect.layout)

    def _tie(self, op: Op, a: ChannelLayout, b: ChannelLayout) -> None:
        pairs = aligned(a, b)
        if pairs is not None:
            self.found.alike += [(x, y) for x, y in pairs if x != y]
            return
        for layout in (a, b):
            self._block(op, layout, "what must be cut alike has another number of channels", None)

    def _check(self, view: OpContext, effects: list[Effect]) -> None:
        """What a rule says nothing about is not followed, so it must not be cut."""
        carrying = [p.layout for p in view.carrying() if p.layout is not None]
        if not carrying or (
            not effects and not any(_used(self.found, v) for v in self.found.flow.writes(view.op))
        ):
            return
        for layout in carrying:
            if layout.runs and effects and not _speaks_of(effects, layout.runs[0].space):
                self._block(view.op, layout, "its part in this op is not known", None)
        carried = {(e.slot, e.index) for e in effects if isinstance(e, Propagate)}
        if not carried:
            return
        for value in self.found.flow.writes(view.op):
            if (value.slot, value.index) not in carried and _used(self.found, value):
                for layout in carrying:
                    self._block(view.op, layout, f"its output {value.name} is not followed", None)


def _speaks_of(effects: list[Effect], space: Space) -> bool:
    """Whether what a rule says has to do with the channels of a space."""
    layouts = (layout for effect in effects for layout in _layouts(effect))
    return any(run.space == space for layout in layouts for run in layout.runs)


def _layouts(effect: Effect) -> tuple[ChannelLayout, ...]:
    return (effect.a, effect.b) if isinstance(effect, TieChannels) else (effect.layout,)


def _used(found: Channels, value: Value) -> bool:
    """Whether a forward op reads a value that is no parameter or statistic."""
    var = found.program.var(value.name)
    if var is not None and var.persistable:
        return False
    return any(op.role == "forward" for op in found.flow.consumers(value))


def _block_ends(found: Channels) -> None:
    """Channels that nothing reads any more, or that the program gives out, are its answer."""
    fetched = set(found.program.fetches)
    last: dict[str, int] = {value.name: value.id for value in found.flow.values}
    for value, layout in zip(found.flow.values, found.layouts, strict=True):
        if layout is None or value.producer is None:
            continue
        out = value.name in fetched and last[value.name] == value.id
        reads = any(op.role == "forward" for op in found.flow.consumers(value))
        if reads and not (out and not _is_fetched(found, value)):
            continue
        detail = "these channels are an output of the program"
        found.blocks.append(Block(layout, value.producer, detail, "output"))


def _is_fetched(found: Channels, value: Value) -> bool:
    return any(kind_of(op.type) == "output" for op in found.flow.consumers(value))


def _block_other_uses(found: Channels) -> None:
    """A parameter that is cut along must be cut along wherever it is read."""
    readers: dict[str, set[int]] = defaultdict(set)
    names = {name for name, _ in found.bound}
    for op in found.program.ops:
        if op.role == "forward":
            for name in names.intersection(op.input_names()):
                readers[name].add(op.id)
    for (name, axis), bound in found.bound.items():
        for other in _others(found, readers[name], (name, axis)):
            detail = f"{name} is also used where its axis {axis} cannot be cut"
            found.blocks.append(Block(bound.layout, other, detail, "shared"))


def _others(found: Channels, readers: set[int], space: Space) -> Iterator[int]:
    """Ops that read a parameter directly and do not cut along this axis of it."""
    if len(readers) < 2:
        return
    for other in sorted(readers - found.users[space]):
        spec = op_spec(found.program.ops[other].type)
        if spec is None or not spec.channels.keeps_param:
            yield other
