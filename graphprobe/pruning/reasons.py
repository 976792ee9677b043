"""Why channels are stopped, in the words of the contract."""

from __future__ import annotations

from collections import defaultdict

from graphprobe.ir import Op
from graphprobe.ir.dataflow import reachable
from graphprobe.ir.findings import REASONS, Reason
from graphprobe.ops import op_spec
from graphprobe.ops.kinds import kind_of
from graphprobe.pruning.channels import Channels, PruneConstraint

_MET: tuple[Reason, ...] = ("concat", "residual", "grouped")
# What channels meet -> the reason under seeds, with its detail.
_SEEDS: dict[str, tuple[Reason, str]] = {
    **{reason: (reason, f"its {REASONS[reason].about}") for reason in _MET},
    "reorder": ("unsupported_op", "policy seeds does not follow channels through this op"),
}
# Reasons of channels that meet something which cannot be pruned: output, where it is an output.
_JOINED = ("residual", "concat", None)


def resolved(channels: Channels) -> list[PruneConstraint]:
    """Every constraint with its reason.

    Where nothing but the program's outputs comes of the op that stops channels (no layer with
    weights is in between), they are an output: ``output``. Without a reason of their own, others
    are ``unsupported_op``.
    """
    outputs: frozenset[int] | None = None
    found = []
    for constraint in channels.blocks:
        if constraint.reason in _JOINED:
            outputs = output_ops(channels) if outputs is None else outputs
            reason = constraint.reason or "unsupported_op"
            constraint = constraint._replace(
                reason="output" if constraint.op in outputs else reason
            )
        found.append(constraint)
    return found


def seeds_blocks(channels: Channels) -> list[PruneConstraint]:
    """What the policy ``seeds`` refuses beyond what cannot be pruned at all."""
    found = [
        PruneConstraint(layout, op, _SEEDS[what][1], _SEEDS[what][0])
        for what, layout, op in channels.meets
    ]
    users: dict[tuple[str, int], list[int]] = defaultdict(list)
    for op, param, out_axis in channels.convs:
        users[param, out_axis].append(op)
    for space, ops in users.items():
        bound = channels.bound.get(space)
        if bound is not None and len(ops) > 1:
            detail = f"{len(ops)} convolutions share its filter"
            found += [PruneConstraint(bound.layout, op, detail, "shared") for op in ops]
    return found


def output_ops(channels: Channels) -> frozenset[int]:
    """Ops from which some output of the program is reached without a layer with weights."""
    program = channels.program
    ends = [op.id for op in program.ops if op.role == "forward" and _is_end(channels, op)]

    def back(at: int) -> list[int]:
        if kind_of(program.ops[at].type) == "size":
            return []  # it reads how large a map is, and nothing that is in it
        before = set(channels.flow.predecessors(at))
        return [i for i in before if not _has_weights(channels, program.ops[i])]

    return frozenset(reachable(ends, back))


def _is_end(channels: Channels, op: Op) -> bool:
    return not any(
        reader.role == "forward"
        for value in channels.flow.writes(op)
        for reader in channels.flow.consumers(value)
    )


def _has_weights(channels: Channels, op: Op) -> bool:
    """A layer that makes new features: known ones marked so, unknown ones with parameters."""
    spec = op_spec(op.type)
    if spec is not None and (not spec.channels.makes or _is_expectation(channels, op)):
        return False
    for value in channels.flow.reads(op):
        var = channels.program.var(value.name, op.block)
        if var is not None and var.persistable and value.producer is None:
            return True
    return False


def _is_expectation(channels: Channels, op: Op) -> bool:
    """A distribution times one column of places: what it predicts, and no new features."""
    x = channels.flow.read(op, "X")
    weight = channels.program.shape(op.input("Y"), op.block)
    maker = None if x is None else channels.flow.producer(x)
    while maker is not None and kind_of(maker.type) == "movement":
        x = channels.flow.read(maker, "X")
        maker = None if x is None else channels.flow.producer(x)
    one_column = bool(weight and (len(weight) == 1 or weight[-1] == 1))
    return one_column and maker is not None and kind_of(maker.type) == "softmax"
