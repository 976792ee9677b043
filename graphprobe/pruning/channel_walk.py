"""The walk that follows channels: the rules of `graphprobe.ops`, applied op by op.

Each op whose inputs carry channels (or that makes new ones) is asked what its outputs carry, which
parameters are pruned along with them, and what cannot be pruned. Once, in execution order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphprobe.ir import Op, Value
from graphprobe.ir.findings import Reason
from graphprobe.ops import OpSpec, op_spec
from graphprobe.ops.channels.feature_products import product_axes
from graphprobe.ops.channels.layout import MAX_EXPLODED, ChannelLayout, Space, aligned, own
from graphprobe.ops.channels.spec import (
    BlockChannels,
    CountsAlike,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    SumChannels,
    TargetSize,
    TieChannels,
)
from graphprobe.ops.facets import ChannelFacet
from graphprobe.ops.symbols.sizes import ShapeEntry
from graphprobe.ops.symbols.values import ShapeValues
from graphprobe.pruning.channels import Bound, Channels, PruneConstraint
from graphprobe.pruning.clearing import clears_outputs
from graphprobe.pruning.parameter_forms import ParameterForms, keeps_parameter
from graphprobe.pruning.second_axis import THIRD, layouts_of, second_effects

# More joined ranges than these are taken from a budget that grows with the program: what joins
# everything with everything costs the square, and is reported as not followed beyond it.
_FEW_RANGES = 64
_SOME_RANGES = 250_000
_RANGES_AN_OP = 16
_MOST_VIA = 40


class _Stop(NamedTuple):
    """Why a value carries no channels: the op that stopped them, and the value before this."""

    op: int
    detail: str
    reason: Reason | None
    before: int | None = None


class ChannelWalk:
    """The state of one walk.

    Args:
        forms: values that are a parameter in another form, position by position.
        stops: why a value carries no channels, where something stopped them.
        stopped: spaces all of whose channels are stopped already.
        sizes: of all values, and what computed shapes are.
        heads: for each reshape in front of a product of features, the axes that it runs over.
        cleared: values that are 0 in a channel where the layers that make it are.
    """

    def __init__(self, found: Channels) -> None:
        self.found = found
        self.stops: dict[int, _Stop] = {}
        self.stopped: set[Space] = set()
        self.sizes = ShapeValues(found.flow)
        self.forms = ParameterForms(found.flow, self.sizes)
        self.heads = product_axes(found.flow)
        self.cleared: set[int] = set()
        self.ranges_left = _SOME_RANGES + _RANGES_AN_OP * len(found.program.ops)

    def visit(self, op: Op) -> None:
        """Apply the rule of one op."""
        self.sizes.visit(op)
        spec = op_spec(op.type)
        effects = list(self._effects(op, spec))
        across = list(self._across(op, spec, effects))
        for effect in (*effects, *across):
            self._take(op, effect)
        if effects and spec is not None and spec.kind == "linear":
            self.found.linears += [
                (op.id, e.param, e.layout.axis)
                for e in effects
                if isinstance(e, PruneAlong) and e.role == "out"
            ]
        self._note_stop(op, [*effects, *across], makes=spec is not None and spec.channels.makes)

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
        if keeps_parameter(spec, op):
            self.forms.keep(op)
        if spec.move in ("squeeze", "unsqueeze"):
            self.forms.widen(op)
        elif spec.move == "transpose":
            self.forms.turn(op)
        if not carries and spec.kind == "elementwise":
            self.forms.combine(op)
        if not (carries or facet.makes or facet.keeps_param):
            return
        view = self._view(op, shaped=spec.move in ("reshape", "repeat"))
        effects = list(facet.rule(view))
        yield from effects
        if clears_outputs(spec, view, effects):
            self.cleared.update(value.id for value in self.found.flow.writes(op))
        yield from self._unsaid(view, effects)

    def _across(self, op: Op, spec: OpSpec | None, effects: list[Effect]) -> Iterator[Effect]:
        """What the op does to channels along a second axis."""
        if any(value.id in self.found.seconds for value in self.found.flow.reads(op)):
            yield from second_effects(spec, self._view(op, second=True), effects)

    def _note_conv(self, op: Op, spec: ChannelFacet) -> None:
        value = self.found.flow.read(op, spec.filter or "")
        name = self.forms.name(value, op) if value is not None else None
        name = name or (self.forms.source(value, op) if value is not None else "")
        self.found.convs.append((op.id, name, spec.out_axis))

    def _move_param(self, op: Op) -> bool:
        """A vector of parameters under another shape carries its own numbers."""
        vector = self.forms.vector(op)
        if vector is None:
            return False
        value, name, length = vector
        mine = own((name, 0), length, 0)
        layout = self.found.layouts[value.id]
        if layout is None:
            layout = self.found.layouts[value.id] = mine
        if layout.runs == mine.runs:
            self._bind(op, PruneAlong(name, mine))
        self.forms.moved(op, value, name)
        return True

    def _view(self, op: Op, *, shaped: bool = False, second: bool = False) -> OpContext:
        flow = self.found.flow
        inputs = {
            slot: tuple(self._port(flow.values[i], op, second) for i in ids)
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

    def _port(self, value: Value, op: Op, second: bool) -> Port:
        found = self.found
        layout = found.seconds.get(value.id) if second else found.layouts[value.id]
        param = self.forms.form_of(value) if layout is not None else self.forms.name(value, op)
        stopped = layout is not None and all(run.space in self.stopped for run in layout.runs)
        shape, turned = self.sizes.numbers(value), self.forms.turned(value)
        clears = param is not None or (value.id in self.cleared and not second)
        return Port(value.name, shape, layout, param, 0, stopped, turned, clears)

    def _take(self, op: Op, effect: Effect) -> None:
        found = self.found
        if isinstance(effect, Propagate):
            self._carry(op, effect)
        elif isinstance(effect, PruneAlong):
            self._bind(op, effect)
        elif isinstance(effect, TieChannels):
            self._tie(op, effect.a, effect.b)
        elif isinstance(effect, SumChannels):
            found.sums.append(effect.layout)
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
            if not self.found.carried(value.id):
                self.stops[value.id] = stop

    def _carry(self, op: Op, effect: Propagate) -> None:
        ids = self.found.flow.outputs[op.id].get(effect.slot, [])[effect.at :]
        if not ids:
            return
        value, layout, detail = ids[0], effect.layout, ""
        reason: Reason | None = None
        many = len(layout.runs) > _FEW_RANGES
        self.ranges_left -= many * len(layout.runs)
        if many and self.ranges_left < 0:
            detail, reason = "channels of too many layers are joined here to be followed", "concat"
        elif layout.outer > MAX_EXPLODED:
            detail = "its channels are repeated too often to be followed"
        elif effect.second and value in self.found.seconds:
            detail, reason = THIRD, "unsupported_op"
        if detail:
            self.found.blocks.append(PruneConstraint(layout, op.id, detail, reason))
            return
        (self.found.seconds if effect.second else self.found.layouts)[value] = layout
        made = {(name, axis) for i, name, axis in self.found.convs[-1:] if i == op.id}
        if not made.intersection(run.space for run in effect.layout.runs[:1]):
            self.found.links.add(op.id)

    def _bind(self, op: Op, effect: PruneAlong) -> None:
        """Prune a parameter along with channels, and with it what it is combined with."""
        todo, seen = [effect], set[Space]()
        while todo:
            each = todo.pop()
            space = (each.param, each.layout.axis)
            if space in seen:
                continue
            seen.add(space)
            self.found.users[space].add(op.id)
            bound = Bound(each.layout, each.role, op.id)
            known = self.found.bound.setdefault(space, bound)
            if each.role == "in":  # tied weights make channels and read them: what reads decides
                self.found.bound[space] = known._replace(role="in")
            if known.layout != each.layout:
                self._tie(op, known.layout, each.layout)
            todo += self.forms.companions(each, op)

    def _tie(self, op: Op, a: ChannelLayout, b: ChannelLayout) -> None:
        pairs = aligned(a, b)
        if pairs is not None:
            self.found.alike += [(x, y) for x, y in pairs if x != y]
            return
        detail = "what must be pruned alike has another number of channels"
        for layout in (a, b):
            self.found.blocks.append(PruneConstraint(layout, op.id, detail))

    def _unsaid(self, view: OpContext, effects: list[Effect]) -> Iterator[Effect]:
        """What no rule covers is not followed, so it must not be pruned."""
        carrying = [p.layout for p in view.carrying() if p.layout is not None]
        used = self.found.is_used
        if not carrying or (not effects and not any(map(used, self.found.flow.writes(view.op)))):
            return
        spoken = {run.space for e in effects for layout in layouts_of(e) for run in layout.runs}
        for layout in carrying:
            if layout.runs and effects and layout.runs[0].space not in spoken:
                yield BlockChannels(layout, "its part in this op is not known")
        carried = {(e.slot, e.at) for e in effects if isinstance(e, Propagate)}
        for value in self.found.flow.writes(view.op) if carried else ():
            if (value.slot, value.index) not in carried and used(value):
                for layout in carrying:
                    yield BlockChannels(layout, f"its output {value.name} is not followed")
