"""What the rule of an operator sees and returns: pure data in, pure data out.

A rule is a generator: it is given a `OpContext` of one op (which of its inputs carry channels, and
where) and yields effects: what the outputs carry, which axes of which parameters are pruned along,
which channels must be pruned alike, and which cannot be pruned at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from graphprobe.ir import Op, Shape
from graphprobe.ops.channels.layout import ChannelLayout

if TYPE_CHECKING:
    from graphprobe.ir.findings import Reason

# What channels meet on their way; a policy may refuse to go on there.
Meeting: TypeAlias = Literal["concat", "residual", "grouped", "reorder"]


class Port(NamedTuple):
    """One input of an op.

    Args:
        name: the variable.
        shape: its sizes, -1 where unknown; None where nothing is declared.
        layout: the channels that it carries, or None.
        param: the parameter that it is (or is computed from one to one), or None. One that was
            reshaped has a layout too: its own numbers.
        offset: how many axes stand before the parameter's own, to reach another tensor's rank.
        stopped: whether none of these channels can go, as something before has it.
        turned: the parameter whose rows are its columns, or None.
        clears: whether zeros in what makes one of these channels are zeros here.
    """

    name: str
    shape: Shape | None = None
    layout: ChannelLayout | None = None
    param: str | None = None
    offset: int = 0
    stopped: bool = False
    turned: str | None = None
    clears: bool = False

    def size(self, axis: int) -> int:
        """The size of an axis; -1 where unknown."""
        return self.shape[axis] if self.shape is not None and axis < len(self.shape) else -1


class TargetSize(NamedTuple):
    """One entry of the shape that an op is given.

    Args:
        size: 1 and more where it is known; 0 and -1 as a reshape means them; below -1 where it is
            open, the same number for the same size.
        source: the op and attribute where a constant is written, and which entry of a list.
        measured: the channels along the axis whose size was measured, where it carries any.
        divided: by what the measured size was divided.
    """

    size: int
    source: tuple[int, str, int | None] | None = None
    measured: ChannelLayout | None = None
    divided: int = 1


class OpContext(NamedTuple):
    """One op as its rule sees it.

    Args:
        op: the op.
        inputs: what it reads, by slot.
        outputs: the shapes of what it writes, by slot. In shapes, a size below 0 is open; equal
            numbers below -1 are equal sizes.
        target: the shape that it is given, where it is given one.
        batch_axes: axes of its output over which a product of two features runs (the heads of an
            attention): channels that are split keep that axis.
    """

    op: Op
    inputs: Mapping[str, tuple[Port, ...]]
    outputs: Mapping[str, tuple[Shape | None, ...]] = MappingProxyType({})
    target: tuple[TargetSize, ...] = ()
    batch_axes: frozenset[int] = frozenset()

    def port(self, slot: str) -> Port | None:
        """The first input of a slot, or None."""
        ports = self.inputs.get(slot, ())
        return ports[0] if ports else None

    def ports(self, slot: str) -> tuple[Port, ...]:
        """Every input of a slot."""
        return self.inputs.get(slot, ())

    def layout(self, slot: str) -> ChannelLayout | None:
        """What the first input of a slot carries, or None."""
        port = self.port(slot)
        return None if port is None else port.layout

    def carrying(self) -> Iterator[Port]:
        """Every input that carries channels."""
        for ports in self.inputs.values():
            for port in ports:
                if port.layout is not None:
                    yield port


class Propagate(NamedTuple):
    """An output carries these channels; `second`: beside others, along an axis of their own."""

    slot: str
    layout: ChannelLayout
    at: int = 0
    second: bool = False


class PruneAlong(NamedTuple):
    """A parameter is pruned along `layout.axis` together with these channels.

    `role` is ``out`` where the parameter makes the channels, ``in`` where it consumes them, and
    ``each`` where it has one number for each.
    """

    param: str
    layout: ChannelLayout
    role: Literal["out", "in", "each"] = "each"


class TieChannels(NamedTuple):
    """Channels at the same positions are pruned together or not at all."""

    a: ChannelLayout
    b: ChannelLayout


class SumChannels(NamedTuple):
    """Channels are summed over, each times one of another feature: one that is 0 counts nothing.

    No weight consumes them there, so a pruning is proven with zeros where they are made.
    """

    layout: ChannelLayout


class PolicyBoundary(NamedTuple):
    """Channels meet something that a policy may refuse."""

    what: Meeting
    layout: ChannelLayout


class BlockChannels(NamedTuple):
    """Channels that cannot be pruned because of this op; `reason` None: follows from the graph.

    `because` names the input that carries none, where that is the cause: what stopped its channels
    is then what stops these.
    """

    layout: ChannelLayout
    detail: str
    reason: Reason | None = None
    because: str | None = None


class AttrUpdate(NamedTuple):
    """An integer of an attribute counts channels.

    Args:
        attr: its name.
        value: what the attribute is (or is to be set to) before pruning.
        layout: the channels that are counted, with their repetitions.
        entry: which one of a list; None where the attribute is one integer.
        share: how many channels one unit of the attribute stands for.
        source: the op that holds the attribute where it is not the op itself but one that makes
            the shape which it reads.
    """

    attr: str
    value: int | tuple[int, ...]
    layout: ChannelLayout
    entry: int | None = None
    share: int = 1
    source: int | None = None


class CountsAlike(NamedTuple):
    """A size that was measured counts these channels, or they cannot go.

    Args:
        layout: the channels.
        measured: the channels along the axis that was measured.
        divided: by what the measured size was divided.
    """

    layout: ChannelLayout
    measured: ChannelLayout
    divided: int = 1


Effect: TypeAlias = (
    Propagate
    | PruneAlong
    | TieChannels
    | SumChannels
    | PolicyBoundary
    | BlockChannels
    | AttrUpdate
    | CountsAlike
)
Rule: TypeAlias = Callable[[OpContext], Iterator[Effect]]


def axis_of(value: int, rank: int | None) -> int | None:
    """An axis counted from 0, or None where a negative one meets an unknown rank."""
    if value >= 0:
        return value
    return None if rank is None else value + rank


def channel_axis(view: OpContext, attr: str, rank: int | None) -> int:
    """The axis that ``NCHW`` or ``NHWC`` in an attribute means."""
    text = view.op.get_str(attr, "NCHW")
    last = text.endswith("C") and len(text) > 2
    return (rank or 4) - 1 if last else 1


def rank_of(shape: Shape | None) -> int | None:
    """How many axes, or None where unknown."""
    return None if shape is None else len(shape)


def depthwise_filter(groups: int, shape: tuple[int, ...], out_axis: int = 0) -> bool:
    """Whether every input channel has filters of its own: as many groups as channels.

    Args:
        groups: the attribute.
        shape: the filter, [out, in/groups, ...]; transposed, [in, out/groups, ...].
        out_axis: 1 for transposed convolutions.
    """
    if groups <= 1 or len(shape) < 2:
        return False
    return groups == shape[0] if out_axis else shape[1] == 1 and shape[0] % groups == 0
