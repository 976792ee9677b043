"""Ops that read only the size of a tensor, or nothing at all: no channel passes them.

Where a size is used to build a shape while the network runs, it follows the pruning by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import nothing
from graphprobe.ops.channels.spec import AttrUpdate, Effect, OpContext, Propagate, Rule
from graphprobe.ops.facets import Boxes, NoMap, OpSpec, family, operators
from graphprobe.ops.shapes.contents import (
    batch_size_like,
    constant,
    count_of,
    counted_up,
    evenly_spaced,
    given_values,
    grids,
    shape_of,
)
from graphprobe.ops.shapes.spec import Declared, ShapeRule
from graphprobe.ops.work.rules import SIZES, NoWork

_PIR = """
shape : Input > Out
shape64 = shape : Input > Out
numel = size : Input > Out
full = fill_constant : > Out
full_int_array = assign_value : > Out ; value=values
full_with_tensor = fill_constant : ValueTensor ShapeTensor@shape > Out
full_batch_size_like = fill_constant_batch_size_like : Input > Out
gaussian = gaussian_random : ShapeTensor@shape > Out
uniform = uniform_random : ShapeTensor@shape Min@min Max@max > Out
eye : Rows@num_rows Columns@num_columns > Out
arange = range : Start@start End@end Step@step > Out
linspace : Start Stop Num > Out
prior_box : Input Image > Boxes Variances
anchor_generator : Input > Anchors Variances
sgd : Param LearningRate Grad MasterParam > ParamOut MasterParamOut
momentum : Param Grad Velocity LearningRate MasterParam > ParamOut VelocityOut MasterParamOut
"""


def _as_large(view: OpContext) -> Iterator[Effect]:
    """One number everywhere, of the size of a feature, as 1 / x has it: it shrinks with that."""
    x, sizes = view.port("Input"), view.op.get_ints("shape")
    if x is None or x.layout is None or x.layout.axis >= len(sizes):
        return
    if sizes[x.layout.axis] == x.layout.extent:
        yield AttrUpdate("shape", sizes, x.layout, entry=x.layout.axis)
        yield Propagate("Out", x.layout)


def _size(names: str, rule: ShapeRule | Declared, channels: Rule = nothing) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="size",
        channels=channels,
        spatial=NoMap("it makes numbers of sizes, no map"),
        shapes=rule,
        work=SIZES,
    )


def _source(names: str, rule: ShapeRule | Declared) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="source",
        channels=nothing,
        spatial=NoMap("it makes numbers of its own"),
        shapes=rule,
        work=SIZES,
    )


def _boxes(name: str, attributes: str, *, shares: bool = True) -> tuple[OpSpec, ...]:
    """They make prior boxes for each cell of a map, of which they read the size alone."""
    return operators(
        name,
        kind="size",
        channels=nothing,
        spatial=NoMap("it makes boxes of a map's size, no map"),
        shapes=Declared("its sizes follow from lists of attributes"),
        work=SIZES,
        boxes=Boxes(tuple(attributes.split()), shares),
    )


FAMILY = family(
    "sizes",
    _size("shape", shape_of),
    _size("size", count_of),
    _size("rank", Declared("it is one number, which programs do not compute shapes with")),
    _size("fill_constant_batch_size_like", batch_size_like, _as_large),
    _size("uniform_random_batch_size_like gaussian_random_batch_size_like", batch_size_like),
    _size("range arange", counted_up),
    _size("linspace", evenly_spaced),
    _size("meshgrid", grids),
    _boxes(
        "prior_box",
        "min_sizes max_sizes aspect_ratios flip clip step_w step_h offset variances "
        "min_max_aspect_ratios_order",
    ),
    _boxes("density_prior_box", "fixed_sizes fixed_ratios densities clip variances"),
    _boxes(
        "anchor_generator",
        "anchor_sizes aspect_ratios variances stride offset",
        shares=False,
    ),
    operators(
        "feed read create_py_reader create_double_buffer_reader",
        kind="input",
        channels=nothing,
        spatial=NoMap("where H and W are in an input follows from its shape"),
        shapes=Declared("an input has the sizes that it is fed"),
        work=SIZES,
    ),
    _source("fill_constant", constant),
    _source("assign_value", given_values),
    _source(
        "gaussian_random uniform_random randint truncated_gaussian_random fill empty", constant
    ),
    _source("eye randperm bernoulli seed", Declared("its sizes follow from other attributes")),
    operators(
        "sgd momentum adam adamw adamax adagrad adadelta rmsprop lars_momentum lamb ftrl "
        "decayed_adagrad dpsgd merged_momentum merged_adam average_accumulates "
        "check_finite_and_unscale update_loss_scaling coalesce_tensor",
        kind="optimizer",
        channels=nothing,
        spatial=NoMap("it changes parameters"),
        shapes=Declared("it changes parameters"),
        work=NoWork("what trains a network is no part of it"),
    ),
    pir=_PIR,
)
