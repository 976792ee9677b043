"""A numpy executor for small programs, pruned and masked forms of them, and random networks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest

from graphprobe.emit import prune_config
from graphprobe.ir import Op, Program
from graphprobe.ir.builder import Builder
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.ratios import PruneChoice, choose
from graphprobe.training.pruning.ranking import make_plan, prune_array

Arrays = dict[str, Any]


def conv2d(op: Op, x: Any, w: Any) -> Any:
    groups = max(1, op.get_int("groups", 1))
    out, per_group, kh, kw = w.shape
    assert x.shape[1] == groups * per_group, (op, x.shape, w.shape)
    pad = kh // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    n, _, h, width = x.shape
    rows = w.reshape(groups, out // groups, per_group, kh, kw)
    result = np.zeros((n, groups, out // groups, h, width))
    for i in range(kh):
        for j in range(kw):
            part = padded[:, :, i : i + h, j : j + width]
            part = part.reshape(n, groups, per_group, h, width)
            result += np.einsum("goc,ngchw->ngohw", rows[..., i, j], part)
    return result.reshape(n, out, h, width)


def conv2d_transpose(op: Op, x: Any, w: Any) -> Any:
    """Kernel 2, stride 2, one group."""
    assert x.shape[1] == w.shape[0] and w.shape[2:] == (2, 2)
    n, _, h, width = x.shape
    result = np.einsum("nchw,coij->nohiwj", x, w)
    return result.reshape(n, w.shape[1], h * 2, width * 2)


def batch_norm(op: Op, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    view = (1, -1, 1, 1)
    normal = (x - mean.reshape(view)) / np.sqrt(variance.reshape(view) + 1e-5)
    return normal * scale.reshape(view) + bias.reshape(view)


def group_norm(op: Op, x: Any, scale: Any, bias: Any) -> Any:
    n, c, h, w = x.shape
    parts = x.reshape(n, op.get_int("groups"), -1)
    normal = (parts - parts.mean(-1, keepdims=True)) / (parts.std(-1, keepdims=True) + 1e-5)
    return normal.reshape(x.shape) * scale.reshape(1, -1, 1, 1) + bias.reshape(1, -1, 1, 1)


def binary(function: Any) -> Callable[..., Any]:
    def run(op: Op, x: Any, y: Any) -> Any:
        axis = op.get_int("axis", -1)
        if axis >= 0 and y.ndim < x.ndim:
            y = y.reshape((1,) * axis + y.shape + (1,) * (x.ndim - axis - y.ndim))
        return function(x, y)

    return run


def split(op: Op, x: Any) -> list[Any]:
    sections = list(op.get_ints("sections"))
    points = np.cumsum(sections)[:-1] if sections else op.get_int("num")
    return list(np.split(x, points, axis=op.get_int("axis")))


def slice_(op: Op, x: Any) -> Any:
    at = [slice(None)] * x.ndim
    for axis, start, end in zip(
        op.get_ints("axes"), op.get_ints("starts"), op.get_ints("ends"), strict=True
    ):
        at[axis] = slice(start, end)
    return x[tuple(at)]


def reshape(op: Op, x: Any, *computed: Any) -> Any:
    """A shape by tensors is what counts where it is given, as in Paddle."""
    given = [int(np.asarray(c).reshape(())) for c in computed] or op.get_ints("shape")
    return x.reshape([x.shape[i] if s == 0 else s for i, s in enumerate(given)])


def depthwise_transpose(op: Op, x: Any, w: Any) -> Any:
    """Kernel 2, stride 2, filters of its own for each channel."""
    n, c, h, width = x.shape
    assert op.get_int("groups") == c == w.shape[0]
    result = np.einsum("nchw,cmij->ncmhiwj", x, w)
    return result.reshape(n, c * w.shape[1], h * 2, width * 2)


def layer_norm(op: Op, x: Any, scale: Any, bias: Any) -> Any:
    axes = tuple(range(op.get_int("begin_norm_axis"), x.ndim))
    normal = (x - x.mean(axes, keepdims=True)) / (x.std(axes, keepdims=True) + 1e-5)
    return normal * scale + bias


def matmul(op: Op, x: Any, y: Any) -> Any:
    x = x.swapaxes(-1, -2) if op.attrs.get("trans_x") else x
    return x @ (y.swapaxes(-1, -2) if op.attrs.get("trans_y") else y)


def slice_entries(op: Op, x: Any) -> Any:
    part = slice_(op, x)
    gone = op.get_ints("decrease_axis")
    return part.squeeze(gone) if gone else part


def set_value(op: Op, x: Any, value: Any) -> Any:
    result = x.copy()
    at = [slice(None)] * x.ndim
    starts, ends = op.get_ints("starts"), op.get_ints("ends")
    gone = op.get_ints("decrease_axes")
    for axis, start, end in zip(op.get_ints("axes"), starts, ends, strict=True):
        at[axis] = start if axis in gone else slice(start, end)
    result[tuple(at)] = value
    return result


def unpool(op: Op, x: Any, places: Any) -> Any:
    """Each number goes to its place of a map twice as large."""
    n, c, h, w = x.shape
    result = np.zeros((n, c, h * w * 4))
    np.put_along_axis(result, places.reshape(n, c, -1), x.reshape(n, c, -1), 2)
    return result.reshape(n, c, h * 2, w * 2)


def pool_with_places(op: Op, x: Any) -> list[Any]:
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    flat = parts.reshape(n, c, h // 2, w // 2, 4)
    best = flat.argmax(-1)
    rows = np.arange(h // 2)[:, None] * 2 + best // 2
    columns = np.arange(w // 2)[None, :] * 2 + best % 2
    return [flat.max(-1), rows * w + columns]


def dense(op: Op, x: Any, w: Any) -> Any:
    leading = op.get_int("x_num_col_dims", 1)
    return x.reshape(*x.shape[:leading], -1) @ w


def shuffle(op: Op, x: Any) -> Any:
    n, c, h, w = x.shape
    groups = op.get_int("group") or op.get_int("groups")
    return x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(x.shape)


def pixel_shuffle(op: Op, x: Any) -> Any:
    n, c, h, w = x.shape
    r = op.get_int("upscale_factor")
    return (
        x.reshape(n, c // r**2, r, r, h, w)
        .transpose(0, 1, 4, 2, 5, 3)
        .reshape(n, c // r**2, h * r, w * r)
    )


def sigmoid(op: Op, x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(op: Op, x: Any) -> Any:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


RUN: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "conv2d": (("Input", "Filter"), conv2d),
    "depthwise_conv2d": (("Input", "Filter"), conv2d),
    "conv2d_transpose": (("Input", "Filter"), conv2d_transpose),
    "batch_norm": (("X", "Scale", "Bias", "Mean", "Variance"), batch_norm),
    "group_norm": (("X", "Scale", "Bias"), group_norm),
    "relu": (("X",), lambda op, x: np.maximum(x, 0)),
    "sigmoid": (("X",), sigmoid),
    "prelu": (("X", "Alpha"), lambda op, x, a: np.where(x > 0, x, x * a)),
    "elementwise_add": (("X", "Y"), binary(np.add)),
    "elementwise_sub": (("X", "Y"), binary(np.subtract)),
    "elementwise_mul": (("X", "Y"), binary(np.multiply)),
    "tanh": (("X",), lambda _, x: np.tanh(x)),
    "abs": (("X",), lambda _, x: np.abs(x)),
    "split": (("X",), split),
    "slice": (("Input",), slice_entries),
    "shape": (("Input",), lambda op, x: np.array(x.shape)),
    "fill_constant_batch_size_like": (
        ("Input",),
        lambda op, x: np.full((x.shape[0], *op.get_ints("shape")[1:]), op.attrs["value"]),
    ),
    "elementwise_div": (("X", "Y"), binary(np.divide)),
    "reduce_sum": (
        ("X",),
        lambda op, x: x.sum(op.get_ints("dim"), keepdims=bool(op.attrs.get("keep_dim"))),
    ),
    "fill_constant": ((), lambda op: np.array([op.get_int("value")])),
    "cast": (("X",), lambda op, x: x),
    "scale": (("X",), lambda op, x: x * op.attrs.get("scale", 1) + op.attrs.get("bias", 0)),
    "gelu": (("X",), lambda op, x: x * sigmoid(op, 1.7 * x)),
    "layer_norm": (("X", "Scale", "Bias"), layer_norm),
    "matmul_v2": (("X", "Y"), matmul),
    "bmm": (("X", "Y"), matmul),
    "fc": (("Input", "W", "Bias"), lambda op, x, w, b: np.maximum(x @ w + b, 0)),
    "addmm": (("X", "Y", "Input"), lambda op, x, w, b: x @ w + b),
    "fused_gemm_epilogue": (("X", "Y", "Bias"), lambda op, x, w, b: np.maximum(x @ w + b, 0)),
    "depthwise_conv2d_transpose": (("Input", "Filter"), depthwise_transpose),
    "set_value": (("Input", "ValueTensor"), set_value),
    "unpool": (("X", "Indices"), unpool),
    "max_pool2d_with_index": (("X",), pool_with_places),
    "elementwise_floordiv": (("X", "Y"), binary(np.floor_divide)),
    "reduce_mean": (
        ("X",),
        lambda op, x: x.mean(op.get_ints("dim"), keepdims=bool(op.attrs.get("keep_dim"))),
    ),
    "reduce_max": (
        ("X",),
        lambda op, x: x.max(op.get_ints("dim"), keepdims=bool(op.attrs.get("keep_dim"))),
    ),
    "p_norm": (
        ("X",),
        lambda op, x: np.linalg.norm(
            x, axis=op.get_int("axis"), keepdims=bool(op.attrs.get("keepdim"))
        ),
    ),
    "index_select": (("X", "Index"), lambda op, x, i: np.take(x, i, op.get_int("dim"))),
    "reshape2": (("X",), reshape),
    "transpose2": (("X",), lambda op, x: x.transpose(op.get_ints("axis"))),
    "shuffle_channel": (("X",), shuffle),
    "channel_shuffle": (("X",), shuffle),
    "unsqueeze2": (("X",), lambda op, x: np.expand_dims(x, op.get_ints("axes"))),
    "squeeze2": (("X",), lambda op, x: np.squeeze(x, op.get_ints("axes"))),
    "expand_as_v2": (("X", "Y"), lambda op, x, y: np.broadcast_to(x, y.shape) + 0),
    "repeat_interleave": (
        ("X",),
        lambda op, x: np.repeat(x, op.get_int("Repeats"), op.get_int("dim")),
    ),
    "pixel_shuffle": (("X",), pixel_shuffle),
    "pool2d": (("X",), lambda op, x: x.mean((2, 3), keepdims=True)),
    "nearest_interp_v2": (("X",), lambda op, x: x.repeat(2, 2).repeat(2, 3)),
    "flatten_contiguous_range": (
        ("X",),
        lambda op, x: x.reshape(*x.shape[: op.get_int("start_axis")], -1),
    ),
    "mul": (("X", "Y"), dense),
    "softmax": (("X",), softmax),
}


def multiplied(op: Op, read: Mapping[str, tuple[int, ...]], made: tuple[int, ...]) -> int:
    """The multiply-adds of an op as it was executed, from the sizes of its arrays."""
    if "conv2d" in op.type:
        around = read["Input"] if "transpose" in op.type else made
        return prod(around) * prod(read["Filter"][1:])
    if op.type in ("matmul_v2", "bmm", "addmm", "fused_gemm_epilogue"):
        return prod(made) * read["X"][-2 if op.attrs.get("trans_x") else -1]
    if op.type in ("fc", "mul"):
        return prod(made) * read["W" if op.type == "fc" else "Y"][0]
    return 0


def execute(
    program: Program, values: Mapping[str, Any], work: list[int] | None = None
) -> list[Any]:
    """Run the ops of the main block; what the fetch ops read. `work` takes their multiply-adds."""
    state, fetched = dict(values), []
    for op in program.ops:
        if op.type == "fetch":
            fetched.append(state[op.input("X") or ""])
            continue
        if op.type in ("concat", "stack"):
            join = np.concatenate if op.type == "concat" else np.stack
            result: Any = join([state[name] for name in op.inputs["X"]], op.get_int("axis"))
        elif op.type == "einsum":
            result = np.einsum(op.get_str("equation"), *(state[n] for n in op.inputs["Operands"]))
        elif op.type == "reshape2":
            shape = (*op.inputs.get("ShapeTensor", ()), *op.inputs.get("Shape", ()))
            parts = [part for name in shape for part in np.atleast_1d(state[name])]
            result = reshape(op, state[op.input("X") or ""], *parts)
        else:
            slots, function = RUN[op.type]
            result = function(op, *(state[op.input(slot) or ""] for slot in slots))
        names = [name for slot in op.outputs.values() for name in slot]
        results = result if isinstance(result, list) else [result]
        assert len(names) == len(results)
        if work is not None:
            read = {slot: np.shape(state[each[0]]) for slot, each in op.inputs.items() if each}
            work.append(multiplied(op, read, np.shape(results[0])))
        if work is not None and op.type == "einsum":
            letters = dict(
                pair
                for part, name in zip(
                    op.get_str("equation").partition("->")[0].split(","),
                    op.inputs["Operands"],
                    strict=True,
                )
                for pair in zip(part.strip(), state[name].shape, strict=True)
            )
            work.append(prod(letters.values()))
        state.update(zip(names, results, strict=True))
    return fetched


def first_values(program: Program, seed: int = 0) -> Arrays:
    """Random values for parameters and feeds; an open size is 2."""
    rng = np.random.default_rng(seed)
    names = [v.name for v in program.parameters] + list(program.feeds)
    values = {}
    for name in names:
        shape = [2 if s < 0 else s for s in program.shape(name) or ()]
        fan_in = max(1, int(np.prod(shape[1:]))) if name not in program.feeds else 1
        values[name] = rng.normal(size=shape) / np.sqrt(fan_in)
        var = program.var(name)
        if var is not None and var.dtype == "int64":
            values[name] = rng.integers(0, 9, shape)
        if name.endswith("variance"):
            values[name] = np.abs(values[name]) + 0.5
    return values


def cut_program(program: Program, plan: PrunePlan) -> Program:
    """The program with the attributes of a plan (the executor needs no declared shapes)."""
    block = program.blocks[0]
    ops = []
    for op in block.ops:
        attrs = dict(op.attrs)
        for change in plan.attr_updates:
            told = (
                change.param in op.input_names()
                if change.param
                else (change.output in op.output_names())
            )
            if op.type == change.op and told:
                attrs[change.attr] = change.after
        ops.append(replace(op, attrs=attrs))
    return replace(program, blocks=(replace(block, ops=tuple(ops)),))


def masked(plan: PrunePlan, values: Arrays) -> Arrays:
    """The values with zeros where weights consume what the plan removes."""
    changed = dict(values)
    for name, axis, gone in plan.removed_inputs():
        array = changed[name].copy()
        array[(slice(None),) * axis + (gone,)] = 0
        changed[name] = array
    return changed


@dataclass
class Proof:
    """What a pruning of a program came to.

    Args:
        choice: what was cut.
        plan: the plan.
        difference: largest difference between the pruned and the masked network's outputs.
        work: multiply-adds of the pruned network as it was executed, for one image.
    """

    choice: PruneChoice
    plan: PrunePlan
    difference: float
    work: float


def prove(program: Program, policy: str, ratio: float, only: int | None = None) -> Proof | None:
    """Cut a program (or one of its groups) and compare it with the masked one."""
    choice = choose(find_prunable(program, policy), ratio)
    section = prune_config(choice, program, "x").prune
    if only is not None:
        section = section.model_copy(update={"groups": section.groups[only : only + 1]})
    if not section.groups:
        return None
    values = first_values(program)
    shapes = {v.name: v.shape or () for v in program.parameters}
    plan = make_plan(section, shapes, values.__getitem__)
    smaller = {name: prune_array(plan, name, value) for name, value in values.items()}
    work: list[int] = []
    results = execute(cut_program(program, plan), smaller, work)
    images = values[program.feeds[0]].shape[0]
    wanted = execute(program, masked(plan, values))
    assert [a.shape for a in results] == [b.shape for b in wanted]
    difference = max(float(np.abs(a - b).max()) for a, b in zip(results, wanted, strict=True))
    scale = max(1.0, max(float(np.abs(b).max()) for b in wanted))
    return Proof(choice, plan, difference / scale, sum(work) / images)


class RandomNet:
    """Grows a network of small maps out of the pieces that real ones are made of."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - tests
        self.b = Builder()
        self.x = self.b.feed("image", (-1, 3, 4, 4))
        self.c = 3
        self.shared: tuple[str, int] | None = None

    def build(self) -> Program:
        pieces = [
            self.conv, self.depthwise, self.grouped, self.residual, self.squeeze, self.concat,
            self.split, self.shuffle, self.unit, self.slice, self.prelu, self.norm, self.twice,
            self.space, self.up, self.affine, self.shaped_bias,
        ]  # fmt: skip
        self.conv()
        for _ in range(self.rng.randint(3, 8)):
            self.rng.choice(pieces)()
        self.rng.choice([self.end_conv, self.end_dense, self.end_fetch])()
        return self.b.build()

    def op(self, type: str, x: str, channels: int, attrs: Any = None, **more: str) -> str:
        slots = {"X": x, **more}
        return self.b.op(type, slots, attrs=attrs, shape=(-1, channels, 4, 4))

    def norm_relu(self, x: str, channels: int) -> str:
        stem = self.b.fresh("batch_norm")
        names = {
            slot: self.b.param(f"{stem}.{slot.lower()}", (channels,))
            for slot in ("Scale", "Bias", "Mean", "Variance")
        }
        y = self.b.op(
            "batch_norm", {"X": x, **names}, {"Y": f"{stem}.y"}, shape=(-1, channels, 4, 4)
        )
        return self.op("relu", y, channels)

    def make(self, x: str, filters: int, k: int = 3, groups: int = 1, type: str = "conv2d") -> str:
        return self.norm_relu(self.b.conv(x, filters, k, groups=groups, type=type), filters)

    def conv(self) -> None:
        self.c = self.rng.choice([4, 6, 8, 12])
        self.x = self.make(self.x, self.c, self.rng.choice([1, 3]))

    def depthwise(self) -> None:
        times = self.rng.choice([1, 1, 2])
        kind = self.rng.choice(["conv2d", "depthwise_conv2d"])
        self.x = self.make(self.x, self.c * times, 3, self.c, kind)
        self.c *= times

    def grouped(self) -> None:
        if self.c % 2 == 0:
            filters = self.rng.choice([4, 8])
            self.x, self.c = self.make(self.x, filters, 3, 2), filters

    def residual(self) -> None:
        inner = self.make(self.x, self.rng.choice([4, 6]), 1)
        y = self.b.conv(inner, self.c, 3)
        self.x = self.op("relu", self.op("elementwise_add", self.x, self.c, Y=y), self.c)

    def squeeze(self) -> None:
        pooled = self.b.op("pool2d", {"X": self.x}, attrs={"global_pooling": True},
                           shape=(-1, self.c, 1, 1))  # fmt: skip
        small = self.b.op("relu", {"X": self.b.conv(pooled, 4)}, shape=(-1, 4, 1, 1))
        gate = self.b.conv(small, self.c)
        gate = self.b.op("sigmoid", {"X": gate}, shape=(-1, self.c, 1, 1))
        self.x = self.op("elementwise_mul", self.x, self.c, Y=gate)

    def concat(self) -> None:
        other = self.rng.choice([4, 6])
        y = self.make(self.x, other, 1)
        pair = [self.x, y] if self.rng.random() < 0.5 else [y, self.x]
        self.c += other
        self.x = self.b.op("concat", {"X": pair}, attrs={"axis": 1}, shape=(-1, self.c, 4, 4))

    def split(self) -> None:
        if self.c % 2:
            return
        half = self.c // 2
        attrs = {"axis": 1, "num": 2} if self.rng.random() < 0.5 else {
            "axis": 1, "num": 0, "sections": (half, half)}  # fmt: skip
        names = [self.b.var(f"{self.b.fresh('split')}.a", (-1, half, 4, 4)),
                 self.b.var(f"{self.b.fresh('split')}.b", (-1, half, 4, 4))]  # fmt: skip
        self.b.op("split", {"X": self.x}, {"Out": names}, attrs)
        y = self.make(names[1], half, 1)
        self.x = self.b.op("concat", {"X": [names[0], y]}, attrs={"axis": 1},
                           shape=(-1, self.c, 4, 4))  # fmt: skip

    def shuffle(self) -> None:
        if self.c % 2:
            return
        half = self.c // 2
        if self.rng.random() < 0.3:
            self.x = self.op("shuffle_channel", self.x, self.c, {"group": 2})
            return
        y = self.b.op("reshape2", {"X": self.x}, attrs={"shape": (0, 2, half, 4, 4)},
                      shape=(-1, 2, half, 4, 4))  # fmt: skip
        y = self.b.op("transpose2", {"X": y}, attrs={"axis": (0, 2, 1, 3, 4)},
                      shape=(-1, half, 2, 4, 4))  # fmt: skip
        self.x = self.op("reshape2", y, self.c, {"shape": (0, self.c, 4, 4)})

    def unit(self) -> None:
        self.split()
        self.shuffle()

    def slice(self) -> None:
        start = self.rng.randint(0, self.c // 2)
        attrs = {"axes": (1,), "starts": (start,), "ends": (2**31 - 1,)}
        y = self.b.op("slice", {"Input": self.x}, attrs=attrs, shape=(-1, self.c - start, 4, 4))
        self.x = self.make(y, self.c, 1) if self.rng.random() < 0.5 else y
        self.c = self.c if self.x != y else self.c - start

    def prelu(self) -> None:
        alpha = self.b.param(f"{self.b.fresh('prelu')}.alpha", (1, self.c, 1, 1))
        self.x = self.op("prelu", self.x, self.c, {"mode": "channel"}, Alpha=alpha)

    def affine(self) -> None:
        bias = self.b.param(f"{self.b.fresh('affine')}.b", (self.c,))
        self.x = self.op("elementwise_add", self.x, self.c, {"axis": 1}, Y=bias)

    def shaped_bias(self) -> None:
        """A bias of [C] that is reshaped before it is added, as Paddle 3 writes it."""
        bias = self.b.param(f"{self.b.fresh('shaped')}.b", (self.c,))
        attrs = {"shape": (1, self.c, 1, 1)}
        y = self.b.op("reshape2", {"X": bias}, attrs=attrs, shape=(1, self.c, 1, 1))
        self.x = self.op("elementwise_add", self.x, self.c, {"axis": -1}, Y=y)

    def norm(self) -> None:
        if self.c % 2 == 0:
            stem = self.b.fresh("group_norm")
            names = {s: self.b.param(f"{stem}.{s.lower()}", (self.c,)) for s in ("Scale", "Bias")}
            self.x = self.b.op("group_norm", {"X": self.x, **names}, {"Y": f"{stem}.y"},
                               {"groups": 2}, (-1, self.c, 4, 4))  # fmt: skip

    def twice(self) -> None:
        """Two convolutions with one filter, added."""
        y = self.make(self.x, 6, 1)
        first = self.b.conv(y, 6, 1)
        name = first.replace(".tmp_0", ".w_0")
        slots = {"Input": first, "Filter": name}
        second = self.b.op("conv2d", slots, {"Output": self.b.fresh("again")},
                           {"groups": 1, "data_format": "NCHW"}, (-1, 6, 4, 4))  # fmt: skip
        self.x, self.c = self.op("elementwise_add", first, 6, Y=second), 6

    def space(self) -> None:
        if self.c % 4 == 0:
            y = self.b.op("pixel_shuffle", {"X": self.x}, attrs={"upscale_factor": 2},
                          shape=(-1, self.c // 4, 8, 8))  # fmt: skip
            pooled = self.b.op("pool2d", {"X": y}, attrs={"global_pooling": True},
                               shape=(-1, self.c // 4, 1, 1))  # fmt: skip
            gate = self.b.conv(pooled, self.c)
            self.x = self.op("elementwise_mul", self.x, self.c, Y=gate)

    def up(self) -> None:
        """A transposed convolution on a side branch that gates by its mean."""
        w = self.b.param(f"{self.b.fresh('up')}.w_0", (self.c, 4, 2, 2))
        slots, attrs = {"Input": self.x, "Filter": w}, {"groups": 1, "strides": (2, 2)}
        y = self.b.op(
            "conv2d_transpose", slots, {"Output": self.b.fresh("up")}, attrs, (-1, 4, 8, 8)
        )
        y = self.b.op("pool2d", {"X": y}, attrs={"global_pooling": True}, shape=(-1, 4, 1, 1))
        self.x = self.op("elementwise_add", self.x, self.c, Y=self.b.conv(y, self.c))

    def fetch(self, name: str) -> None:
        self.b.op("fetch", {"X": name}, {"Out": "fetch"})

    def end_conv(self) -> None:
        self.fetch(self.b.conv(self.x, 5, 1))

    def end_fetch(self) -> None:
        self.fetch(self.make(self.make(self.x, 6), 4))
        self.fetch(self.x)

    def end_dense(self) -> None:
        if self.rng.random() < 0.5:
            self.x = self.b.op("pool2d", {"X": self.x}, attrs={"global_pooling": True},
                               shape=(-1, self.c, 1, 1))  # fmt: skip
            size = self.c
        else:
            size = self.c * 16
        flat = self.b.op("flatten_contiguous_range", {"X": self.x},
                         attrs={"start_axis": 1, "stop_axis": 3}, shape=(-1, size))  # fmt: skip
        w = self.b.param("fc.w_0", (size, 5))
        y = self.b.op("mul", {"X": flat, "Y": w}, attrs={"x_num_col_dims": 1}, shape=(-1, 5))
        self.fetch(self.b.op("softmax", {"X": y}, shape=(-1, 5)))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "pruning-cache"))
        yield


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """PROGRAM -> the program."""
    return cache(load_program)


@pytest.fixture(scope="session")
def random_net() -> Callable[[int], Program]:
    """Seed -> a network."""
    return lambda seed: RandomNet(seed).build()


@pytest.fixture(scope="session")
def prove_cut() -> Callable[..., Proof | None]:
    """Program, policy, ratio -> how far the pruned network is from the masked one."""
    return prove
