"""What cannot be pruned for the sake of the whole program, once every op has set its own.

Nothing is decided here about pruning; `graphprobe.pruning.decisions` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from graphprobe.ir import Op, Program, Value
from graphprobe.ir.dataflow import topological
from graphprobe.ops import op_spec
from graphprobe.ops.channels.layout import ChannelLayout, Space
from graphprobe.ops.channels.spec import AttrUpdate
from graphprobe.ops.kinds import is_quantizer, kind_of
from graphprobe.ops.symbols.values import ShapeValues
from graphprobe.pruning.channel_walk import ChannelWalk
from graphprobe.pruning.channels import Channels, PruneConstraint
from graphprobe.pruning.parameter_forms import keeps_parameter

QUANTISED = "its weight is quantised: prune before quantising"


def find_channels(program: Program) -> Channels:
    """Follow every channel of a program's forward ops. Linear in ops and ranges."""
    flow = program.dataflow
    found = Channels(flow, [None] * len(flow.values))
    walk = ChannelWalk(found)
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


def _carrying(found: Channels) -> Iterator[tuple[Value, ChannelLayout]]:
    for value in found.flow.values:
        for layout in found.carried(value.id):
            yield value, layout


def _block_ends(found: Channels) -> None:
    """Channels that nothing reads any more, or that the program gives out, are its outputs."""
    fetched = set(found.program.fetches)
    last: dict[str, int] = {value.name: value.id for value in found.flow.values}
    for value, layout in _carrying(found):
        if value.producer is None:
            continue
        out = value.name in fetched and last[value.name] == value.id
        reads = any(op.role == "forward" for op in found.flow.consumers(value))
        if reads and not (out and not _is_fetched(found, value)):
            continue
        if not reads and not out and _is_beside(found, value):
            continue
        detail = "these channels are an output of the program"
        found.blocks.append(PruneConstraint(layout, value.producer, detail, "output"))


def _block_other_branches(found: Channels) -> None:
    """What a block of control flow writes for others may be written by another branch, too."""
    if len(found.program.blocks) == 1:
        return
    owners = _owners(found.program)
    for value, layout in _carrying(found):
        if value.producer is None or value.block == _block_of(found, value):
            continue
        detail = "channels are not followed out of control flow"
        joint = value.producer
        owner = owners.get(found.program.ops[joint].block, joint)
        found.blocks.append(PruneConstraint(layout, owner, detail, "unsupported_op", joint))


def _owners(program: Program) -> dict[int, int]:
    """Number of a block of control flow -> id of the op whose block it is."""
    subs = ((op.attrs.get("sub_block"), op.id) for op in program.ops)
    return {block: op for block, op in subs if isinstance(block, int)}


def _block_of(found: Channels, value: Value) -> int:
    return value.block if value.producer is None else found.program.ops[value.producer].block


def _is_beside(found: Channels, value: Value) -> bool:
    """Whether an op writes something else that is read: what its pooling took, and from where."""
    producer = found.flow.producer(value)
    return producer is not None and any(
        other.slot != value.slot and found.is_used(other) for other in found.flow.writes(producer)
    )


def _is_fetched(found: Channels, value: Value) -> bool:
    return any(kind_of(op.type) == "output" for op in found.flow.consumers(value))


def _block_other_uses(found: Channels, walk: ChannelWalk) -> None:
    """A parameter that is pruned along must be pruned along wherever it is read."""
    readers: dict[str, set[int]] = defaultdict(set)
    names = {name for name, _ in found.bound}
    for value in found.flow.values:
        name = walk.forms.read_name(value)
        if name in names and (found.layouts[value.id] is None or value.producer is None):
            readers[name].update(
                op.id for op in found.flow.consumers(value) if op.role == "forward"
            )
    for (name, axis), bound in found.bound.items():
        for other in _others(found, readers[name] - walk.forms.makers, (name, axis)):
            detail = f"{name} is also used where its axis {axis} cannot be pruned"
            found.blocks.append(PruneConstraint(bound.layout, other, detail, "shared"))


def _others(found: Channels, readers: set[int], space: Space) -> Iterator[int]:
    """Ops that read a parameter directly and do not prune along this axis of it."""
    if len(readers) < 2:
        return
    for other in sorted(readers - found.users[space]):
        op = found.program.ops[other]
        spec = op_spec(op.type)
        passes = spec is not None and keeps_parameter(spec, op)
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


def _block_quantised(found: Channels, walk: ChannelWalk) -> None:
    """Weights that are quantised have scales of what they were: of channels that would go, too."""
    by: dict[str, int] = {}
    for op in found.program.ops:
        if op.role != "forward" or not is_quantizer(op.type):
            continue
        for value in found.flow.reads(op):
            name = walk.forms.read_name(value)
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
