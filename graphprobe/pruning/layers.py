"""The layers whose channels are decided on: convolutions, and fully connected ones.

Each with the classes of channels that it makes, and the number of the layers that go together.
"""

from __future__ import annotations

from typing import NamedTuple

from graphprobe.ops.channels.spec import depthwise_filter
from graphprobe.pruning.channels import Channels
from graphprobe.pruning.partition import ChannelPartition


class Layer(NamedTuple):
    """One layer that makes channels.

    Args:
        op: its id.
        param: its weight.
        shape: of the weight.
        groups: of a convolution.
        classes: of the channels that it makes, in their order.
        depthwise: whether each input channel has filters of its own.
        linear: whether it is a fully connected layer.
    """

    op: int
    param: str
    shape: tuple[int, ...]
    groups: int
    classes: tuple[int, ...]
    depthwise: bool
    linear: bool


def layers_of(channels: Channels, partition: ChannelPartition, *, linears: bool) -> list[Layer]:
    """The layers of a program, in its order.

    Args:
        channels: of the program.
        partition: which of them go together.
        linears: whether fully connected layers are among them.
    """
    found = [(*conv, False) for conv in channels.convs]
    if linears:
        found += [(*linear, True) for linear in channels.linears]
    return [_layer(channels, partition, *layer) for layer in sorted(found)]


def class_lengths(channels: Channels, partition: ChannelPartition) -> dict[int, int]:
    """How many channels each class of the layers has."""
    return {
        part.index: part.run.length
        for layout in channels.layers.values()
        for run in layout.runs
        for part in partition.parts(run)
    }


def _layer(
    channels: Channels, partition: ChannelPartition, op_id: int, param: str, axis: int, linear: bool
) -> Layer:
    op = channels.program.ops[op_id]
    shape = channels.program.shape(param, op.block) or ()
    groups = 1 if linear else max(1, op.get_int("groups", 1))
    made = channels.layers.get(op_id)
    classes = tuple(dict.fromkeys(partition.classes(made))) if made is not None else ()
    depthwise = not linear and depthwise_filter(groups, shape, axis)
    return Layer(op_id, param, shape, groups, classes, depthwise, linear)


def number_groups(layers: list[Layer]) -> dict[int, int]:
    """Number the sets of layers that share a class of channels or a weight, in program order.

    Tied weights (a matrix and the same one turned) make other channels in each layer.
    """
    parent = list(range(len(layers)))

    def find(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    owner: dict[int | str, int] = {}
    for i, layer in enumerate(layers):
        shared: tuple[int | str, ...] = (*layer.classes, layer.param)
        for index in shared:
            first = find(owner.setdefault(index, i))
            here = find(i)
            parent[max(first, here)] = min(first, here)
    numbers: dict[int, int] = {}
    return {layer.op: numbers.setdefault(find(i), len(numbers)) for i, layer in enumerate(layers)}
