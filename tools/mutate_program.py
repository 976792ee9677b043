"""Ways to change what a program says while its file stays well formed: ops, slots, attributes.

Damaged bytes mostly end at the first check of a reader. What these make is read, and meets the
rules behind: types in other places, slots that are gone, names that are nowhere declared or
written twice, sizes that no machine holds, shapes that contradict each other.
"""

from __future__ import annotations

import json
import random
from typing import Any

from google.protobuf.message import DecodeError

from graphprobe.formats.programdesc.schema import message_class
from graphprobe.ops.pir_names import pir_lines
from graphprobe.ops.table import op_specs

TYPES = tuple(sorted(op_specs()))
SLOTS = (
    *("X", "Y", "Input", "Filter", "W", "Out", "Output", "Scale", "Bias", "Mean", "Variance"),
    *("Axis", "Shape", "ShapeTensor", "XShape", "Ids", "Label", "Condition", "Index"),
)
ATTRIBUTES = (
    *("axis", "axes", "shape", "perm", "groups", "group", "strides", "paddings", "ksize"),
    *("dilations", "data_format", "data_layout", "starts", "ends", "num", "sections", "dim"),
    *("start_axis", "stop_axis", "begin_norm_axis", "begin_axis", "trans_x", "trans_y"),
    *("x_num_col_dims", "y_num_col_dims", "upscale_factor", "downscale_factor", "expand_times"),
    *("repeat_times", "expand_shape", "keep_dim", "reduce_all", "decrease_axis", "out_h", "out_w"),
    *("scale", "padding_algorithm", "sub_block", "infer_flags"),
)
INTEGERS = (0, 1, -1, 2, 3, 4, 5, -2, -5, 7, 8, 16, 63, 2**31 - 1, -(2**31))
SIZES = (*INTEGERS, 2**40, 2**62, 2**63 - 1, -(2**63))
WORDS = (b"NCHW", b"NHWC", b"AnyLayout", b"SAME", b"VALID", b"", b"\xff")


def mutate_program(data: bytes, rng: random.Random) -> bytes:
    """Change a program a few times; what is none is returned as it is."""
    if data[:1] == b"{":
        return _mutate_pir(data, rng)
    desc = message_class("ProgramDesc")()
    try:
        desc.ParseFromString(data)
    except DecodeError:
        return data
    blocks = [block for block in desc.blocks if block.ops and block.vars]
    if not blocks:
        return data
    for _ in range(1 + min(rng.getrandbits(2), rng.getrandbits(2))):
        block = rng.choice(blocks)
        if not block.ops or not block.vars:
            continue
        rng.choice(CHANGES)(block, rng)
    return bytes(desc.SerializePartialToString())


def _retype(block: Any, rng: random.Random) -> None:
    rng.choice(block.ops).type = rng.choice(TYPES).encode()


def _swap_types(block: Any, rng: random.Random) -> None:
    a, b = rng.choice(block.ops), rng.choice(block.ops)
    a.type, b.type = b.type, a.type


def _slot(block: Any, rng: random.Random) -> Any:
    op = rng.choice(block.ops)
    slots = [*op.inputs, *op.outputs]
    return rng.choice(slots) if slots else op.inputs.add(parameter=b"X")


def _rename_slot(block: Any, rng: random.Random) -> None:
    _slot(block, rng).parameter = rng.choice(SLOTS).encode()


def _name(block: Any, rng: random.Random) -> bytes:
    choice = rng.randrange(8)
    if choice == 0:
        return b""
    if choice == 1:
        return b"nowhere_%d" % rng.randrange(3)
    name: bytes = rng.choice(block.vars).name
    return name


def _argument(block: Any, rng: random.Random) -> None:
    slot = _slot(block, rng)
    names = list(slot.arguments)
    choice = rng.randrange(4)
    if choice == 0 or not names:
        names.insert(rng.randrange(len(names) + 1), _name(block, rng))
    elif choice == 1:
        names.pop(rng.randrange(len(names)))
    else:
        names[rng.randrange(len(names))] = _name(block, rng)
    slot.arguments[:] = names


def _drop_outputs(block: Any, rng: random.Random) -> None:
    op = rng.choice(block.ops)
    if rng.getrandbits(1):
        op.ClearField("outputs")
    elif len(op.outputs):
        del op.outputs[rng.randrange(len(op.outputs))]


def _write_twice(block: Any, rng: random.Random) -> None:
    a, b = rng.choice(block.ops), rng.choice(block.ops)
    if a.outputs and b.outputs:
        b.outputs[0].arguments[:] = a.outputs[0].arguments[:1]


def _rename_everywhere(block: Any, rng: random.Random) -> None:
    """One name becomes another, as of a variable that is declared, or none."""
    old, new = _name(block, rng), _name(block, rng)
    for op in block.ops:
        for slot in (*op.inputs, *op.outputs):
            slot.arguments[:] = [new if name == old else name for name in slot.arguments]
    for var in block.vars:
        if var.name == old:
            var.name = new


def _undeclare(block: Any, rng: random.Random) -> None:
    del block.vars[rng.randrange(len(block.vars))]


def _resize(block: Any, rng: random.Random) -> None:
    var = rng.choice(block.vars)
    dims = var.type.lod_tensor.tensor.dims
    sizes = list(dims)
    choice = rng.randrange(7)
    if choice == 0 or not sizes:
        sizes.insert(rng.randrange(len(sizes) + 1), rng.choice(SIZES))
    elif choice == 1:
        sizes.pop(rng.randrange(len(sizes)))
    elif choice == 2:
        sizes *= rng.choice((2, 30))
    elif choice == 3:
        # Fewer axes than the ops around it take and make.
        del sizes[rng.randrange(len(sizes)) :]
    elif choice == 4:
        # More numbers than any type counts.
        sizes = [rng.choice((2**31 - 1, 2**62))] * rng.choice((2, 6, 40))
    else:
        sizes[rng.randrange(len(sizes))] = rng.choice(SIZES)
    dims[:] = sizes
    var.type.lod_tensor.tensor.data_type = 5
    var.type.type = 7


def _keep(block: Any, rng: random.Random) -> None:
    var = rng.choice(block.vars)
    var.persistable = not var.persistable


def _attribute(block: Any, rng: random.Random) -> None:
    op = rng.choice(block.ops)
    if op.attrs and rng.getrandbits(1):
        attr = rng.choice(op.attrs)
    else:
        attr = op.attrs.add(name=rng.choice(ATTRIBUTES).encode())
    kind = rng.randrange(5)
    for name in ("i", "l", "s", "b", "f", "ints", "longs", "strings", "block_idx"):
        attr.ClearField(name)
    if kind == 0:
        attr.type, attr.i = 0, rng.choice(INTEGERS)
    elif kind == 1:
        attr.type, attr.l = 9, rng.choice(SIZES)
    elif kind == 2:
        attr.type, attr.s = 2, rng.choice(WORDS)
    elif kind == 3:
        attr.type, attr.b = 6, bool(rng.getrandbits(1))
    else:
        attr.type, attr.longs[:] = 11, rng.choices(SIZES, k=rng.randrange(7))


def _double_op(block: Any, rng: random.Random) -> None:
    op = type(block.ops[0])()
    op.CopyFrom(rng.choice(block.ops))
    ops = list(block.ops)
    ops.insert(rng.randrange(len(ops) + 1), op)
    _set_ops(block, ops)


def _move_op(block: Any, rng: random.Random) -> None:
    ops = list(block.ops)
    op = ops.pop(rng.randrange(len(ops)))
    if rng.randrange(3):
        ops.insert(rng.randrange(len(ops) + 1), op)
    _set_ops(block, ops)


def _set_ops(block: Any, ops: list[Any]) -> None:
    copies = []
    for op in ops:
        copy = type(op)()
        copy.CopyFrom(op)
        copies.append(copy)
    block.ClearField("ops")
    block.ops.extend(copies)


CHANGES = (_retype, _retype, _swap_types, _rename_slot, _argument, _argument, _drop_outputs,
           _write_twice, _rename_everywhere, _undeclare, _resize, _resize, _keep, _attribute,
           _attribute, _double_op, _move_op)  # fmt: skip


def _mutate_pir(data: bytes, rng: random.Random) -> bytes:
    """The same for PIR json: names of ops, operands, sizes and attributes."""
    try:
        document = json.loads(data)
        ops = document["program"]["regions"][0]["blocks"][0]["ops"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return data
    ops = [op for op in ops if isinstance(op, dict)] if isinstance(ops, list) else []
    for _ in range(1 + min(rng.getrandbits(2), rng.getrandbits(2)) if ops else 0):
        _change_pir_op(rng.choice(ops), ops, rng)
    return json.dumps(document).encode()


def _change_pir_op(op: dict[str, Any], ops: list[dict[str, Any]], rng: random.Random) -> None:
    choice = rng.randrange(6)
    lists = {key: value for key, value in op.items() if isinstance(value, list) and value}
    if choice == 0:
        op["#"] = f"{rng.choice('012')}.{rng.choice(PIR_NAMES)}"
    elif choice == 1 and "I" in lists:
        op["I"][rng.randrange(len(op["I"]))] = {"%": rng.randrange(-1, 25)}
    elif choice == 2 and "I" in lists:
        op["I"].pop(rng.randrange(len(op["I"])))
    elif choice == 3:
        other = rng.choice(ops)
        op["O"], other["O"] = other.get("O", []), op.get("O", [])
    elif choice == 4 and "O" in lists:
        _resize_pir(rng.choice(op["O"]), rng)
    elif "A" in lists and isinstance(op["A"][-1], dict):
        attr = rng.choice([a for a in op["A"] if isinstance(a, dict)])
        attr["N"] = rng.choice(ATTRIBUTES) if rng.getrandbits(1) else attr.get("N")
        values = [{"#": "0.a_i64", "D": size} for size in rng.choices(SIZES, k=rng.randrange(5))]
        whole = {"#": "0.a_array", "D": values}
        attr["AT"] = whole if rng.getrandbits(1) or not values else values[0]


def _resize_pir(result: Any, rng: random.Random) -> None:
    try:
        sizes = result["TT"]["D"][1]
        sizes[:] = rng.choice(([*sizes, rng.choice(SIZES)], sizes[1:], rng.choices(SIZES, k=4)))
    except (LookupError, TypeError):
        return


PIR_NAMES = tuple(sorted({*TYPES, *pir_lines()}))
