"""How channels travel through a program: the rules of `graphprobe.ops`, applied op by op.

One walk in the order of execution. Each op whose inputs carry channels (or that makes new ones)
is asked what its outputs carry, which parameters are cut along with them, and what cannot be cut.
Nothing is decided here about pruning; `graphprobe.pruning.decisions` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from graphprobe.ir import Dataflow, Op, Program, Value
from graphprobe.ir.dataflow import topological
from graphprobe.ir.findings import Reason
from graphprobe.ops import OpSpec, op_spec
from graphprobe.ops.channel_layout import ChannelLayout, ChannelRange, Space, aligned, own
from graphprobe.ops.facets import ChannelFacet
from graphprobe.ops.feature_products import product_axes
from graphprobe.ops.kinds import is_quantizer, kind_of
from graphprobe.ops.shape_values import ShapeValues
from graphprobe.ops.sizes import ShapeEntry
from graphprobe.ops.spec import (
    AttrUpdate,
    BlockChannels,
    CountsAlike,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    TargetSize,
    TieChannels,
)

# What computes each number of its output from one number of its input.
_ONE_TO_ONE = ("activation", "unary", "identity")
# More joined ranges than these are taken from a budget that grows with the program: what joins
# everything with everything costs the square, and is said not to be followed beyond it.
_FEW_RANGES = 64
_SOME_RANGES = 250_000
_RANGES_AN_OP = 16
_MOST_VIA = 40
QUANTISED = "its weight is quantised: prune before quantising"


class PruneConstraint(NamedTuple):
    """Channels that an op keeps from being pruned.

    Args:
        layout: the channels.
        op: the op that stops them.
        detail: one sentence for people.
        reason: None where it is to be told from the graph.
        joint: the op where the channels meet what has been stopped before by `op`; None: `op`.
        via: variables from the joint back to what `op` makes.
    """

    layout: ChannelLayout
    op: int
    detail: str
    reason: Reason | None = None
    joint: int | None = None
    via: tuple[str, ...] = ()

    @property
    def meets_at(self) -> int:
        """The op that the channels reach."""
        return self.op if self.joint is None else self.joint


class _Stop(NamedTuple):
    """Why a value carries no channels: the op that stopped them, and the value before this."""

    op: int
    detail: str
    reason: Reason | None
    before: int | None = None


class Bound(NamedTuple):
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
        counts: measured sizes that must count the same channels, with their ops.
        unknown: ops that channels reach and that have no spec.
        quantised: the first op that quantises a weight, or None.
        convs: (op id, filter, the axis of its output channels), in program order.
        linears: the same for fully connected layers.
        layers: op id of each of both -> the channels that it makes.
        links: ops whose inputs and outputs carry the same channels.
    """

    flow: Dataflow
    layouts: list[ChannelLayout | None]
    bound: dict[Space, Bound] = field(default_factory=dict)
    users: dict[Space, set[int]] = field(default_factory=lambda: defaultdict(set))
    alike: list[tuple[ChannelRange, ChannelRange]] = field(default_factory=list)
    blocks: list[PruneConstraint] = field(default_factory=list)
    meets: list[tuple[str, ChannelLayout, int]] = field(default_factory=list)
    edits: list[tuple[int, AttrUpdate]] = field(default_factory=list)
    counts: list[tuple[int, CountsAlike]] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    quantised: int | None = None
    convs: list[tuple[int, str, int]] = field(default_factory=list)
    linears: list[tuple[int, str, int]] = field(default_factory=list)
    layers: dict[int, ChannelLayout] = field(default_factory=dict)
    links: set[int] = field(default_factory=set)

    @property
    def program(self) -> Program:
        """The program."""
        return self.flow.program


def find_channels(program: Program) -> Channels:
    """Follow every channel of a program's forward ops. Linear in ops and ranges."""
    flow = program.dataflow
    found = Channels(flow, [None] * len(flow.values))
    walk = _Walk(found)
    order = topological(flow) if len(program.blocks) > 1 else range(len(program.ops))
    for i in order:
        if program.ops[i].role == "forward":
            walk.visit(program.ops[i])
    found.layers = dict(_layers(found))
    _block_ends(found)
    _block_other_branches(found)
    _block_other_uses(found, walk)
    _block_other_readers(found, walk.sizes)
    _block_quantised(found, walk)
    _block_nameless(found)
    return found


def _layers(found: Channels) -> Iterator[tuple[int, ChannelLayout]]:
    for op, _, _ in found.convs:
        for value in found.flow.writes(found.program.ops[op]):
            layout = found.layouts[value.id]
            if layout is not None:
                yield op, layout
                break
    for op, param, axis in found.linears:
        yield op, found.bound[param, axis].layout


class _Walk:
    """The state of one walk.

    Args:
        alias: values that are a parameter in another form, position by position.
        beside: parameters that are combined one to one with another one: (name, axes before it).
        combining: the ops that combine them.
        stops: why a value carries no channels, where something stopped them.
        stopped: spaces all of whose channels are stopped already.
        sizes: of all values, and what computed shapes are.
        heads: for each reshape in front of a product of features, the axes that it runs over.
    """

    def __init__(self, found: Channels) -> None:
        self.found = found
        self.alias: dict[int, str] = {}
        self.combining: set[int] = set()
        self.beside: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.stops: dict[int, _Stop] = {}
        self.stopped: set[Space] = set()
        self.sizes = ShapeValues(found.flow)
        self.heads = product_axes(found.flow)
        self.ranges_left = _SOME_RANGES + _RANGES_AN_OP * len(found.program.ops)

    def visit(self, op: Op) -> None:
        """Apply the rule of one op."""
        self.sizes.visit(op)
        spec = op_spec(op.type)
        effects = list(self._effects(op, spec))
        for effect in effects:
            self._take(op, effect)
        if effects and spec is not None and spec.kind == "linear":
            self.found.linears += [
                (op.id, e.param, e.layout.axis)
                for e in effects
                if isinstance(e, PruneAlong) and e.role == "out"
            ]
        self._note_stop(op, effects, makes=spec is not None and spec.channels.makes)

    def _effects(self, op: Op, spec: OpSpec | None) -> Iterator[Effect]:
        carries = any(self.found.layouts[v.id] is not None for v in self.found.flow.reads(op))
        if spec is None:
            if carries:
                self.found.unknown.append(op.id)
                for port in self._view(op).carrying():
                    if port.layout is not None:
                        detail = f"op {op.type} is not known"
                        yield BlockChannels(port.layout, detail, "unsupported_op")
            return
        facet = spec.channels
        if facet.filter is not None:
            self._note_conv(op, facet)
        if facet.moves_param:
            carries = self._move_param(op) or carries
        if facet.keeps_param or spec.kind in _ONE_TO_ONE:
            self._keep_param(op)
        if not carries and spec.kind == "elementwise":
            self._combine_params(op)
        if not (carries or facet.makes or facet.keeps_param):
            return
        view = self._view(op, shaped=spec.move in ("reshape", "repeat"))
        effects = list(facet.rule(view))
        yield from effects
        yield from self._unsaid(view, effects)

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

    def _combine_params(self, op: Op) -> None:
        """Two parameters combined number by number are one parameter with a companion."""
        pair = [self.found.flow.read(op, slot) for slot in ("X", "Y")]
        names = [None if value is None else self._param(value, op) for value in pair]
        out = self.found.flow.written(op, "Out")
        x, y = pair
        if x is None or y is None or out is None or names[0] is None or names[1] is None:
            return
        shapes = [self.sizes.numbers(value) or () for value in (x, y)]
        wide, narrow = (0, 1) if len(shapes[0]) >= len(shapes[1]) else (1, 0)
        missing = len(shapes[wide]) - len(shapes[narrow])
        axis = op.get_int("axis", -1)
        before = min(axis, missing) if axis >= 0 else missing
        ends = shapes[wide][before : before + len(shapes[narrow])]
        if all(a in (1, b) for a, b in zip(shapes[narrow], ends, strict=True)):
            self.combining.add(op.id)
            self.alias[out.id] = names[wide] or ""
            self.beside[names[wide] or ""].append((names[narrow] or "", before))

    def _move_param(self, op: Op) -> bool:
        """A vector of parameters under another shape carries its own numbers."""
        value = self.found.flow.read(op, "X")
        name = self._param(value, op) if value is not None else None
        shape = self.found.program.shape(name, op.block)
        if value is None or name is None or shape is None or len(shape) != 1 or shape[0] < 2:
            return False
        if self.found.layouts[value.id] is None:
            self.found.layouts[value.id] = own((name, 0), shape[0], 0)
        layout = self.found.layouts[value.id]
        if layout is not None and layout.runs == own((name, 0), shape[0], 0).runs:
            self._bind(op, PruneAlong(name, own((name, 0), shape[0], 0)))
        for same in (value, *self.found.flow.writes(op)):
            self.alias[same.id] = name
        return True

    def _param(self, value: Value, op: Op) -> str | None:
        if value.id in self.alias:
            return self.alias[value.id]
        var = self.found.program.var(value.name, op.block)
        return value.name if var is not None and var.persistable else None

    def _view(self, op: Op, *, shaped: bool = False) -> OpContext:
        flow = self.found.flow
        inputs = {
            slot: tuple(self._port(flow.values[i], op) for i in ids)
            for slot, ids in flow.inputs[op.id].items()
            if ids
        }
        outputs = {
            slot: tuple(self.sizes.numbers(flow.values[i]) for i in ids)
            for slot, ids in flow.outputs[op.id].items()
            if ids
        }
        target = tuple(map(self._target_size, self.sizes.target(op))) if shaped else ()
        return OpContext(op, inputs, outputs, target, self.heads.get(op.id, frozenset()))

    def _target_size(self, entry: ShapeEntry) -> TargetSize:
        layout = None if entry.value is None else self.found.layouts[entry.value]
        measured = layout if layout is not None and layout.axis == entry.axis else None
        return TargetSize(self.sizes.number(entry.size), entry.source, measured, entry.divided)

    def _port(self, value: Value, op: Op) -> Port:
        layout = self.found.layouts[value.id]
        param = self.alias.get(value.id) if layout is not None else self._param(value, op)
        stopped = layout is not None and all(run.space in self.stopped for run in layout.runs)
        return Port(value.name, self.sizes.numbers(value), layout, param, stopped=stopped)

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
            constraint = self._constraint(op, effect)
            found.blocks.append(constraint)
            self._stop_spaces(constraint.layout, op)
        elif isinstance(effect, CountsAlike):
            found.counts.append((op.id, effect))
        else:
            found.edits.append((op.id, effect))

    def _stop_spaces(self, layout: ChannelLayout, op: Op) -> None:
        for (param, axis), start, length in layout.runs:
            shape = self.found.program.shape(param, op.block) or ()
            if start == 0 and axis < len(shape) and length == shape[axis]:
                self.stopped.add((param, axis))

    def _constraint(self, op: Op, effect: BlockChannels) -> PruneConstraint:
        """What stops channels; behind an input that was stopped before, what stopped that."""
        at = next((v.id for v in self.found.flow.reads(op) if v.name == effect.because), None)
        stop = None if at is None else self.stops.get(at)
        if stop is None:
            return PruneConstraint(effect.layout, op.id, effect.detail, effect.reason)
        via: list[str] = []
        while at is not None and len(via) < _MOST_VIA:
            via.append(self.found.flow.values[at].name)
            at = self.stops[at].before
        return PruneConstraint(effect.layout, stop.op, stop.detail, stop.reason, op.id, tuple(via))

    def _note_stop(self, op: Op, effects: list[Effect], *, makes: bool) -> None:
        """Remember for what carries no channels what stopped them."""
        flow = self.found.flow
        block = next((e for e in effects if isinstance(e, BlockChannels)), None)
        before = next((v.id for v in flow.reads(op) if v.id in self.stops), None)
        if block is not None and block.because is None:
            stop = _Stop(op.id, block.detail, block.reason)
        elif before is not None and not makes:
            known = self.stops[before]
            stop = _Stop(known.op, known.detail, known.reason, before)
        else:
            return
        for value in flow.writes(op):
            if self.found.layouts[value.id] is None:
                self.stops[value.id] = stop

    def _carry(self, op: Op, effect: Propagate) -> None:
        ids = self.found.flow.outputs[op.id].get(effect.slot, [])
        if effect.at >= len(ids):
            return
        if len(effect.layout.runs) > _FEW_RANGES:
            self.ranges_left -= len(effect.layout.runs)
            if self.ranges_left < 0:
                detail = "channels of too many layers are joined here to be followed"
                self.found.blocks.append(PruneConstraint(effect.layout, op.id, detail, "concat"))
                return
        self.found.layouts[ids[effect.at]] = effect.layout
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
        for name, before in self.beside.get(effect.param, ()):
            axis = effect.layout.axis - before
            shape = self.found.program.shape(name, op.block) or ()
            if 0 <= axis < len(shape) and shape[axis] == effect.layout.extent:
                self._bind(op, PruneAlong(name, effect.layout.at(axis)))

    def _tie(self, op: Op, a: ChannelLayout, b: ChannelLayout) -> None:
        pairs = aligned(a, b)
        if pairs is not None:
            self.found.alike += [(x, y) for x, y in pairs if x != y]
            return
        detail = "what must be cut alike has another number of channels"
        for layout in (a, b):
            self.found.blocks.append(PruneConstraint(layout, op.id, detail))

    def _unsaid(self, view: OpContext, effects: list[Effect]) -> Iterator[Effect]:
        """What a rule says nothing about is not followed, so it must not be cut."""
        carrying = [p.layout for p in view.carrying() if p.layout is not None]
        if not carrying or (
            not effects and not any(_used(self.found, v) for v in self.found.flow.writes(view.op))
        ):
            return
        spoken = {run.space for e in effects for layout in _layouts(e) for run in layout.runs}
        for layout in carrying:
            if layout.runs and effects and layout.runs[0].space not in spoken:
                yield BlockChannels(layout, "its part in this op is not known")
        carried = {(e.slot, e.at) for e in effects if isinstance(e, Propagate)}
        if not carried:
            return
        for value in self.found.flow.writes(view.op):
            if (value.slot, value.index) not in carried and _used(self.found, value):
                for layout in carrying:
                    yield BlockChannels(layout, f"its output {value.name} is not followed")


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
        found.blocks.append(PruneConstraint(layout, value.producer, detail, "output"))


def _block_other_branches(found: Channels) -> None:
    """What a block of control flow writes for others may be written by another branch, too."""
    if len(found.program.blocks) == 1:
        return
    for value, layout in zip(found.flow.values, found.layouts, strict=True):
        if layout is None or value.producer is None or value.block == _block_of(found, value):
            continue
        detail = "channels are not followed out of control flow"
        found.blocks.append(PruneConstraint(layout, value.producer, detail, "unsupported_op"))


def _block_of(found: Channels, value: Value) -> int:
    return value.block if value.producer is None else found.program.ops[value.producer].block


def _is_fetched(found: Channels, value: Value) -> bool:
    return any(kind_of(op.type) == "output" for op in found.flow.consumers(value))


def _block_other_uses(found: Channels, walk: _Walk) -> None:
    """A parameter that is pruned along must be pruned along wherever it is read."""
    readers: dict[str, set[int]] = defaultdict(set)
    names = {name for name, _ in found.bound}
    for value in found.flow.values:
        name = walk.alias.get(value.id, value.name if value.producer is None else "")
        if name in names and (found.layouts[value.id] is None or value.producer is None):
            readers[name].update(
                op.id for op in found.flow.consumers(value) if op.role == "forward"
            )
    for (name, axis), bound in found.bound.items():
        for other in _others(found, readers[name] - walk.combining, (name, axis)):
            detail = f"{name} is also used where its axis {axis} cannot be cut"
            found.blocks.append(PruneConstraint(bound.layout, other, detail, "shared"))


def _others(found: Channels, readers: set[int], space: Space) -> Iterator[int]:
    """Ops that read a parameter directly and do not prune along this axis of it."""
    if len(readers) < 2:
        return
    for other in sorted(readers - found.users[space]):
        op = found.program.ops[other]
        spec = op_spec(op.type)
        passes = spec is not None and (spec.channels.keeps_param or spec.kind in _ONE_TO_ONE)
        if not passes and not _hands_on(found, op, space[0]):
            yield other


def _hands_on(found: Channels, op: Op, name: str) -> bool:
    """Whether an op reads a parameter only to give it to the ops of its block."""
    sub = op.attrs.get("sub_block")
    if not isinstance(sub, int) or not 0 <= sub < len(found.program.blocks):
        return False
    return any(name in inner.input_names() for inner in found.program.blocks[sub].ops)


def _block_other_readers(found: Channels, sizes: ShapeValues) -> None:
    """A constant that counts channels in a shape must count the same ones for all its readers."""
    counted: dict[int, list[tuple[int, AttrUpdate]]] = defaultdict(list)
    for op, edit in found.edits:
        if edit.source is not None:
            counted[edit.source].append((op, edit))
    for source, edits in counted.items():
        readers = {i for v in found.flow.writes(found.program.ops[source]) for i in v.consumers}
        first = edits[0][1]
        alike = all(
            (e.entry, e.layout.runs, e.layout.inner, e.layout.outer)
            == (first.entry, first.layout.runs, first.layout.inner, first.layout.outer)
            for _, e in edits
        ) or len({e.entry for _, e in edits}) == len(edits)
        through = {i for i in readers if sizes.makes_shape(found.program.ops[i])}
        if alike and not (readers - {op for op, _ in edits} - through):
            continue
        detail = "the constant of its target shape is also read for something else"
        found.blocks += [PruneConstraint(e.layout, op, detail) for op, e in edits]


def _block_quantised(found: Channels, walk: _Walk) -> None:
    """Weights that are quantised have scales of what they were: of channels that would go, too."""
    by: dict[str, int] = {}
    for op in found.program.ops:
        if op.role != "forward" or not is_quantizer(op.type):
            continue
        for value in found.flow.reads(op):
            name = walk.alias.get(value.id, value.name if value.producer is None else "")
            if any((name, axis) in found.bound for axis in (0, 1)) and _is_weight(found, name):
                by.setdefault(name, op.id)
    found.quantised = min(by.values(), default=None)
    for (name, _), bound in found.bound.items():
        if name in by:
            found.blocks.append(
                PruneConstraint(bound.layout, by[name], QUANTISED, "unsupported_op")
            )


def _block_nameless(found: Channels) -> None:
    """A plan finds parameters by their names, and ops by the names of what they write."""
    for (name, _), bound in found.bound.items():
        if not name:
            detail = "a parameter that would be pruned with them has no name"
            found.blocks.append(PruneConstraint(bound.layout, bound.op, detail, "unsupported_op"))
    for op, edit in found.edits:
        holder = found.program.ops[op if edit.source is None else edit.source]
        if not next(holder.output_names(), ""):
            detail = f"what op {holder.type}, which counts them, writes has no name"
            found.blocks.append(PruneConstraint(edit.layout, op, detail, "unsupported_op"))


def _is_weight(found: Channels, name: str) -> bool:
    return len(found.program.shape(name) or ()) > 1
