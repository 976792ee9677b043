"""One reason for each obstacle, on tiny programs."""

from __future__ import annotations

import pytest

from graphprobe.errors import UsageError
from graphprobe.ir.builder import Builder
from graphprobe.ir.findings import Site
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.groups import prune_groups


def net(grow, *, fetch=True):
    """image -> conv a -> what `grow` makes of it -> conv z -> fetch."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, 3, name="a")
    y = grow(b, x)
    z = b.conv(y, 5, name="z")
    if fetch:
        b.op("fetch", {"X": z}, {"Out": "fetch"})
    return b.build()


def unary(op_type, channels=8, **attrs):
    def grow(b, x):
        return b.op(op_type, {"X": x}, attrs=attrs, shape=(-1, channels, 8, 8))

    return grow


def row(program, param, policy="seeds"):
    return next(d for d in find_prunable(program, policy).decisions if d.param == param)


def add(b, x):
    y = b.conv(x, 8, name="b")
    return b.op("elementwise_add", {"X": x, "Y": y}, shape=(-1, 8, 8, 8))


def join(b, x):
    y = b.conv(x, 4, name="b")
    return b.op("concat", {"X": [x, y]}, attrs={"axis": 1}, shape=(-1, 12, 8, 8))


def residual_then_concat(b, x):
    y = add(b, x)
    c = b.conv(y, 4, name="c")
    return b.op("concat", {"X": [y, c]}, attrs={"axis": 1}, shape=(-1, 12, 8, 8))


def grouped(b, x):
    return b.conv(x, 8, 3, groups=2, name="b")


def depthwise(b, x):
    return b.conv(x, 8, 3, groups=8, name="b")


def twice(b, x):
    y = b.op("conv2d", {"Input": x, "Filter": "b.w_0"}, {"Output": "b2"}, shape=(-1, 8, 8, 8))
    b.param("b.w_0", (8, 8, 1, 1))
    return b.op("conv2d", {"Input": y, "Filter": "b.w_0"}, {"Output": "b3"}, shape=(-1, 8, 8, 8))


def levels(b, x):
    """Two maps that one filter reads, as the levels of a detector with shared towers."""
    y = b.conv(x, 8, name="b")
    b.param("t.w_0", (8, 8, 1, 1))
    read = [
        b.op("conv2d", {"Input": v, "Filter": "t.w_0"}, {"Output": f"t{v}"}, shape=(-1, 8, 8, 8))
        for v in (x, y)
    ]
    return b.op("elementwise_add", {"X": read[0], "Y": read[1]}, shape=(-1, 8, 8, 8))


@pytest.mark.parametrize(
    ("grow", "param", "status", "reason", "at"),
    [
        (unary("relu"), "a.w_0", "prunable", None, None),
        (unary("relu"), "z.w_0", "blocked", "output", "fetch"),
        (add, "a.w_0", "blocked", "residual", "elementwise_add"),
        (add, "b.w_0", "blocked", "residual", "elementwise_add"),
        (join, "a.w_0", "blocked", "concat", "concat"),
        (residual_then_concat, "b.w_0", "blocked", "concat", "concat"),
        (grouped, "a.w_0", "blocked", "grouped", "conv2d"),
        (grouped, "b.w_0", "blocked", "grouped", "conv2d"),
        (depthwise, "a.w_0", "prunable", None, None),
        (depthwise, "b.w_0", "blocked", "depthwise", "conv2d"),
        (twice, "b.w_0", "blocked", "shared", "conv2d"),
        (levels, "b.w_0", "follower", "shared", "conv2d"),
        (unary("my_own_op"), "a.w_0", "blocked", "unsupported_op", "my_own_op"),
        (unary("lrn"), "a.w_0", "blocked", "unsupported_op", "lrn"),
        (unary("softmax", axis=1), "a.w_0", "blocked", "unsupported_op", "softmax"),
        (unary("softmax", axis=-1), "a.w_0", "prunable", None, None),
    ],
)
def test_seeds(grow, param, status, reason, at):
    d = row(net(grow), param)
    assert (d.status, d.reason, d.at and d.at.type) == (status, reason, at)


@pytest.mark.parametrize(
    ("grow", "param", "status", "reason"),
    [
        (add, "a.w_0", "prunable", None),
        (add, "b.w_0", "follower", "residual"),
        (join, "a.w_0", "prunable", None),
        (join, "b.w_0", "prunable", None),
        (grouped, "a.w_0", "prunable", None),
        (grouped, "b.w_0", "prunable", None),
        (depthwise, "b.w_0", "follower", "depthwise"),
        (twice, "b.w_0", "follower", "shared"),
        (levels, "a.w_0", "prunable", None),
        (levels, "b.w_0", "follower", "shared"),
        (unary("my_own_op"), "a.w_0", "blocked", "unsupported_op"),
    ],
)
def test_coupled(grow, param, status, reason):
    d = row(net(grow), param, "coupled")
    assert (d.status, d.reason) == (status, reason)


def test_the_path_leads_from_the_convolution_to_the_op():
    program = net(residual_then_concat)
    assert row(program, "b.w_0").path == ("b.tmp_0", "elementwise_add_0.tmp_0", "concat_0.tmp_0")
    follower = row(program, "b.w_0", "coupled")
    assert follower.path == ("b.tmp_0", "a.tmp_0") and follower.at is not None
    assert program.ops[follower.at.op].input("Filter") == "a.w_0"


def test_concat_is_cut_with_offsets():
    found = find_prunable(net(join), "coupled")
    places = {
        (group.leader, axis.axis): axis.ranges
        for group in prune_groups(found)
        for part in group.parts
        for axis in part.axes
        if axis.params == ("z.w_0",)
    }
    assert places == {("a.w_0", 1): ((0, 8),), ("b.w_0", 1): ((8, 4),)}


def test_every_unknown_op_is_listed_at_once():
    def grow(b, x):
        y = unary("one_op")(b, x)
        return unary("another_op")(b, b.conv(unary("one_op")(b, y), 8, name="b"))

    assert find_prunable(net(grow)).unsupported == {"another_op": 1, "one_op": 1}


def test_an_unknown_op_that_no_channel_reaches_blocks_nothing():
    def grow(b, x):
        b.op("my_own_op", {"X": b.feed("label", (-1, 1))}, shape=(-1, 1))
        return x

    found = find_prunable(net(grow))
    assert row(net(grow), "a.w_0").status == "prunable" and not found.unsupported


def test_what_nothing_reads_is_an_output():
    d = row(net(unary("relu"), fetch=False), "z.w_0", "coupled")
    assert (d.status, d.reason, d.path) == ("blocked", "output", ("z.tmp_0",))


def test_backward_ops_do_not_count():
    def grow(b, x):
        b.op("relu_grad", {"X": x}, attrs={"op_role": 1}, shape=(-1, 8, 8, 8))
        b.op("concat", {"X": [x, x]}, attrs={"op_role": 1, "axis": 1}, shape=(-1, 16, 8, 8))
        return x

    assert row(net(grow), "a.w_0").status == "prunable"


def test_a_parameter_used_elsewhere_is_not_cut():
    def grow(b, x):
        norm = b.op("squared_l2_norm", {"X": "a.w_0"}, shape=(1,))
        b.op("fetch", {"X": norm}, {"Out": "fetch"})
        return x

    d = row(net(grow), "a.w_0", "coupled")
    assert (d.status, d.reason) == ("blocked", "shared")


def test_channels_that_enter_control_flow_are_blocked_and_sub_blocks_have_rows():
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, 3, name="a")
    with b.block() as sub:
        b.conv(b.op("relu", {"X": x}, shape=(-1, 8, 8, 8)), 4, name="inside")
    out = b.op("conditional_block", {"Input": x}, attrs={"sub_block": sub}, shape=(-1, 4, 8, 8))
    b.op("fetch", {"X": out}, {"Out": "fetch"})
    found = {d.param: d for d in find_prunable(b.build(), "coupled").decisions}
    assert set(found) == {"a.w_0", "inside.w_0"}
    assert (found["a.w_0"].status, found["a.w_0"].reason) == ("blocked", "unsupported_op")
    assert found["inside.w_0"].status == "blocked"


def test_a_filter_that_is_computed_has_a_row():
    b = Builder()
    x = b.feed("image", (-1, 3, 8, 8))
    w = b.op("scale", {"X": b.feed("kernel", (4, 3, 1, 1))}, shape=(4, 3, 1, 1))
    b.op("conv2d", {"Input": x, "Filter": w}, {"Output": "y"}, shape=(-1, 4, 8, 8))
    (d,) = find_prunable(b.build()).decisions
    assert (d.status, d.reason) == ("blocked", "unsupported_op")


@pytest.mark.parametrize("size", [0, -1, 2**62])
def test_senseless_sizes_end(size):
    b = Builder()
    x = b.feed("image", (-1, 3, 8, 8))
    for name, op_type in (("a", "conv2d"), ("b", "conv2d_transpose")):
        w = b.param(f"{name}.w", (size, size, 1, 1))
        x = b.op(op_type, {"Input": x, "Filter": w}, {"Output": name}, {"groups": 2})
    x = b.op("pixel_shuffle", {"X": x}, attrs={"upscale_factor": 2}, shape=(-1, 4, 8, 8))
    b.op("group_norm", {"X": x}, {"Y": "n"}, {"groups": 4})
    for policy in ("seeds", "coupled"):
        assert len(find_prunable(b.build(), policy).decisions) == 2


def test_an_unknown_policy_is_refused():
    with pytest.raises(UsageError, match="did you mean seeds"):
        find_prunable(net(add), "seed")


def test_long_chains_are_walked_without_recursion():
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4, name="first")
    for i in range(1500):
        y = b.conv(x, 4, name=f"c{i}")
        x = b.op("elementwise_add", {"X": x, "Y": y}, shape=(-1, 4, 8, 8))
    found = find_prunable(b.build(), "coupled")
    assert len({d.group for d in found.decisions}) == 1
    assert {d.reason for d in found.decisions} == {"output"}


def behind_a_stop(b, x):
    """Channels that a norm over all of them stops, then filtered one by one and added."""
    y = b.op("layer_norm", {"X": x}, {"Y": "stopped"}, {"begin_norm_axis": 1}, (-1, 8, 8, 8))
    y = b.op("relu", {"X": y}, shape=(-1, 8, 8, 8))
    y = b.conv(y, 8, 3, groups=8, name="b")
    z = b.conv(b.op("relu", {"X": y}, shape=(-1, 8, 8, 8)), 8, name="c")
    return b.op("elementwise_add", {"X": z, "Y": "stopped"}, shape=(-1, 8, 8, 8))


@pytest.mark.parametrize(
    ("param", "path"),
    [
        ("a.w_0", ("a.tmp_0", "stopped")),
        ("b.w_0", ("b.tmp_0", "relu_0.tmp_0", "stopped")),
        ("c.w_0", ("c.tmp_0", "stopped")),
    ],
)
def test_rows_behind_a_stop_name_its_op_and_the_way_to_it(param, path):
    d = row(net(behind_a_stop), param, "coupled")
    assert d.at is not None and d.at.type == "layer_norm"
    assert (d.status, d.reason, d.path) == ("blocked", "unsupported_op", path)
    assert "normalises" in d.detail


def test_depthwise_is_no_reason_under_coupled():
    def grow(b, x):
        return b.conv(b.feed("other", (-1, 8, 8, 8)), 8, 3, groups=8, name="b")

    d = row(net(grow), "b.w_0", "coupled")
    assert (d.status, d.reason) == ("blocked", "unsupported_op")


def distribution(b, x):
    """Four sides, each a distribution over eight places, times the places (a generic detector)."""
    y = b.conv(x, 32, name="sides")
    y = b.op("transpose2", {"X": y}, attrs={"axis": (0, 2, 3, 1)}, shape=(-1, 8, 8, 32))
    y = b.op("reshape2", {"X": y}, attrs={"shape": (-1, 8)}, shape=(-1, 8))
    y = b.op("softmax", {"X": y}, attrs={"axis": 1}, shape=(-1, 8))
    y = b.op("matmul_v2", {"X": y, "Y": b.param("places", (8,))}, shape=(-1,))
    b.op("fetch", {"X": y}, {"Out": "fetch"})
    return x


def scaled_boxes(b, x):
    y = b.conv(x, 4, name="boxes")
    scale = b.feed("scale", (1, 4, 1, 1))
    y = b.op("elementwise_mul", {"X": y, "Y": scale}, shape=(-1, 4, 8, 8))
    b.op("fetch", {"X": y}, {"Out": "fetch"})
    return x


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize(
    ("grow", "param"), [(distribution, "sides.w_0"), (scaled_boxes, "boxes.w_0")]
)
def test_predicted_distributions_and_numbers_are_outputs(grow, param, policy):
    d = row(net(grow), param, policy)
    assert (d.status, d.reason) == ("blocked", "output")


@pytest.mark.parametrize(("last", "reason"), [(False, "output"), (True, "unsupported_op")])
def test_a_convolution_in_a_conditional_block_is_not_called_shared(last, reason):
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, 3, name="a")
    w = b.param("inside.w_0", (4, 8, 1, 1))
    out = b.var("out", (-1, 4, 8, 8))
    with b.block() as sub:
        b.op("conv2d", {"Input": x, "Filter": w}, {"Output": out}, {"groups": 1},
             (-1, 4, 8, 8))  # fmt: skip
    slots = {"Input": [x, w], "Cond": b.feed("flag", (1,), "bool")}
    b.op("conditional_block", slots, {"Out": out}, {"sub_block": sub})
    read = b.conv(out, 2, name="z") if last else out
    b.op("fetch", {"X": read}, {"Out": "fetch"})
    reasons = {d.param: d.reason for d in find_prunable(b.build(), "coupled").decisions}
    assert reasons["a.w_0"] == "unsupported_op" and reasons["inside.w_0"] == reason


@pytest.mark.parametrize("type_", ["conditional_block", "while"])
def test_what_leaves_a_block_of_control_flow_names_the_op_whose_block_it_is(type_):
    """Both branches write what select_input reads; neither is followed out of its block."""
    b = Builder()
    x = b.feed("image", (-1, 3, 8, 8))
    outs = []
    for name in ("true", "false"):
        w, out = b.param(f"{name}.w_0", (4, 3, 1, 1)), b.var(f"{name}.out", (-1, 4, 8, 8))
        with b.block() as sub:
            y = b.op("conv2d", {"Input": x, "Filter": w}, {"Output": f"{name}.y"},
                     {"groups": 1}, (-1, 4, 8, 8))  # fmt: skip
            b.op("assign", {"X": y}, {"Out": out}, {}, (-1, 4, 8, 8))
        b.op(type_, {"Input": [x, w]}, {"Out": out}, {"sub_block": sub})
        outs.append(out)
    mask = b.feed("mask", (1,), "int32")
    joined = b.op("select_input", {"X": outs, "Mask": mask}, {"Out": "joined"}, {}, (-1, 4, 8, 8))
    b.op("fetch", {"X": b.conv(joined, 2, name="z")}, {"Out": "fetch"})
    found = find_prunable(b.build(), "coupled")
    types = [op.type for op in found.channels.program.ops]
    for name, nth in (("true", 0), ("false", 1)):
        d = next(d for d in found.decisions if d.param == f"{name}.w_0")
        own = [i for i, t in enumerate(types) if t == type_][nth]
        assert (d.status, d.reason, d.at) == ("blocked", "unsupported_op", Site(own, type_))
        assert d.path == (f"{name}.y", f"{name}.out") and "out of control flow" in d.detail


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
def test_quantised_weights_are_not_pruned(policy):
    """Their scales are those of all channels, the ones of the next layer's input included."""

    def grow(b, x):
        w = b.param("b.w_0", (8, 8, 1, 1))
        slots, attrs = {"Out": "b.q", "OutScale": "b.scale"}, {"quant_axis": 0}
        q = b.op("fake_channel_wise_quantize_dequantize_abs_max", {"X": w}, slots, attrs,
                 (8, 8, 1, 1))  # fmt: skip
        y = b.op("conv2d", {"Input": x, "Filter": q}, {"Output": "y"}, {"groups": 1},
                 (-1, 8, 8, 8))  # fmt: skip
        return b.op("relu", {"X": y}, shape=(-1, 8, 8, 8))

    found = find_prunable(net(grow), policy)
    for name in ("a.w_0", "b.w_0"):
        d = next(d for d in found.decisions if d.param == name)
        assert (d.status, d.reason) == ("blocked", "unsupported_op")
        assert d.at is not None and d.at.type.startswith("fake") and "before quantising" in d.detail
    assert found.channels.quantised is not None


def test_what_is_kept_must_be_a_parameter():
    import re

    from graphprobe.pruning.ratios import Limits, choose

    found = find_prunable(net(unary("relu")))
    with pytest.raises(
        UsageError, match=r"keep='a\.w0': matches no parameter.* did you mean a\.w_0"
    ):
        choose(found, limits=Limits(keep=re.compile("a.w0")))
    assert not choose(found, limits=Limits(keep=re.compile("a.w_0"))).groups


@pytest.mark.parametrize(
    ("type_", "attrs"),
    [("reshape2", {"shape": (2, 4)}), ("expand_v2", {"shape": (5,)}), ("expand_v2", {"shape": ()})],
)
@pytest.mark.parametrize("declared", [(8,), (), None])
def test_shapes_that_contradict_the_channels_are_blocked(type_, attrs, declared):
    """What is declared has fewer axes than the convolution makes."""
    b = Builder()
    w = b.param("a.w_0", (8, 3, 1, 1))
    x = b.op("conv2d", {"Input": b.feed("image", (-1, 3, 8, 8)), "Filter": w}, {"Output": "x"},
             {"groups": 1}, declared)  # fmt: skip
    b.op(type_, {"X": x}, {"Out": "y"}, attrs, (2, 4))
    b.op("fetch", {"X": b.conv("y", 4)}, {"Out": "fetch"})
    for policy in ("seeds", "coupled"):
        (first, *_) = find_prunable(b.build(), policy).decisions
        assert first.status == "blocked"


def norm_without_a_name(b, x):
    for name in ("", "offset", "mean", "variance"):
        b.param(name, (8,))
    slots = {"X": x, "Scale": "", "Bias": "offset", "Mean": "mean", "Variance": "variance"}
    return b.op("batch_norm", slots, {"Y": "y"}, shape=(-1, 8, 8, 8))


def filter_without_a_name(b, x):
    b.param("", (8, 8, 1, 1))
    return b.op("conv2d", {"Input": x, "Filter": ""}, {"Output": "y"}, shape=(-1, 8, 8, 8))


def depthwise_without_a_name(b, x):
    b.param("", (8, 1, 1, 1))
    slots = {"Input": x, "Filter": ""}
    return b.op("conv2d", slots, {"Output": "y"}, attrs={"groups": 8}, shape=(-1, 8, 8, 8))


def groups_that_write(*names):
    """A group norm whose outputs have these names; the next layer reads the first, or its input."""

    def grow(b, x):
        b.op("group_norm", {"X": x}, {"Y": list(names)}, attrs={"groups": 2})
        return b.op("relu", {"X": next(iter(names), x)}, shape=(-1, 8, 8, 8))

    return grow


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
@pytest.mark.parametrize(
    "grow",
    [
        norm_without_a_name,
        filter_without_a_name,
        depthwise_without_a_name,
        groups_that_write(""),
        groups_that_write(),
    ],
)
def test_what_a_config_cannot_name_is_not_pruned(grow, policy):
    program = net(grow)
    found = row(program, "a.w_0", policy)
    assert (found.status, found.at.op) == ("blocked", 1)
    if policy == "coupled":
        assert (found.reason, found.detail[-11:]) == ("unsupported_op", "has no name")
    assert prune_groups(find_prunable(program, policy)) == ()


@pytest.mark.parametrize(
    ("type_", "attrs", "declared"),
    [
        ("flatten_contiguous_range", {"start_axis": 2**31 - 1, "stop_axis": 3}, (-1, 8, 8, 8)),
        ("flatten_contiguous_range", {"start_axis": -9, "stop_axis": 1}, (-1, 8, 8, 8)),
        ("flatten_contiguous_range", {"start_axis": 0}, (2**40, 8, 8, 8)),
        ("space_to_depth", {"blocksize": 2**31 - 1}, (-1, 8, 8, 8)),
    ],
)
def test_numbers_of_a_file_cost_neither_time_nor_memory(type_, attrs, declared):
    """A number that is written in a few bytes is not counted up to."""
    b = Builder()
    w = b.param("a.w_0", (8, 3, 1, 1))
    slots = {"Input": b.feed("image", declared), "Filter": w}
    b.op("conv2d", slots, {"Output": "x"}, {"groups": 1}, declared)
    b.op(type_, {"X": "x"}, {"Out": "y"}, attrs, (-1, 4))
    b.op("mul", {"X": "y", "Y": b.param("fc", (8, 4))}, {"Out": "z"}, {"x_num_col_dims": 1})
    b.op("fetch", {"X": "z"}, {"Out": "fetch"})
    found = find_prunable(b.build(), "coupled")
    assert prune_groups(found) == ()
    assert found.decisions[0].reason == "unsupported_op"


def test_a_weight_without_axes_is_no_fault():
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, 1, name="a")
    b.op("mul", {"X": x, "Y": b.param("fc", ())}, {"Out": "z"}, {"x_num_col_dims": 1}, (-1, 4))
    b.op("fetch", {"X": "z"}, {"Out": "fetch"})
    assert find_prunable(b.build(), "coupled").decisions[0].status == "blocked"


@pytest.mark.parametrize("order", [(0, 1, 2, 63), (0, 1, 2, -5), (0, 0, 2, 3)])
def test_an_order_of_axes_that_are_not_there_is_no_fault(order):
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, 1, name="a")
    x = b.op("transpose2", {"X": x}, attrs={"axis": order}, shape=(-1, 8, 8, 8))
    b.op("fetch", {"X": x}, {"Out": "fetch"})
    assert find_prunable(b.build(), "coupled").decisions[0].status == "blocked"
