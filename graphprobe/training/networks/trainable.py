"""An exported program as one that can be trained: edits of its ops and variables.

An exported program declares no parameters, runs its norms and its dropout in test mode, and lacks
what only gradients read. Nothing here needs Paddle: the program is edited as it was read, and
written again afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from graphprobe.formats.programdesc.protos import op_proto
from graphprobe.ir import Block, Op, Program, Var
from graphprobe.ir.program import Attr
from graphprobe.ops.kinds import computed_by, has_weights, is_norm, is_quantizer, kind_of
from graphprobe.ops.spatial.image_input import image_input

# What the image that a program looks at is called in batches, whatever the program calls it.
IMAGE = "image"
_FLOATS = ("float32", "float64")
# Outputs that gradients read and exports may leave out.
_FOR_GRADIENTS = (
    *("XShape", "SavedMean", "SavedVariance", "ReserveSpace"),
    *("Mean", "Variance", "Reserve", "DropoutState"),
)
_STATISTICS = ("Mean", "Variance")
# What optimizers ask of each op.
_FORWARD: dict[str, Attr] = {"op_role": 0, "op_device": ""}


def without_ports(program: Program) -> Program:
    """The program without its feed and fetch ops, its image called ``image``.

    A trainer brings feeds and fetches of its own; `Program.feeds` and `Program.fetches` still
    name them.
    """
    image = image_input(program)
    names = {} if image is None else {image.name: IMAGE}
    blocks: list[Block] = []
    first = 0
    for block in program.blocks:
        kept = [_renamed(op, names) for op in block.ops if kind_of(op.type) not in _PORTS]
        ops = tuple(replace(op, id=first + i) for i, op in enumerate(kept))
        first += len(ops)
        found = (var for var in block.vars.values() if var.kind not in ("feed", "fetch"))
        renamed = (replace(var, name=names.get(var.name, var.name)) for var in found)
        blocks.append(replace(block, ops=ops, vars={var.name: var for var in renamed}))
    feeds = tuple(names.get(name, name) for name in program.feeds)
    fetches = tuple(names.get(name, name) for name in program.fetches)
    return replace(program, blocks=tuple(blocks), feeds=feeds, fetches=fetches)


_PORTS = ("input", "output")


def trainable(program: Program) -> Program:
    """The program with parameters, in the mode that it is trained in.

    Norms normalise by the moving statistics, which stay as they are; dropout does what it does in
    inference. So the program gives the outputs of the export, and gradients.

    Args:
        program: from `without_ports`.
    """
    parameters = trainable_names(program)
    blocks = []
    first = 0
    for block in program.blocks:
        draft = {name: _declared(var, parameters) for name, var in block.vars.items()}
        ops = tuple(
            replace(op, id=first + i)
            for i, op in enumerate(_with_gradient(op, draft, program) for op in block.ops)
        )
        first += len(ops)
        blocks.append(replace(block, vars=draft, ops=ops))
    return replace(program, blocks=tuple(blocks))


def with_roles(program: Program) -> Program:
    """The program whose ops are marked as forward ones of any device.

    Exports of Paddle 1.x and json of Paddle 3 do not say so, and optimizers ask for it.
    """
    blocks = (
        replace(
            block,
            ops=tuple(replace(op, attrs={**_FORWARD, **op.attrs}) for op in block.ops),
        )
        for block in program.blocks
    )
    return replace(program, blocks=tuple(blocks))


def trainable_names(program: Program) -> frozenset[str]:
    """Names of the stored tensors that training may change.

    These are floating tensors that some op reads, without moving statistics and without constants
    that meet the input before the first layer with weights, as the mean of an image's channels.
    """
    stored = {
        var.name
        for block in program.blocks
        for var in block.vars.values()
        if var.persistable and var.kind == "tensor" and var.dtype in _FLOATS
    }
    found: set[str] = set()
    fixed: set[str] = set()
    learned: set[str] = set()  # what some layer with weights was before
    for op in program.ops:
        read = [name for name in op.input_names() if name in stored]
        others = [name for name in op.input_names() if name not in stored]
        fixed.update(name for name in op.output_names() if name in stored)
        if is_norm(op.type):
            fixed.update(name for slot in _STATISTICS for name in op.inputs.get(slot, ()))
        if kind_of(op.type) == "elementwise" and others and learned.isdisjoint(others):
            fixed.update(read)
        found.update(read)
        if has_weights(op.type) or not learned.isdisjoint(others):
            learned.update(op.output_names())
    return frozenset(found - fixed)


def quantised_op(program: Program) -> Op | None:
    """The first op that quantises, undoes it or simulates it; None where there is none."""
    return next((op for op in program.ops if is_quantizer(op.type)), None)


def fused_op(program: Program) -> Op | None:
    """The first op that an engine has fused with others, whose gradient is that of the op alone."""
    return next((op for op in program.ops if _is_fused(op)), None)


def _is_fused(op: Op) -> bool:
    flags = ("fuse_relu", "fuse_brelu", "fuse_residual_connection")
    return bool(op.get_str("fuse_activation")) or any(op.attrs.get(f) is True for f in flags)


def _renamed(op: Op, names: dict[str, str]) -> Op:
    if not any(name in names for name in (*op.input_names(), *op.output_names())):
        return op
    inputs, outputs = (
        {slot: tuple(names.get(name, name) for name in given) for slot, given in slots.items()}
        for slots in (op.inputs, op.outputs)
    )
    return replace(op, inputs=inputs, outputs=outputs)


def _declared(var: Var, parameters: frozenset[str]) -> Var:
    """Gradients go through floating activations and parameters, and stop at all else."""
    if var.kind != "tensor":
        return var
    learns = var.name in parameters
    stops = var.dtype not in _FLOATS or (var.persistable and not learns)
    return replace(var, is_parameter=learns, stop_gradient=stops)


def _with_gradient(op: Op, draft: dict[str, Var], program: Program) -> Op:
    """The op in the mode that it is trained in, with the outputs that its gradient reads."""
    if computed_by(op.type) == "dropout":
        return _fixed_dropout(op)
    proto = op_proto(op.type)
    if proto is None:
        return op
    # Gradients are made from what is written, so what an old Paddle left out is filled in.
    attrs = {**proto.defaults, "op_role": 0, **op.attrs}
    if "is_test" in proto.attrs:
        attrs["is_test"] = False
    if "use_global_stats" in proto.attrs:
        attrs |= {"use_global_stats": True, "trainable_statistics": False}
    if "dropout_prob" in proto.attrs:
        attrs["dropout_prob"] = 0.0
    missing = (s for s in _FOR_GRADIENTS if s in proto.outputs and not op.outputs.get(s))
    added = {slot: (_declare(op, slot, draft, program),) for slot in missing}
    return replace(op, attrs=attrs, outputs={**op.outputs, **added})


def _fixed_dropout(op: Op) -> Op:
    """What dropout does in inference, as a product."""
    probability = op.attrs.get("dropout_prob", 0.5)
    kept = 1 - float(probability) if isinstance(probability, int | float) else 1.0
    downgrades = op.get_str("dropout_implementation", "downgrade_in_infer") != "upscale_in_train"
    attrs = {"scale": kept if downgrades else 1.0, "bias": 0.0, "bias_after_scale": True}
    attrs["op_role"] = 0
    slots = {"X": op.inputs.get("X", ())}, {"Out": op.outputs.get("Out", ())}
    return Op(op.id, "scale", *slots, attrs, op.block)


def _declare(op: Op, slot: str, draft: dict[str, Var], program: Program) -> str:
    """A new variable for an output: Paddle infers the shape of all but ``XShape``."""
    name = f"{next(op.output_names(), op.type)}.{slot.lower()}"
    while name in draft:
        name += "_"
    x = program.var(op.input("X") or op.input("Input") or "", op.block)
    shape: tuple[int, ...] = (-1,)
    if slot == "XShape" and x is not None and x.shape is not None:
        shape = (0, *x.shape)
    draft[name] = Var(name, shape, "float32" if x is None else x.dtype, stop_gradient=True)
    return name
