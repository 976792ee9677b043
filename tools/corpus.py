"""Small programs in both file formats: where the fuzzer starts, and input for tests."""

from __future__ import annotations

import json
from typing import Any

from graphprobe.formats.programdesc.schema import message_class
from graphprobe.ir import Attr, Op, Program, Var
from graphprobe.ir.builder import Builder

DTYPES = {"bool": 0, "int32": 2, "int64": 3, "float32": 5, "float64": 6}
KINDS = {"tensor": 7, "feed": 9, "fetch": 10, "tensor_array": 13, "raw": 17}


def programdesc(program: Program, version: int | None = 2006002) -> bytes:
    """Serialize a program as ProgramDesc protobuf (integers as INT, or LONG above 32 bits)."""
    desc = message_class("ProgramDesc")()
    for block in program.blocks:
        out = desc.blocks.add(idx=block.index, parent_idx=block.parent)
        for var in block.vars.values():
            _add_var(out.vars.add(name=var.name.encode()), var)
        for op in block.ops:
            _add_op(out.ops.add(type=op.type.encode()), op)
    if version is not None:
        desc.version.version = version
    return desc.SerializeToString()


def _add_var(out: Any, var: Var) -> None:
    out.persistable = var.persistable
    out.is_parameter = var.is_parameter
    out.stop_gradient = var.stop_gradient
    out.type.type = KINDS[var.kind]
    if var.kind in ("tensor", "tensor_array") and var.shape is not None:
        holder = out.type.lod_tensor if var.kind == "tensor" else out.type.tensor_array
        holder.tensor.data_type = DTYPES[var.dtype]
        holder.tensor.dims.extend(var.shape)


def _add_op(out: Any, op: Op) -> None:
    for side, slots in ((out.inputs, op.inputs), (out.outputs, op.outputs)):
        for name, arguments in slots.items():
            side.add(parameter=name.encode(), arguments=[a.encode() for a in arguments])
    for name, value in op.attrs.items():
        _add_attr(out.attrs.add(name=name.encode()), name, value)


def _add_attr(out: Any, name: str, value: Attr) -> None:
    if name == "sub_block":
        out.type, out.block_idx = 8, value
    elif isinstance(value, bool):
        out.type, out.b = 6, value
    elif isinstance(value, int):
        wide = not -(2**31) <= value < 2**31
        out.type = 9 if wide else 0
        setattr(out, "l" if wide else "i", value)
    elif isinstance(value, float):
        out.type, out.f = 1, value
    elif isinstance(value, str):
        out.type, out.s = 2, value.encode()
    elif isinstance(value, tuple) and all(isinstance(v, str) for v in value):
        out.type, out.strings[:] = 5, [v.encode() for v in value]
    elif isinstance(value, tuple) and all(isinstance(v, int) for v in value):
        out.type, out.longs[:] = 11, value
    else:
        out.type, out.floats[:] = 4, value


class PirWriter:
    """Writes PIR json as Paddle 3 does, op by op."""

    def __init__(self) -> None:
        self.ops: list[dict[str, Any]] = []
        self._last = 0

    def param(self, name: str, shape: list[int]) -> int:
        """A parameter; returns its value number."""
        number = self._next()
        result = {"%": number, "TT": tensor(shape)}
        head = {"#": "p", "A": [0, 1, 1, name], "DA": [], "O": result}
        self.ops.append(head | {"OA": [1, 0, 1], "QA": []})
        return number

    def op(
        self,
        name: str,
        operands: list[int],
        shapes: list[list[int]],
        attrs: dict[str, Any] | None = None,
        regions: list[Any] | None = None,
    ) -> list[int]:
        """An op, as ``1.conv2d``, with a result for each shape; returns their value numbers."""
        numbers = [self._next() for _ in shapes]
        results = [{"%": n, "TT": tensor(s)} for n, s in zip(numbers, shapes, strict=True)]
        item: dict[str, Any] = {"#": name, "A": [_pir_attr(k, v) for k, v in (attrs or {}).items()]}
        item |= {"I": [{"%": n} for n in operands], "O": results, "OA": []}
        if regions is not None:
            item["regions"] = regions
        self.ops.append(item)
        return numbers

    def ints(self, *values: int) -> int:
        """A constant shape or list of axes."""
        return self.op("1.full_int_array", [], [[len(values)]], {"value": list(values)})[0]

    def number(self, value: float, dtype: str = "int32") -> int:
        """A constant number."""
        attrs = {"shape": ("1.a_intarray", [1]), "value": float(value)}
        return self.op("1.full", [], [[1]], attrs | {"dtype": ("1.a_dtype", dtype)})[0]

    def combine(self, numbers: list[int]) -> int:
        """A vector of values."""
        result = self.op("0.combine", numbers, [[1]])[0]
        members = [tensor([-1, 8, -1, -1]) for _ in numbers]
        self.ops[-1]["O"][0]["TT"] = {"#": "0.t_vec", "D": members}
        return result

    def block(self, args: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """The ops so far, as a block."""
        return {"#": "block_0", "args": args or [], "ops": self.ops}

    def document(self) -> bytes:
        """The whole file."""
        region = {"#": "region_0", "blocks": [self.block()]}
        base = {"magic": "pir", "trainable": True, "version": 1}
        return json.dumps({"base_code": base, "program": {"regions": [region]}}).encode()

    def _next(self) -> int:
        self._last += 1
        return self._last


def tensor(shape: list[int], dtype: str = "t_f32") -> dict[str, Any]:
    """The type of a dense tensor."""
    return {"#": "0.t_dtensor", "D": [{"#": f"0.{dtype}"}, shape, "NCHW", [], 0]}


def _pir_attr(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        kind, data = value
        return {"N": name, "AT": {"#": kind, "D": data}}
    return {"N": name, "AT": _pir_value(value)}


def _pir_value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"#": "0.a_array", "D": [_pir_value(v) for v in value]}
    kinds = {bool: "a_bool", int: "a_i32", float: "a_f32", str: "a_str"}
    return {"#": f"0.{kinds[type(value)]}", "D": value}


def detector() -> Program:
    """A small detector: depthwise, residual, concat, a loop, feed and fetch."""
    b = Builder()
    b.var("feed", kind="feed", persistable=True)
    b.var("fetch", kind="fetch", persistable=True)
    image = b.feed("image", (-1, 3, 64, 64))
    b.op("feed", {"X": "feed"}, {"Out": image}, {"col": 0})
    stem = _conv_bn(b, image, 8, stride=2)
    depthwise = b.conv(stem, 8, k=3, groups=8, type="depthwise_conv2d")
    joined = b.op("elementwise_add", {"X": stem, "Y": depthwise}, shape=(-1, 8, 32, 32))
    deep = _conv_bn(b, joined, 16, stride=2)
    size = {"scale": (2.0, 2.0), "out_h": -1, "out_w": -1}
    up = b.op("nearest_interp_v2", {"X": deep}, attrs=size, shape=(-1, 16, 32, 32))
    both = b.op("concat", {"X": [joined, up]}, attrs={"axis": 1}, shape=(-1, 24, 32, 32))
    head = b.conv(both, 6, k=1)
    flat = b.op("reshape2", {"X": head}, attrs={"shape": (0, 6, -1)}, shape=(-1, 6, -1))
    with b.block() as body:
        b.op("relu", {"X": flat}, {"Out": flat}, {"op_namescope": "/loop/"})
        b.op("increment", {"X": "i"}, {"Out": "i"}, {"step": 1.0})
    condition = b.op("less_than", {"X": b.var("i", (1,), "int64"), "Y": "i"}, shape=(1,))
    loop = {"sub_block": body, "is_test": True, "skip": (flat, "i"), "seed": 2**40}
    b.op("while", {"X": [flat, "i"], "Condition": condition}, {"Out": [flat, "i"]}, loop)
    b.op("fetch", {"X": flat}, {"Out": "fetch"}, {"col": 0})
    return b.build([flat])


def _conv_bn(b: Builder, x: str, filters: int, stride: int) -> str:
    y = b.conv(x, filters, k=3, stride=stride)
    stem = b.fresh("batch_norm")
    shape = (-1, filters, 64 // stride, 64 // stride)
    inputs = {slot: b.param(f"{stem}.{slot}", (filters,)) for slot in ("Scale", "Bias")}
    state = {slot: b.param(f"{stem}.{slot}", (filters,)) for slot in ("Mean", "Variance")}
    outputs = {"Y": f"{stem}.tmp_2", "MeanOut": state["Mean"], "VarianceOut": state["Variance"]}
    b.op("batch_norm", {"X": y, **inputs, **state}, outputs, {"epsilon": 1e-5}, shape)
    return b.op("relu", {"X": outputs["Y"]}, shape=shape)


def pir_detector() -> bytes:
    """Much the same in PIR, with constants as operands, a vector and a region."""
    w = PirWriter()
    weights = [w.param(f"conv2d_{i}.w_0", s) for i, s in enumerate(([8, 3, 3, 3], [8, 1, 3, 3]))]
    norm = [w.param(f"batch_norm2d_0.w_{i}", [8]) for i in range(4)]
    data = {"name": "x", "shape": ("1.a_intarray", [-1, 3, -1, -1])}
    x = w.op("1.data", [], [[-1, 3, -1, -1]], data | {"dtype": ("1.a_dtype", "float32")})[0]
    conv = {"strides": [2, 2], "paddings": [1, 1], "groups": 1, "data_format": "NCHW"}
    shape = [-1, 8, -1, -1]
    y = w.op("1.conv2d", [x, weights[0]], [shape], conv)[0]
    y = w.op("1.batch_norm_", [y, *norm], [shape] + [[8]] * 5, {"epsilon": 1e-5})[0]
    z = w.op("1.depthwise_conv2d", [y, weights[1]], [shape], conv | {"groups": 8})[0]
    z = w.op("1.add", [y, z], [shape], {"struct_name": "/Net/Block/"})[0]
    pooled = w.op("1.pool2d", [z, w.ints(1, 1)], [[-1, 8, 1, 1]], {"pooling_type": "avg"})[0]
    up = w.op("1.nearest_interp", [pooled, w.ints(4, 4), 0, 0], [shape], {"out_h": -1})[0]
    both = w.op("1.concat", [w.combine([z, up]), w.number(1)], [[-1, 16, -1, -1]])[0]
    flat = w.op("1.reshape", [both, w.ints(0, 16, -1)], [[-1, 16, -1]])[0]
    flat = w.op("1.scale", [flat, w.number(0.5, "float32")], [[-1, 16, -1]], {"bias": 0.0})[0]
    inner = PirWriter()
    inner._last = 100
    inner.op("2.yield", inner.op("1.relu", [flat], [[-1, 16, -1]]), [])
    region = {"#": "region_1", "blocks": [inner.block()]}
    flat = w.op("1.if", [w.number(1, "bool")], [[-1, 16, -1]], regions=[region, region])[0]
    w.op("1.fetch", [flat], [[-1, 16, -1]], {"name": "fetch_name_0", "col": 0})
    return w.document()


def networks() -> list[bytes]:
    """Small networks that meet the rules of every family of operators, between convolutions."""
    return [programdesc(_shaping()), programdesc(_joining()), programdesc(_attending())]


def _shaping() -> Program:
    """Reshape, transpose, flatten, expand, pad, slice, pooling, upsampling, shuffles."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 16, 16)), 8, k=3, stride=2)
    x = b.op("reshape2", {"X": x}, attrs={"shape": (0, 2, 4, 8, 8)}, shape=(-1, 2, 4, 8, 8))
    x = b.op("transpose2", {"X": x}, attrs={"axis": (0, 2, 1, 3, 4)}, shape=(-1, 4, 2, 8, 8))
    x = b.op("reshape2", {"X": x}, attrs={"shape": (0, 8, 8, 8)}, shape=(-1, 8, 8, 8))
    x = b.conv(x, 16, k=3)
    x = b.op("pixel_shuffle", {"X": x}, attrs={"upscale_factor": 2}, shape=(-1, 4, 16, 16))
    x = b.op("expand_v2", {"X": x}, attrs={"shape": (-1, 4, 16, 16)}, shape=(-1, 4, 16, 16))
    x = b.conv(x, 8, groups=4, k=3)
    x = b.op("shuffle_channel", {"X": x}, attrs={"group": 2}, shape=(-1, 8, 16, 16))
    x = b.op("pad3d", {"X": x}, attrs={"paddings": (0,) * 6}, shape=(-1, 8, 16, 16))
    starts = {"axes": (2,), "starts": (0,), "ends": (8,)}
    x = b.op("slice", {"Input": x}, attrs=starts, shape=(-1, 8, 8, 16))
    pool = {"pooling_type": "avg", "ksize": (1, 1), "adaptive": True}
    x = b.op("pool2d", {"X": b.conv(x, 8)}, attrs=pool, shape=(-1, 8, 1, 1))
    x = b.op("flatten_contiguous_range", {"X": x}, attrs={"start_axis": 1}, shape=(-1, 8))
    y = b.param("fc.w", (8, 5))
    x = b.op("mul", {"X": x, "Y": y}, attrs={"x_num_col_dims": 1}, shape=(-1, 5))
    return b.build([b.op("softmax", {"X": x}, shape=(-1, 5))])


def _joining() -> Program:
    """Concats, splits, sums, scales of channels, and an operand that is nowhere declared."""
    b = Builder()
    image = b.feed("image", (-1, 3, 16, 16))
    parts = [b.conv(image, 4, k=3) for _ in range(3)]
    both = b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, 12, 16, 16))
    outs = {"Out": ["part_0", "part_1", "part_2"]}
    b.op("split", {"X": both}, outs, {"axis": 1, "num": 3}, shape=(-1, 4, 16, 16))
    total = b.op("sum", {"X": ["part_0", "part_2"]}, shape=(-1, 4, 16, 16))
    total = b.op("elementwise_mul", {"X": total, "Y": "part_1"}, shape=(-1, 4, 16, 16))
    bias = b.param("bias", (4,))
    total = b.op(
        "elementwise_add", {"X": total, "Y": bias}, attrs={"axis": 1}, shape=(-1, 4, 16, 16)
    )
    last = b.conv(total, 4)
    more = b.op("stack", {"X": [last, total]}, {"Y": "stacked"}, {"axis": 1}, (-1, 2, 4, 16, 16))
    more = b.op("reduce_mean", {"X": more}, attrs={"dim": (1,)}, shape=(-1, 4, 16, 16))
    whole = b.op("concat", {"X": [more, last, "gone"]}, attrs={"axis": 1}, shape=(-1, 12, 16, 16))
    return b.build([b.op("sigmoid", {"X": b.conv(whole, 2)}, shape=(-1, 2, 16, 16))])


def _attending() -> Program:
    """Tokens of a convolution, a layer norm, one head of attention, fully connected layers."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 16, 16)), 8, k=4, stride=4)
    x = b.op("reshape2", {"X": x}, attrs={"shape": (0, 8, 16)}, shape=(-1, 8, 16))
    x = b.op("transpose2", {"X": x}, attrs={"axis": (0, 2, 1)}, shape=(-1, 16, 8))
    names = {slot: b.param(f"ln.{slot}", (8,)) for slot in ("Scale", "Bias")}
    x = b.op("layer_norm", {"X": x, **names}, {"Y": "ln.y"}, {"begin_norm_axis": 2}, (-1, 16, 8))
    ways = []
    for name in "qkv":
        weight = b.param(f"{name}.w", (8, 8))
        ways.append(b.op("matmul_v2", {"X": x, "Y": weight}, shape=(-1, 16, 8)))
    attrs = {"trans_x": False, "trans_y": True}
    weights = b.op("matmul_v2", {"X": ways[0], "Y": ways[1]}, attrs=attrs, shape=(-1, 16, 16))
    weights = b.op("softmax", {"X": weights}, attrs={"axis": -1}, shape=(-1, 16, 16))
    x = b.op("matmul_v2", {"X": weights, "Y": ways[2]}, shape=(-1, 16, 8))
    x = b.op("matmul_v2", {"X": x, "Y": b.param("mlp.w", (8, 12))}, shape=(-1, 16, 12))
    x = b.op("gelu", {"X": x}, shape=(-1, 16, 12))
    x = b.op("matmul_v2", {"X": x, "Y": b.param("out.w", (12, 4))}, shape=(-1, 16, 4))
    return b.build([x])


def seeds() -> list[bytes]:
    """What the fuzzer starts from where no real program is at hand."""
    chain = Builder()
    x = chain.feed("x", (-1, 3, 224, 224))
    for i in range(12):
        x = chain.op("leaky_relu", {"X": chain.conv(x, 8 + i, k=3)}, attrs={"alpha": 0.1})
        chain.var(x, (-1, 8 + i, 224, 224))
    return [
        programdesc(detector()),
        programdesc(detector(), version=None),
        programdesc(chain.build(), version=1008004),
        pir_detector(),
    ]
