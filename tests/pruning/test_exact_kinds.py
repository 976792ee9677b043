"""Kinds of structure that are pruned: what is left computes what the masked network computes.

Each program is small and executed with numpy, so that nothing of the own knowledge of operators
says what is right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ops.work.count import multiply_adds, weight_uses
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import choose, param_shapes


class Net:
    """A builder with the layers of these tests; maps are 4 x 4, tokens 16 of 12 features."""

    def __init__(self) -> None:
        self.b = Builder()
        self.image = self.b.feed("image", (-1, 3, 4, 4))

    def op(self, type, shape, attrs=None, outputs=None, **slots):
        return self.b.op(type, slots, outputs, attrs, shape)

    def conv(self, x, filters, name, k=1, **more):
        return self.b.conv(x, filters, k, name=name, **more)

    def number(self, value):
        """A shape's entry as exporters write it."""
        attrs = {"shape": (1,), "value": value, "str_value": str(value)}
        return self.op("fill_constant", (1,), attrs)

    def batch_of(self, x, rank=4):
        sizes = self.op("shape", (rank,), Input=x)
        attrs = {"axes": (0,), "starts": (0,), "ends": (1,), "decrease_axis": (0,)}
        return self.op("slice", (), attrs, Input=sizes)

    def reshape(self, x, *sizes):
        """To sizes of which any may be the name of a computed one."""
        numbers = [self.number(s) if isinstance(s, int) else s for s in sizes]
        shape = tuple(s if isinstance(s, int) else -1 for s in sizes)
        return self.op("reshape2", shape, {"shape": shape}, X=x, ShapeTensor=numbers)

    def linear(self, x, rows, columns, name, shape):
        w = self.b.param(f"{name}.w", (rows, columns))
        bias = self.b.param(f"{name}.b", (columns,))
        y = self.op("matmul_v2", (*shape, columns), X=x, Y=w)
        return self.op("elementwise_add", (*shape, columns), {"axis": -1}, X=y, Y=bias)

    def vectors(self, name, size=8):
        """What a batch norm has one number a channel of."""
        slots = ("Scale", "Bias", "Mean", "Variance")
        return {slot: self.b.param(f"{name}.{slot.lower()}", (size,)) for slot in slots}

    def norm(self, x, name, shape=(-1, 16, 12)):
        scale, bias = (self.b.param(f"{name}.{part}", (12,)) for part in ("scale", "bias"))
        attrs = {"begin_norm_axis": 2}
        outputs = {"Y": f"{name}.y"}
        return self.op("layer_norm", shape, attrs, outputs, X=x, Scale=scale, Bias=bias)

    def tokens(self):
        """The image as tokens behind a normalisation, which carry nothing that can be pruned."""
        x = self.conv(self.image, 12, "patch")
        flat = self.op("flatten_contiguous_range", (-1, 12, 16),
                       {"start_axis": 2, "stop_axis": 3}, X=x)  # fmt: skip
        tokens = self.op("transpose2", (-1, 16, 12), {"axis": (0, 2, 1)}, X=flat)
        return self.norm(tokens, "first")

    def done(self, *names):
        for name in names:
            self.b.op("fetch", {"X": name}, {"Out": "fetch"})
        return self.b.build()


def shared_bias():
    """A filter and a bias for two levels; the bias is reshaped once a level."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    w, bias = n.b.param("tower.w_0", (6, 8, 1, 1)), n.b.param("tower.b_0", (6,))
    out = []
    for i in range(2):
        level = n.op("relu", (-1, 8, 4, 4), X=x)
        y = n.op("conv2d", (-1, 6, 4, 4), {"groups": 1}, {"Output": f"t{i}"},
                 Input=level, Filter=w)  # fmt: skip
        shape = n.op("reshape2", (1, 6, 1, 1), {"shape": (1, 6, 1, 1)}, X=bias)
        y = n.op("elementwise_add", (-1, 6, 4, 4), {"axis": -1}, X=y, Y=shape)
        out.append(n.conv(y, 2, f"z{i}"))
    return n.done(*out)


def silu():
    n = Net()
    x = n.conv(n.image, 8, "a")
    gate = n.op("sigmoid", (-1, 8, 4, 4), X=x)
    return n.done(n.conv(n.op("elementwise_mul", (-1, 8, 4, 4), X=x, Y=gate), 3, "z"))


def shuffle_of_open_batch():
    n = Net()
    x = n.conv(n.image, 8, "a")
    batch = n.batch_of(x)
    y = n.reshape(x, batch, 2, 4, 4, 4)
    y = n.op("transpose2", (-1, 4, 2, 4, 4), {"axis": (0, 2, 1, 3, 4)}, X=y)
    return n.done(n.conv(n.reshape(y, batch, 8, 4, 4), 3, "z"))


def shape_in_one_tensor():
    """The channels' entry is measured and divided, and all entries are joined in one tensor."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    sizes = n.op("shape", (4,), Input=x)
    parts = [
        n.op("slice", (1,), {"axes": (0,), "starts": (i,), "ends": (i + 1,)}, Input=sizes)
        for i in range(4)
    ]
    half = n.op("elementwise_floordiv", (1,), X=parts[1], Y=n.number(2))
    first = [parts[0], n.number(2), half, *parts[2:]]
    wide = n.op("concat", (5,), {"axis": 0}, X=[n.op("cast", (1,), X=p) for p in first])
    y = n.op("reshape2", (-1, 2, 4, 4, 4), {"shape": (-1,) * 5}, X=x, Shape=wide)
    y = n.op("transpose2", (-1, 4, 2, 4, 4), {"axis": (0, 2, 1, 3, 4)}, X=y)
    back = n.op("concat", (4,), {"axis": 0}, X=parts)
    y = n.op("reshape2", (-1, 8, 4, 4), {"shape": (-1,) * 4}, X=y, Shape=back)
    return n.done(n.conv(y, 3, "z"))


def global_pool_mul():
    n = Net()
    x = n.conv(n.b.feed("open", (-1, 3, -1, -1)), 8, "a")
    pooled = n.op("pool2d", (-1, 8, -1, -1), {"global_pooling": True}, X=x)
    w = n.b.param("fc.w", (8, 5))
    return n.done(n.op("mul", (-1, 5), {"x_num_col_dims": 1}, X=pooled, Y=w))


def depthwise_transposed(times=1):
    n = Net()
    x = n.conv(n.image, 8, "a")
    w = n.b.param("up.w_0", (8, times, 2, 2))
    y = n.op("depthwise_conv2d_transpose", (-1, 8 * times, 8, 8), {"groups": 8, "strides": (2, 2)},
             {"Output": "up"}, Input=x, Filter=w)  # fmt: skip
    return n.done(n.op("pool2d", (-1, 3, 1, 1), {"global_pooling": True}, X=n.conv(y, 3, "z")))


def unpooled():
    n = Net()
    x = n.conv(n.image, 8, "a")
    small = n.op("max_pool2d_with_index", (-1, 8, 2, 2), {"ksize": (2, 2)},
                 {"Out": "small", "Mask": "places"}, X=x)  # fmt: skip
    y = n.op("unpool", (-1, 8, 4, 4), X=small, Indices="places")
    return n.done(n.conv(y, 3, "z"))


def put_into_a_map():
    n = Net()
    x, y = n.conv(n.image, 8, "a"), n.conv(n.image, 8, "b")
    part = n.op("slice", (-1, 8, 2, 4), {"axes": (2,), "starts": (0,), "ends": (2,)}, Input=y)
    attrs = {"axes": (2,), "starts": (1,), "ends": (3,), "steps": (1,)}
    z = n.op("set_value", (-1, 8, 4, 4), attrs, Input=x, ValueTensor=part)
    return n.done(n.conv(z, 3, "z"))


def row_of_a_map():
    """One row is written over, by what has no axis of rows."""
    n = Net()
    x, y = n.conv(n.image, 8, "a"), n.conv(n.image, 8, "b")
    row = n.op("reduce_mean", (-1, 8, 4), {"dim": (2,), "keep_dim": False}, X=y)
    attrs = {"axes": (2,), "starts": (1,), "ends": (2,), "steps": (1,), "decrease_axes": (2,)}
    z = n.op("set_value", (-1, 8, 4, 4), attrs, Input=x, ValueTensor=row)
    return n.done(n.conv(z, 3, "z"))


def shuffle_in_one_op():
    n = Net()
    x = n.conv(n.image, 8, "a")
    return n.done(n.conv(n.op("channel_shuffle", (-1, 8, 4, 4), {"groups": 2}, X=x), 3, "z"))


def gate_of_the_size_of_another(fixed=True):
    """An SE gate that is repeated to the size of what it is for."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    mean = n.op("reduce_mean", (-1, 8, 1, 1), {"dim": (2, 3), "keep_dim": True}, X=x)
    gate = n.op("sigmoid", (-1, 8, 1, 1), X=n.conv(mean, 8, "gate"))
    attrs = {"target_shape": (2 if fixed else -1, 8, 4, 4)}
    gate = n.op("expand_as_v2", (-1, 8, 4, 4), attrs, X=gate, Y=x)
    return n.done(n.conv(n.op("elementwise_mul", (-1, 8, 4, 4), X=x, Y=gate), 3, "z"))


def one_map_for_all_channels():
    """A map of one channel that is repeated to those of another feature."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    one = n.op("sigmoid", (-1, 1, 4, 4), X=n.conv(n.image, 1, "one"))
    wide = n.op("expand_as_v2", (-1, 8, 4, 4), {"target_shape": (-1, 8, 4, 4)}, X=one, Y=x)
    return n.done(n.conv(n.op("elementwise_mul", (-1, 8, 4, 4), X=x, Y=wide), 3, "z"))


def convolution_of_one_axis():
    """conv1d: the sequence and its filter get an axis of size 1."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    flat = n.op("flatten_contiguous_range", (-1, 8, 16),
                {"start_axis": 2, "stop_axis": 3}, X=x)  # fmt: skip
    x = n.op("unsqueeze2", (-1, 8, 1, 16), {"axes": (-2,)}, X=flat)
    w = n.op("unsqueeze2", (6, 8, 1, 1), {"axes": (2,)}, X=n.b.param("line.w_0", (6, 8, 1)))
    y = n.op("conv2d", (-1, 6, 1, 16), {"groups": 1}, {"Output": "line"}, Input=x, Filter=w)
    y = n.op("squeeze2", (-1, 6, 16), {"axes": (2,)}, X=y)
    y = n.op("reshape2", (-1, 6, 4, 4), {"shape": (0, 6, 4, 4)}, X=y)
    return n.done(n.conv(y, 3, "z"))


def context_of_places():
    """GCNet: one map weighs all places, and what is summed up goes back on the channels' axis."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    places = n.op("reshape2", (-1, 1, 16), {"shape": (0, 1, 16)}, X=n.conv(n.image, 1, "one"))
    weights = n.op("unsqueeze2", (-1, 1, 16, 1), {"axes": (-1,)},
                   X=n.op("softmax", (-1, 1, 16), {"axis": -1}, X=places))  # fmt: skip
    flat = n.op("reshape2", (-1, 1, 8, 16), {"shape": (0, 1, 8, 16)}, X=x)
    y = n.op("matmul_v2", (-1, 1, 8, 1), X=flat, Y=weights)
    y = n.op("reshape2", (-1, 8, 1, 1), {"shape": (0, 8, 1, 1)}, X=y)
    return n.done(n.conv(n.op("elementwise_add", (-1, 8, 4, 4), X=x, Y=y), 3, "z"))


def reduced_over_places():
    n = Net()
    x = n.conv(n.image, 8, "a")
    mean = n.op("reduce_mean", (-1, 8, 1, 1), {"dim": (2, 3), "keep_dim": True}, X=x)
    best = n.op("reduce_max", (-1, 8, 4), {"dim": (-1,), "keep_dim": False}, X=x)
    best = n.op("reduce_max", (-1, 8), {"dim": (2,), "keep_dim": False}, X=best)
    w = n.b.param("fc.w", (8, 5))
    return n.done(n.conv(mean, 3, "z"), n.op("mul", (-1, 5), {"x_num_col_dims": 1}, X=best, Y=w))


def lengths_over_places():
    """The length of what stands in front of the channels takes their axis one place forward."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    x = n.op("transpose2", (-1, 4, 4, 8), {"axis": (0, 2, 3, 1)}, X=x)
    x = n.op("p_norm", (-1, 4, 8), {"axis": 1, "keepdim": False}, X=x)
    x = n.op("p_norm", (-1, 1, 8), {"axis": 1, "keepdim": True}, X=x)
    w = n.b.param("fc.w", (8, 5))
    return n.done(n.op("matmul_v2", (-1, 1, 5), X=x, Y=w))


def joined_with_the_image():
    """What is added to a map that holds the image keeps the image's channels."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    both = n.op("concat", (-1, 11, 4, 4), {"axis": 1}, X=[x, n.image])
    total = n.op("elementwise_add", (-1, 11, 4, 4), X=both, Y=n.conv(x, 11, "b"))
    return n.done(n.conv(total, 3, "z"))


def spatial_attention(*behind, key=None):
    """A non-local block: the value's channels pass the product; query and key are summed over.

    Behind the layer of the query stand these ops, behind that of the key those of `key`.
    """
    n = Net()
    x = n.op("relu", (-1, 3, 4, 4), X=n.image)
    flat = {}
    for name in ("query", "key", "value"):
        y = n.conv(x, 8, name)
        for type in {"query": behind, "key": behind if key is None else key}.get(name, ()):
            slots = {"X": y, **(n.vectors(name) if type == "batch_norm" else {})}
            outputs = {"Y": f"{name}.y"} if type == "batch_norm" else None
            y = n.op(
                type, (-1, 8, 4, 4), {"bias": 0.5} if type == "scale" else {}, outputs, **slots
            )
        flat[name] = n.op("reshape2", (-1, 8, 16), {"shape": (0, 8, 16)}, X=y)
    turned = n.op("transpose2", (-1, 16, 8), {"axis": (0, 2, 1)}, X=flat["query"])
    weights = n.op("softmax", (-1, 16, 16), {"axis": -1},
                   X=n.op("bmm", (-1, 16, 16), X=turned, Y=flat["key"]))  # fmt: skip
    y = n.op("matmul_v2", (-1, 8, 16), {"trans_y": True}, X=flat["value"], Y=weights)
    y = n.op("reshape2", (-1, 8, 4, 4), {"shape": (0, 8, 4, 4)}, X=y)
    return n.done(n.conv(y, 3, "z"))


def scaled_filter():
    """The filter is a parameter times one number a filter, then cast."""
    n = Net()
    w, scale = n.b.param("a.w_0", (8, 3, 1, 1)), n.b.param("a.scale", (8, 1, 1, 1))
    made = n.op("elementwise_mul", (8, 3, 1, 1), {"axis": -1}, X=w, Y=scale)
    made = n.op("cast", (8, 3, 1, 1), X=n.op("scale", (8, 3, 1, 1), {"scale": 2.0}, X=made))
    x = n.op("conv2d", (-1, 8, 4, 4), {"groups": 1}, {"Output": "y"}, Input=n.image, Filter=made)
    return n.done(n.conv(x, 3, "z"))


def layer_over_the_width():
    """Its weights are used once for each channel, and channels go."""
    n = Net()
    y = n.op("matmul_v2", (-1, 8, 4, 6), X=n.conv(n.image, 8, "a"), Y=n.b.param("over.w", (4, 6)))
    return n.done(n.conv(y, 3, "z"))


def tied_weights():
    """A matrix and the same one turned: each of its axes has channels that it makes and reads."""
    n = Net()
    x, w = n.conv(n.image, 8, "a"), n.b.param("tied.w", (8, 6))
    y = n.op("transpose2", (-1, 4, 4, 8), {"axis": (0, 2, 3, 1)}, X=x)
    y = n.op("relu", (-1, 4, 4, 6), X=n.op("matmul_v2", (-1, 4, 4, 6), X=y, Y=w))
    y = n.op("matmul_v2", (-1, 4, 4, 8), {"trans_y": True}, X=y, Y=w)
    y = n.op("transpose2", (-1, 8, 4, 4), {"axis": (0, 3, 1, 2)}, X=y)
    return n.done(n.conv(n.op("elementwise_add", (-1, 8, 4, 4), X=x, Y=y), 3, "z"))


def tied_convolutions():
    """A transposed convolution with the filter of the one before it."""
    n = Net()
    w = n.b.param("tied.w_0", (6, 8, 2, 2))
    x = n.op("relu", (-1, 6, 4, 4), X=n.conv(n.image, 6, "a"))
    attrs = {"groups": 1, "strides": (2, 2), "paddings": (0, 0), "data_format": "NCHW"}
    y = n.op("conv2d_transpose", (-1, 8, 8, 8), attrs, {"Output": "up"}, Input=x, Filter=w)
    y = n.op("relu", (-1, 8, 8, 8), X=y)
    y = n.op("conv2d", (-1, 6, 9, 9), {**attrs, "strides": (1, 1), "paddings": (1, 1)},
             {"Output": "down"}, Input=y, Filter=w)  # fmt: skip
    pooled = n.op("pool2d", (-1, 6, 1, 1), {"global_pooling": True}, X=y)
    return n.done(n.conv(pooled, 3, "z"))


def mlp():
    n = Net()
    x = n.tokens()
    y = n.op("gelu", (-1, 16, 24), X=n.linear(x, 12, 24, "up", (-1, 16)))
    return n.done(n.linear(y, 24, 12, "down", (-1, 16)))


def mixer():
    """Hidden widths over tokens and over features."""
    n = Net()
    x = n.tokens()
    y = n.op("transpose2", (-1, 12, 16), {"axis": (0, 2, 1)}, X=x)
    y = n.op("gelu", (-1, 12, 10), X=n.linear(y, 16, 10, "token_up", (-1, 12)))
    y = n.linear(y, 10, 16, "token_down", (-1, 12))
    y = n.op("transpose2", (-1, 16, 12), {"axis": (0, 2, 1)}, X=y)
    x = n.norm(n.op("elementwise_add", (-1, 16, 12), {"axis": -1}, X=x, Y=y), "second")
    y = n.op("gelu", (-1, 16, 24), X=n.linear(x, 12, 24, "up", (-1, 16)))
    return n.done(n.linear(y, 24, 12, "down", (-1, 16)))


def mixer_behind_a_convolution(residual=True):
    """Nothing but the patches' convolution in front: their channels and the hidden widths go."""
    n = Net()
    x = n.conv(n.image, 12, "patch")
    x = n.op("flatten_contiguous_range", (-1, 12, 16), {"start_axis": 2, "stop_axis": 3}, X=x)
    y = n.op("gelu", (-1, 12, 10), X=n.linear(x, 16, 10, "token_up", (-1, 12)))
    y = n.linear(y, 10, 16, "token_down", (-1, 12))
    if residual:
        y = n.op("elementwise_add", (-1, 12, 16), {"axis": -1}, X=x, Y=y)
    y = n.op("transpose2", (-1, 16, 12), {"axis": (0, 2, 1)}, X=y)
    y = n.op("gelu", (-1, 16, 24), X=n.linear(y, 12, 24, "up", (-1, 16)))
    y = n.op("reduce_mean", (-1, 24), {"dim": (1,)}, X=y)
    return n.done(n.linear(y, 24, 12, "down", (-1,)))


def mixer_on_the_left():
    """The tokens' weights stand on the left of features that a convolution makes."""
    n = Net()
    x = n.conv(n.image, 12, "patch")
    x = n.op("flatten_contiguous_range", (-1, 12, 16), {"start_axis": 2, "stop_axis": 3}, X=x)
    x = n.op("transpose2", (-1, 16, 12), {"axis": (0, 2, 1)}, X=x)
    for name, rows, columns in (("token_up", 16, 10), ("token_down", 10, 16)):
        x = n.op("matmul_v2", (-1, columns, 12), X=n.b.param(f"{name}.w", (columns, rows)), Y=x)
        x = n.op("gelu", (-1, columns, 12), X=x)
    return n.done(n.linear(x, 12, 5, "out", (-1, 16)))


def context_of_regions():
    """Features summed over the places of regions: rows of one layer, columns of another."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    flat = [
        n.op("reshape2", (-1, c, 16), {"shape": (0, c, 16)}, X=y)
        for c, y in ((6, n.conv(x, 6, "regions")), (8, n.conv(x, 8, "b")))
    ]
    places = n.op("softmax", (-1, 6, 16), {"axis": -1}, X=flat[0])
    y = n.op("matmul_v2", (-1, 6, 8), {"trans_y": True}, X=places, Y=flat[1])
    y = n.op("relu", (-1, 6, 10), X=n.linear(y, 8, 10, "up", (-1, 6)))
    y = n.op("transpose2", (-1, 10, 6), {"axis": (0, 2, 1)}, X=n.linear(y, 10, 10, "v", (-1, 6)))
    return n.done(n.linear(n.op("relu", (-1, 10, 6), X=y), 6, 5, "out", (-1, 10)))


def mixer_that_is_flattened():
    """Both axes become one: how often a channel lies there is a size of the other."""
    n = Net()
    x = n.conv(n.image, 12, "patch")
    x = n.op("flatten_contiguous_range", (-1, 12, 16), {"start_axis": 2, "stop_axis": 3}, X=x)
    x = n.op("gelu", (-1, 12, 10), X=n.linear(x, 16, 10, "token_up", (-1, 12)))
    x = n.op("flatten_contiguous_range", (-1, 120), {"start_axis": 1, "stop_axis": 2}, X=x)
    return n.done(n.linear(x, 120, 5, "out", (-1,)))


def _attend(n, q, k, v, bias=None, heads=4):
    """Heads of three features: [N, heads, 16, 3] each."""
    turned = n.op("transpose2", (-1, heads, 3, 16), {"axis": (0, 1, 3, 2)}, X=k)
    product = n.op("matmul_v2", (-1, heads, 16, 16), X=q, Y=turned)
    product = n.op("scale", (-1, heads, 16, 16), {"scale": 0.58}, X=product)
    if bias is not None:
        product = n.op("elementwise_add", (-1, heads, 16, 16), {"axis": -1}, X=product, Y=bias)
    weights = n.op("softmax", (-1, heads, 16, 16), {"axis": -1}, X=product)
    y = n.op("matmul_v2", (-1, heads, 16, 3), X=weights, Y=v)
    return n.op("transpose2", (-1, 16, heads, 3), {"axis": (0, 2, 1, 3)}, X=y)


def attention_of_one_layer(computed=True):
    """ViT: one layer makes queries, keys and values: [N, 16, 3, heads, 3]."""
    n = Net()
    x = n.tokens()
    qkv = n.linear(x, 12, 36, "qkv", (-1, 16))
    batch = n.batch_of(x, 3) if computed else 0
    y = n.reshape(qkv, batch, 16, 3, 4, 3) if computed else n.op(
        "reshape2", (-1, 16, 3, 4, 3), {"shape": (0, 16, 3, 4, 3)}, X=qkv)  # fmt: skip
    y = n.op("transpose2", (3, -1, 4, 16, 3), {"axis": (2, 0, 3, 1, 4)}, X=y)
    q, k, v = (
        n.op("slice", (-1, 4, 16, 3), {"axes": (0,), "starts": (i,), "ends": (i + 1,),
                                       "decrease_axis": (0,)}, Input=y)
        for i in range(3)
    )  # fmt: skip
    y = _attend(n, q, k, v)
    y = n.reshape(y, batch, 16, 12) if computed else n.op(
        "reshape2", (-1, 16, 12), {"shape": (0, 16, 12)}, X=y)  # fmt: skip
    return n.done(n.linear(y, 12, 12, "out", (-1, 16)))


def attention_of_three_layers():
    """Queries, keys and values from layers of their own, and a bias for each head from a table."""
    n = Net()
    x = n.tokens()
    heads = []
    for name in ("query", "key", "value"):
        y = n.linear(x, 12, 12, name, (-1, 16))
        y = n.op("reshape2", (-1, 16, 4, 3), {"shape": (0, 0, 4, 3)}, X=y)
        heads.append(n.op("transpose2", (-1, 4, 16, 3), {"axis": (0, 2, 1, 3)}, X=y))
    table = n.b.param("table", (9, 4))
    places = n.b.feed("places", (256,), "int64")
    bias = n.op("index_select", (256, 4), {"dim": 0}, X=table, Index=places)
    bias = n.op("reshape2", (16, 16, 4), {"shape": (16, 16, -1)}, X=bias)
    bias = n.op("transpose2", (4, 16, 16), {"axis": (2, 0, 1)}, X=bias)
    y = _attend(n, *heads, bias=bias)
    y = n.op("reshape2", (-1, 16, 12), {"shape": (0, 0, 12)}, X=y)
    return n.done(n.linear(y, 12, 12, "out", (-1, 16)))


def one_over_a_feature():
    n = Net()
    x = n.op("sigmoid", (-1, 8, 4, 4), X=n.conv(n.image, 8, "a"))
    attrs = {"shape": (-1, 8, 4, 4), "value": 1.0, "str_value": ""}
    ones = n.op("fill_constant_batch_size_like", (-1, 8, 4, 4), attrs, Input=x)
    return n.done(n.conv(n.op("elementwise_div", (-1, 8, 4, 4), X=ones, Y=x), 3, "z"))


def _heads(n, x, name):
    y = n.op(
        "reshape2", (-1, 16, 4, 3), {"shape": (0, 0, 4, 3)}, X=n.linear(x, 12, 12, name, (-1, 16))
    )
    return n.op("transpose2", (-1, 4, 16, 3), {"axis": (0, 2, 1, 3)}, X=y)


def _from_heads(n, y):
    y = n.op("transpose2", (-1, 16, 4, 3), {"axis": (0, 2, 1, 3)}, X=y)
    y = n.op("reshape2", (-1, 16, 12), {"shape": (0, 0, 12)}, X=y)
    return n.done(n.linear(y, 12, 12, "out", (-1, 16)))


def attention_over_a_sum():
    """Keys times values first, over what the query has in common with all keys."""
    n = Net()
    x = n.tokens()
    q, k, v = (_heads(n, x, name) for name in ("query", "key", "value"))
    q, k = (n.op("sigmoid", (-1, 4, 16, 3), X=y) for y in (q, k))
    keys = n.op("reduce_sum", (-1, 4, 1, 3), {"dim": (2,), "keep_dim": True}, X=k)
    common = n.op("elementwise_mul", (-1, 4, 16, 3), {"axis": -1}, X=q, Y=keys)
    common = n.op("reduce_sum", (-1, 4, 16, 1), {"dim": (-1,), "keep_dim": True}, X=common)
    attrs = {"shape": (-1, 4, 16, 1), "value": 1.0, "str_value": ""}
    ones = n.op("fill_constant_batch_size_like", (-1, 4, 16, 1), attrs, Input=common)
    share = n.op("elementwise_div", (-1, 4, 16, 1), {"axis": -1}, X=ones, Y=common)
    both = n.op("matmul_v2", (-1, 4, 3, 3), {"trans_x": True, "trans_y": False}, X=k, Y=v)
    y = n.op("matmul_v2", (-1, 4, 16, 3), X=q, Y=both)
    return _from_heads(n, n.op("elementwise_mul", (-1, 4, 16, 3), {"axis": -1}, X=y, Y=share))


def attention_of_normed_queries():
    """Query and key are normalised head by head."""
    n = Net()
    x = n.tokens()
    q, k, v = (_heads(n, x, name) for name in ("query", "key", "value"))
    scale, bias = n.b.param("heads.scale", (3,)), n.b.param("heads.bias", (3,))
    q, k = (
        n.op("layer_norm", (-1, 4, 16, 3), {"begin_norm_axis": 3}, {"Y": f"normed.{i}"},
             X=y, Scale=scale, Bias=bias)
        for i, y in enumerate((q, k))
    )  # fmt: skip
    return _from_heads(n, _weighted(n, q, k, v))


def _weighted(n, q, k, v):
    scores = n.op("matmul_v2", (-1, 4, 16, 16), {"trans_y": True}, X=q, Y=k)
    return n.op("matmul_v2", (-1, 4, 16, 3), X=n.op("softmax", (-1, 4, 16, 16), X=scores), Y=v)


def attention_of_turned_queries():
    """The features of a head change places before they are multiplied, as in RoPE."""
    n = Net()
    x = n.tokens()
    q, k, v = (_heads(n, x, name) for name in ("query", "key", "value"))

    def turned(y, name):
        names = [n.b.var(f"{name}.{i}", (-1, 4, 16, size)) for i, size in enumerate((1, 2))]
        n.b.op("split", {"X": y}, {"Out": names}, {"axis": 3, "num": 0, "sections": (1, 2)})
        return n.b.op("concat", {"X": names[::-1]}, attrs={"axis": -1}, shape=(-1, 4, 16, 3))

    return _from_heads(n, _weighted(n, turned(q, "turn_q"), turned(k, "turn_k"), v))


def mlp_of_turned_weights():
    """The weights are stored as [out, in] and turned by an op of their own."""
    n = Net()
    x = n.tokens()
    for name, rows, columns in (("up", 12, 24), ("down", 24, 12)):
        w = n.op("transpose2", (rows, columns), {"axis": (1, 0)},
                 X=n.b.param(f"{name}.w", (columns, rows)))  # fmt: skip
        x = n.op("matmul_v2", (-1, 16, columns), X=x, Y=w)
        x = n.op("gelu", (-1, 16, columns), X=x) if name == "up" else x
    return n.done(x)


def mlp_of(kind):
    """The same in other ops: a fused one, one with the bias first, a sum over letters."""
    n = Net()
    x = n.tokens()
    for name, rows, columns in (("up", 12, 24), ("down", 24, 12)):
        w, bias = n.b.param(f"{name}.w", (rows, columns)), n.b.param(f"{name}.b", (columns,))
        shape = (-1, 16, columns)
        if kind == "fc":
            slots = {"Input": x, "W": w, "Bias": bias}
            x = n.op("fc", shape, {"in_num_col_dims": 2}, **slots)
        elif kind == "fused":
            x = n.op("fused_gemm_epilogue", shape, X=x, Y=w, Bias=bias)
        elif kind == "letters":
            x = n.op("einsum", shape, {"equation": "bnd,df->bnf"}, Operands=[x, w])
            x = n.op("gelu", shape, X=x)
        else:
            x = x if name == "down" else n.op("reshape2", (16, 12), {"shape": (-1, 12)}, X=x)
            x = n.op("addmm", (16, columns), X=x, Y=w, Input=bias)
            x = n.op("gelu", (16, columns), X=x)
    return n.done(x)


def weights_on_the_left():
    """Features on the last axis but one."""
    n = Net()
    x = n.op("transpose2", (-1, 12, 16), {"axis": (0, 2, 1)}, X=n.tokens())
    for name, rows, columns in (("up", 12, 24), ("down", 24, 12)):
        x = n.op("matmul_v2", (-1, columns, 16), X=n.b.param(f"{name}.w", (columns, rows)), Y=x)
        x = n.op("gelu", (-1, columns, 16), X=x)
    return n.done(x)


def attention_of_shared_keys(heads):
    """Eight heads of queries; keys and values of fewer heads, each for several of them."""
    n = Net()
    x = n.tokens()
    q = n.linear(x, 12, 24, "query", (-1, 16))
    q = n.op("reshape2", (-1, 16, 8, 3), {"shape": (0, 0, 8, 3)}, X=q)
    made = [n.op("transpose2", (-1, 8, 16, 3), {"axis": (0, 2, 1, 3)}, X=q)]
    for name in ("key", "value"):
        y = n.linear(x, 12, 3 * heads, name, (-1, 16))
        if heads == 1:
            made.append(n.op("unsqueeze2", (-1, 1, 16, 3), {"axes": (1,)}, X=y))
            continue
        y = n.op("reshape2", (-1, 16, heads, 3), {"shape": (0, 0, heads, 3)}, X=y)
        y = n.op("transpose2", (-1, heads, 16, 3), {"axis": (0, 2, 1, 3)}, X=y)
        attrs = {"Repeats": 8 // heads, "dim": 1}
        made.append(n.op("repeat_interleave", (-1, 8, 16, 3), attrs, X=y))
    y = _attend(n, *made, heads=8)
    y = n.op("reshape2", (-1, 16, 24), {"shape": (0, 0, 24)}, X=y)
    return n.done(n.linear(y, 24, 12, "out", (-1, 16)))


def attention_of_one_head():
    """The value's features pass one by one; those of query and key go together."""
    n = Net()
    x = n.tokens()
    q, k, v = (
        n.op("transpose2", (-1, 1, 16, 12), {"axis": (0, 2, 1, 3)}, X=n.op(
            "reshape2", (-1, 16, 1, 12), {"shape": (0, 0, 1, 12)},
            X=n.linear(x, 12, 12, name, (-1, 16))))
        for name in ("query", "key", "value")
    )  # fmt: skip
    weights = n.op("softmax", (-1, 1, 16, 16), {"axis": -1},
                   X=n.op("matmul_v2", (-1, 1, 16, 16), {"trans_y": True}, X=q, Y=k))  # fmt: skip
    y = n.op("transpose2", (-1, 16, 1, 12), {"axis": (0, 2, 1, 3)},
             X=n.op("matmul_v2", (-1, 1, 16, 12), X=weights, Y=v))  # fmt: skip
    y = n.op("reshape2", (-1, 16, 12), {"shape": (0, 0, 12)}, X=y)
    return n.done(n.linear(y, 12, 12, "out", (-1, 16)))


def attention_of_one_head_and_layer():
    """One layer makes query, key and value; feature i of all three goes together."""
    n = Net()
    qkv = n.linear(n.tokens(), 12, 36, "qkv", (-1, 16))
    y = n.op("reshape2", (-1, 16, 3, 12), {"shape": (0, 16, 3, 12)}, X=qkv)
    q, k, v = (
        n.op("slice", (-1, 16, 12), {"axes": (2,), "starts": (i,), "ends": (i + 1,),
                                     "decrease_axis": (2,)}, Input=y)
        for i in range(3)
    )  # fmt: skip
    weights = n.op("softmax", (-1, 16, 16), {"axis": -1},
                   X=n.op("matmul_v2", (-1, 16, 16), {"trans_y": True}, X=q, Y=k))  # fmt: skip
    y = n.op("matmul_v2", (-1, 16, 12), X=weights, Y=v)
    return n.done(n.linear(y, 12, 12, "out", (-1, 16)))


# What is built, and the status of its layers under both policies (None: no row).
KINDS: dict[str, tuple[Callable[..., object], dict[str, tuple[str | None, str]]]] = {
    "bias of a shared filter": (shared_bias, {"tower.w_0": ("blocked", "prunable")}),
    "gate of a feature by itself": (silu, {"a.w_0": ("prunable", "prunable")}),
    "shuffle of an open batch": (shuffle_of_open_batch, {"a.w_0": ("blocked", "prunable")}),
    "shape in one tensor": (shape_in_one_tensor, {"a.w_0": ("blocked", "prunable")}),
    "global pool in front of mul": (global_pool_mul, {"a.w_0": ("prunable", "prunable")}),
    "depthwise transposed": (
        depthwise_transposed, {"a.w_0": ("prunable", "prunable"), "up.w_0": ("blocked", "follower")}
    ),
    "two filters a channel, transposed": (
        lambda: depthwise_transposed(2), {"up.w_0": ("blocked", "follower")}
    ),
    "unpool": (unpooled, {"a.w_0": ("prunable", "prunable")}),
    "set_value": (put_into_a_map, {"a.w_0": ("blocked", "prunable")}),
    "row of a map": (row_of_a_map, {"a.w_0": ("blocked", "prunable")}),
    "shuffle in one op": (shuffle_in_one_op, {"a.w_0": ("blocked", "prunable")}),
    "gate of another's size": (
        gate_of_the_size_of_another, {"a.w_0": ("blocked", "prunable")}
    ),
    "gate of another's size, open batch": (
        lambda: gate_of_the_size_of_another(fixed=False), {"gate.w_0": ("blocked", "follower")}
    ),
    "one map for all channels": (
        one_map_for_all_channels,
        {"a.w_0": ("prunable", "prunable"), "one.w_0": ("blocked", "blocked")},
    ),
    "convolution of one axis": (
        convolution_of_one_axis,
        {"a.w_0": ("prunable", "prunable"), "line.w_0": ("prunable", "prunable")},
    ),
    "context of places": (context_of_places, {"a.w_0": ("prunable", "prunable")}),
    "reduce over places": (reduced_over_places, {"a.w_0": ("prunable", "prunable")}),
    "length over places": (lengths_over_places, {"a.w_0": ("prunable", "prunable")}),
    "joined with the image": (joined_with_the_image, {"a.w_0": ("blocked", "prunable")}),
    "attention over places": (
        spatial_attention,
        {
            "value.w_0": ("prunable", "prunable"),
            "query.w_0": ("blocked", "prunable"),
            "key.w_0": ("blocked", "follower"),
        },
    ),
    "attention over places behind norms": (
        lambda: spatial_attention("batch_norm", "relu"),
        {"query.w_0": ("blocked", "prunable"), "key.w_0": ("blocked", "follower")},
    ),
    # A query of 0 counts nothing, whatever its key is.
    "attention over places, sigmoid of the keys": (
        lambda: spatial_attention(key=("sigmoid",)),
        {"query.w_0": ("blocked", "prunable"), "key.w_0": ("blocked", "follower")},
    ),
    **{
        f"attention over places, {type} of both": (
            lambda type=type: spatial_attention(type),
            {"query.w_0": ("blocked", "blocked"), "key.w_0": ("blocked", "blocked")},
        )
        for type in ("sigmoid", "scale")
    },
    "scaled filter": (scaled_filter, {"a.w_0": ("prunable", "prunable")}),
    "layer over the width": (layer_over_the_width, {"a.w_0": ("prunable", "prunable")}),
    "one over a feature": (one_over_a_feature, {"a.w_0": ("prunable", "prunable")}),
    **{
        name: (
            build,
            {
                "query.w": (None, "prunable"),
                "key.w": (None, "follower"),
                "value.w": (None, "follower"),
                "out.w": (None, "blocked"),
            },
        )
        for name, build in (
            ("attention over a sum", attention_over_a_sum),
            ("attention of normed queries", attention_of_normed_queries),
            ("attention of turned queries", attention_of_turned_queries),
        )
    },
    "tied weights": (
        tied_weights, {"a.w_0": ("blocked", "prunable"), "tied.w": (None, "follower")}
    ),
    "tied convolutions": (
        tied_convolutions, {"a.w_0": ("prunable", "prunable"), "tied.w_0": ("follower", "follower")}
    ),
    "mlp": (mlp, {"up.w": (None, "prunable"), "down.w": (None, "blocked")}),
    "mlp of turned weights": (
        mlp_of_turned_weights, {"up.w": (None, "prunable"), "down.w": (None, "blocked")}
    ),
    **{
        f"mlp of {kind}": (
            lambda kind=kind: mlp_of(kind),
            {"up.w": (None, "prunable"), "down.w": (None, "blocked")},
        )
        for kind in ("fc", "fused", "letters", "addmm")
    },
    "weights on the left": (
        weights_on_the_left, {"up.w": (None, "prunable"), "down.w": (None, "blocked")}
    ),
    "queries share keys": (
        lambda: attention_of_shared_keys(4),
        {"query.w": (None, "prunable"), "key.w": (None, "follower"), "value.w": (None, "follower")},
    ),
    "queries share one key": (
        lambda: attention_of_shared_keys(1),
        {"query.w": (None, "prunable"), "key.w": (None, "blocked"), "value.w": (None, "blocked")},
    ),
    "attention of one head": (
        attention_of_one_head,
        {"value.w": (None, "prunable"), "query.w": (None, "prunable"), "key.w": (None, "follower")},
    ),
    "attention of one head and layer": (
        attention_of_one_head_and_layer, {"qkv.w": (None, "prunable"), "out.w": (None, "blocked")}
    ),
    "mixer": (mixer, {"token_up.w": (None, "prunable"), "up.w": (None, "prunable")}),
    "mixer behind a convolution": (
        mixer_behind_a_convolution,
        {
            "patch.w_0": ("prunable", "prunable"),
            "token_up.w": (None, "prunable"),
            "token_down.w": (None, "blocked"),
            "up.w": (None, "prunable"),
        },
    ),
    "mixer behind a convolution, none beside": (
        lambda: mixer_behind_a_convolution(residual=False),
        {
            "patch.w_0": ("prunable", "prunable"),
            "token_up.w": (None, "prunable"),
            "token_down.w": (None, "blocked"),
        },
    ),
    "mixer on the left": (
        mixer_on_the_left,
        {
            "patch.w_0": ("prunable", "prunable"),
            "token_up.w": (None, "prunable"),
            "token_down.w": (None, "blocked"),
        },
    ),
    "context of regions": (
        context_of_regions,
        {
            "a.w_0": ("prunable", "prunable"),
            "regions.w_0": ("prunable", "prunable"),
            "b.w_0": ("prunable", "prunable"),
            "up.w": (None, "prunable"),
            "v.w": (None, "blocked"),
        },
    ),
    "mixer that is flattened": (
        mixer_that_is_flattened,
        {"patch.w_0": ("prunable", "prunable"), "token_up.w": (None, "blocked")},
    ),
    "attention of one layer": (attention_of_one_layer, {"qkv.w": (None, "prunable")}),
    "attention, shapes given": (
        lambda: attention_of_one_layer(computed=False), {"qkv.w": (None, "prunable")}
    ),
    "attention of three layers": (
        attention_of_three_layers,
        {"query.w": (None, "prunable"), "key.w": (None, "follower"), "value.w": (None, "follower")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_layers_have_the_right_status(kind):
    build, expected = KINDS[kind]
    for i, policy in enumerate(("seeds", "coupled")):
        found = find_prunable(build(), policy)
        rows = {d.param: d.status for d in reversed((*found.decisions, *found.linears))}
        assert {name: rows.get(name) for name in expected} == {
            name: both[i] for name, both in expected.items()
        }
        assert not found.unsupported


# What is counted of these is for other maps than the numpy executor makes, or not known.
OF_OPEN_SIZES = {"global pool in front of mul", "unpool", "tied convolutions"}


@pytest.mark.parametrize("ratio", [0.5, 0.25])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_computes_what_the_masked_network_computes(kind, ratio, prove_cut):
    program = KINDS[kind][0]()
    together = prove_cut(program, "coupled", ratio)
    assert together is not None and together.difference < 1e-9
    if kind not in OF_OPEN_SIZES:
        after = together.choice.after
        assert not after.uncounted and after.flops + after.products == together.work
    for i in range(len(together.choice.groups)):
        alone = prove_cut(program, "coupled", ratio, i)
        assert alone is not None and alone.difference < 1e-9


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize("build", [tied_weights, tied_convolutions])
def test_tied_weights_are_of_one_group(build, policy):
    """A config names each layer once."""
    groups = choose(find_prunable(build(), policy)).groups
    names = [name for group in groups for name in group.layers]
    assert len(names) == len(set(names))


def test_a_filter_that_the_program_computes_is_no_parameter():
    """Weight normalisation leaves its result among the weights; it is written anew each time."""
    n = Net()
    x = n.conv(n.image, 8, "a")
    w, scale = n.b.param("b.v", (8, 8, 1, 1)), n.b.param("b.g", (8,))
    made = n.b.param("b.w_0", (8, 8, 1, 1))
    length = n.op("p_norm", (8, 1, 1, 1), {"axis": 1, "keepdim": True}, X=w)
    unit = n.op("elementwise_div", (8, 8, 1, 1), X=w, Y=length)
    n.op("elementwise_mul", (8, 8, 1, 1), {"axis": 0}, {"Out": made}, X=unit, Y=scale)
    y = n.op("conv2d", (-1, 8, 4, 4), {"groups": 1}, {"Output": "y"}, Input=x, Filter=made)
    found = find_prunable(n.done(n.conv(y, 3, "z")), "coupled")
    rows = {d.param: d for d in found.decisions}
    for name in ("a.w_0", "b.v"):
        assert (rows[name].status, rows[name].reason) == ("blocked", "unsupported_op")
    assert rows["a.w_0"].detail == "its filter is computed"


def _both(n, type, a, b, size):
    return n.op(type, size, {"axis": -1}, X=a, Y=b)


# Filters that are computed of one parameter v, some of which use it more than once.
COMPUTED = {
    "v + 0.1 v": lambda n, v, size: _both(
        n, "elementwise_add", v, n.op("scale", size, {"scale": 0.1, "bias": 0.0}, X=v), size
    ),
    "abs(v) * v": lambda n, v, size: _both(n, "elementwise_mul", n.op("abs", size, X=v), v, size),
    "relu(v) - tanh(v)": lambda n, v, size: _both(
        n, "elementwise_sub", n.op("relu", size, X=v), n.op("tanh", size, X=v), size
    ),
    "(v + g) * g + v": lambda n, v, size: _both(
        n,
        "elementwise_add",
        _both(n, "elementwise_mul", _both(n, "elementwise_add", v, "b.w", size), "b.w", size),
        v,
        size,
    ),
    "tanh(3 v + 0.2)": lambda n, v, size: n.op(
        "tanh", size, X=n.op("scale", size, {"scale": 3.0, "bias": 0.2}, X=v)
    ),
    "at least 0.1": lambda n, v, size: n.op("clip", size, {"min": 0.1, "max": 1.0}, X=v),
    "v to the power of 0": lambda n, v, size: n.op("pow", size, {"factor": 0.0}, X=v),
    "v / v": lambda n, v, size: _both(n, "elementwise_div", v, v, size),
}


def computed_filters(consumer: str) -> Program:
    """A filter w * g in front of one that `consumer` makes of its parameters."""
    n = Net()
    size = (8, 8, 1, 1)
    x = n.op("relu", (-1, 8, 4, 4), X=n.conv(n.image, 8, "a"))
    w, g = n.b.param("b.w", size), n.b.param("b.g", (8, 1, 1, 1))
    scaled = n.op("elementwise_mul", size, {"axis": -1}, X=w, Y=g)
    x = n.op("conv2d", (-1, 8, 4, 4), {"groups": 1}, {"Output": "b"}, Input=x, Filter=scaled)
    v = n.b.param("c.w", size)
    if consumer in ("elementwise_add", "elementwise_sub"):
        made = n.op(consumer, size, {"axis": -1}, X=v, Y=n.b.param("c.v", size))
    elif consumer in COMPUTED:
        made = COMPUTED[consumer](n, v, size)
    else:
        made = n.op(consumer, size, X=v)
    x = n.op("relu", (-1, 8, 4, 4), X=x)
    x = n.op("conv2d", (-1, 8, 4, 4), {"groups": 1}, {"Output": "c"}, Input=x, Filter=made)
    return n.done(n.conv(x, 3, "z"))


@pytest.mark.parametrize(
    "consumer",
    [
        "elementwise_add", "elementwise_sub", "tanh", "abs",
        "v + 0.1 v", "abs(v) * v", "relu(v) - tanh(v)",
    ],
)  # fmt: skip
def test_computed_filters_are_pruned_and_counted(prove_cut, consumer: str):
    program = computed_filters(consumer)
    proof = prove_cut(program, "coupled", 0.5)
    assert proof is not None and proof.difference < 1e-9
    # 3 -> 8 -> 8 -> 8 -> 3 channels, 16 positions each; all but the image and the output halved.
    uses = weight_uses(program)
    shapes = proof.choice.plan.shapes_after(param_shapes(proof.choice.found))
    assert multiply_adds(uses) == 16 * (3 * 8 + 8 * 8 + 8 * 8 + 8 * 3)
    assert multiply_adds(uses, shapes) == 16 * (3 * 4 + 4 * 4 + 4 * 4 + 4 * 3)


@pytest.mark.parametrize(
    "consumer", ["exp", "tanh(3 v + 0.2)", "at least 0.1", "v to the power of 0", "v / v"]
)
def test_filters_of_which_zeros_make_other_numbers_are_left_whole(consumer: str):
    found = find_prunable(computed_filters(consumer), "coupled")
    rows = {d.param: d for d in found.decisions}
    assert (rows["b.w"].status, rows["b.w"].detail) == ("blocked", "its filter is computed")
    assert rows["a.w_0"].status == "prunable"


@pytest.mark.parametrize(
    "consumer", ["exp", "tanh(3 v + 0.2)", "at least 0.1", "v to the power of 0", "v / v"]
)
def test_a_filter_that_is_computed_has_the_name_of_its_parameter(consumer: str):
    for policy in ("seeds", "coupled"):
        rows = {d.param: d for d in find_prunable(computed_filters(consumer), policy).decisions}
        assert list(rows) == ["a.w_0", "b.w", "c.w", "z.w_0"]
        assert rows["c.w"].status == "blocked"
        assert rows["c.w"].detail == "its filter is computed in a way that is not followed"
        assert rows["c.w"].shape == (8, 8, 1, 1)


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
def test_two_filters_that_are_computed_of_each_other_come_to_an_end(prove_cut, policy: str):
    """Each is a companion of the other."""
    proof = prove_cut(computed_filters("(v + g) * g + v"), policy, 0.5)
    assert proof is not None and proof.difference < 1e-9
    rows = {d.param: d.status for d in proof.choice.found.decisions}
    assert rows["a.w_0"] == "prunable" and rows["b.w"] == rows["c.w"] == "follower"


def test_places_of_maxima_that_nothing_reads_are_no_output(prove_cut):
    n = Net()
    x = n.op("relu", (-1, 8, 4, 4), X=n.conv(n.image, 8, "a"))
    made = {"Out": n.b.var("most", (-1, 8, 2, 2)), "Mask": n.b.var("places", (-1, 8, 2, 2))}
    x = n.op("max_pool2d_with_index", (-1, 8, 2, 2), {"ksize": (2, 2), "strides": (2, 2)}, made,
             X=x)  # fmt: skip
    program = n.done(n.conv(x, 3, "z"))
    for policy in ("seeds", "coupled"):
        proof = prove_cut(program, policy, 0.5)
        assert proof is not None and proof.difference < 1e-9
        assert proof.choice.params == ["a.w_0"]


def test_statistics_that_are_written_in_place_are_parameters():
    """One normalisation of two maps: the second reads what the first has written."""
    n = Net()
    names = {s: n.b.param(f"bn.{s}", (8,)) for s in ("Scale", "Bias", "Mean", "Variance")}
    outs = []
    for i in range(2):
        x = n.conv(n.image, 8, f"a{i}")
        made = {"Y": f"y{i}", "MeanOut": names["Mean"], "VarianceOut": names["Variance"]}
        y = n.op("batch_norm", (-1, 8, 4, 4), {"is_test": False}, made, X=x, **names)
        outs.append(n.conv(y, 3, f"z{i}"))
    found = find_prunable(n.done(*outs), "coupled")
    rows = {d.param: d.status for d in found.decisions}
    assert rows["a0.w_0"] == "prunable" and rows["a1.w_0"] == "follower"


def test_a_head_goes_as_a_whole():
    from graphprobe.pruning.groups import prune_groups

    found = find_prunable(attention_of_one_layer(), "coupled")
    group = next(g for g in prune_groups(found) if g.leader == "qkv.w")
    (part,) = group.parts
    assert part.channels == 4
    assert {(a.params, a.axis, a.width, a.ranges[0]) for a in part.axes} == {
        (("qkv.w",), 1, 3, (0, 3)), (("qkv.w",), 1, 3, (12, 3)), (("qkv.w",), 1, 3, (24, 3)),
        (("qkv.b",), 0, 3, (0, 3)), (("qkv.b",), 0, 3, (12, 3)), (("qkv.b",), 0, 3, (24, 3)),
        (("out.w",), 0, 3, (0, 3)),
    }  # fmt: skip
