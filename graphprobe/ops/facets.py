"""What the table holds on one operator, question by question.

Every operator answers every question. One that does not apply is answered with the reason
(`NoMap`, `NoWork`), so that nothing is left out by oversight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from graphprobe.ops.channels.spec import Rule
from graphprobe.ops.shapes.spec import Declared, ShapeRule
from graphprobe.ops.spatial.info import SpatialRule
from graphprobe.ops.work.rules import NoWork, Uncounted, WorkRule

Kind: TypeAlias = Literal[
    "input",  # feeds
    "output",  # fetches
    "source",  # constants and random numbers
    "size",  # reads only the size of what it is given
    "convolution",
    "linear",  # products of matrices, with a weight or without
    "embedding",
    "recurrent",
    "norm",
    "activation",
    "softmax",
    "unary",  # one number in, one number out, and no activation: scale, exp, clip
    "identity",  # the same numbers: cast, assign, dropout
    "elementwise",  # several tensors into one, number by number
    "comparison",
    "movement",  # the same numbers in another order or shape
    "pick",  # some of the numbers, by index or by a mask
    "pool",
    "pad",
    "upsample",
    "sample",  # maps of regions, or at computed places
    "reduce",
    "select",  # the best or the sorted: arg_max, top_k
    "path",  # the best path through scores of classes
    "control",
    "decode",
    "loss",
    "metric",
    "quantize",
    "optimizer",
    "collective",
]

# What an operator computes, whatever generation of Paddle it is of and whatever it is fused with.
# Named where a decision rests on it; kinds decide the rest.
Computation: TypeAlias = Literal[
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",  # with a fixed exponent
    "limit",  # numbers that are too large or too small become the nearest that is not
    "affine",  # a fixed factor and a fixed summand
    "root",  # square root, or one over it
    "length",  # of vectors
    "unit",  # vectors divided by their own length
    "largest",
    "argmax",
    "argmin",
    "sigmoid",
    "nonzero",  # of zero another number, or none
    "dropout",
    "put",  # numbers into some places of what it reads; the others stay
    "pixels",  # channels become places: pixel_shuffle
    "proposals",  # boxes that another head of the same network looks into
    "yolo",  # what YOLOv3 reads with anchors, to learn or to decode
]

# How a movement moves numbers.
Move: TypeAlias = Literal[
    "reshape", "transpose", "squeeze", "unsqueeze", "slice", "split", "concat", "stack",
    "unstack", "repeat", "shuffle", "flip",
]  # fmt: skip


class ChannelFacet(NamedTuple):
    """How channels pass.

    Args:
        rule: what happens to the channels that reach it, and which it makes.
        filter: the slot of the filter, for convolutions.
        out_axis: the axis of the filter that makes the output channels.
        makes: whether it makes new channels with a parameter, so that nothing of the old ones
            is seen behind it.
        keeps_param: whether a parameter passed through it is still that parameter, position by
            position (quantise, cast).
        moves_param: whether a parameter passed through it is the same numbers under another shape
            (a bias of [C] reshaped to [1, C, 1, 1]).
    """

    rule: Rule
    filter: str | None = None
    out_axis: int = 0
    makes: bool = False
    keeps_param: bool = False
    moves_param: bool = False


class NoMap(NamedTuple):
    """An op behind which nothing has an H and a W, and why."""

    reason: str


class HeadSlot(NamedTuple):
    """A slot in which a loss or a decoding reads what the network predicts.

    Args:
        slot: its name.
        what: ``class``; ``binary`` for scores that are each on their own; ``box`` for regressions;
            ``any`` where it leaves that open.
        squashed: whether it reads probabilities, so that the logits are before an activation.
    """

    slot: str
    what: Literal["class", "binary", "box", "any"] = "class"
    squashed: bool = False


class Boxes(NamedTuple):
    """How an operator makes prior boxes of a map.

    Args:
        attributes: those that decide about the boxes and their order.
        shares: whether the boxes are shares of the image; else they are pixels.
    """

    attributes: tuple[str, ...]
    shares: bool = True


class OpSpec(NamedTuple):
    """One operator.

    Args:
        type: its type in ProgramDesc.
        kind: what sort of operator it is.
        channels: how channels pass.
        spatial: how H, W and the stride pass.
        shapes: the sizes of its outputs, and the contents of small ones.
        work: how often it uses its weights.
        label: what a drawing calls it.
        heads: where it reads predictions: losses, decoding, arg_max.
        move: how it moves numbers; given for kind ``movement`` and for no other.
        onednn: whether Paddle trains it in oneDNN: it has kernels for both directions there.
        computes: what it computes, where a decision rests on it.
        boxes: how it makes prior boxes, where it does.
    """

    type: str
    kind: Kind
    channels: ChannelFacet
    spatial: SpatialRule | NoMap
    shapes: ShapeRule | Declared
    work: WorkRule | NoWork | Uncounted
    label: str
    heads: tuple[HeadSlot, ...] = ()
    move: Move | None = None
    onednn: bool = False
    computes: Computation | None = None
    boxes: Boxes | None = None


def operators(
    names: str,
    *,
    kind: Kind,
    channels: ChannelFacet | Rule,
    spatial: SpatialRule | NoMap,
    shapes: ShapeRule | Declared,
    work: WorkRule | NoWork | Uncounted,
    heads: tuple[HeadSlot, ...] = (),
    move: Move | None = None,
    onednn: bool = False,
    computes: Computation | Mapping[str, Computation] | None = None,
    boxes: Boxes | None = None,
) -> tuple[OpSpec, ...]:
    """Specs of operators that share their facets.

    Args:
        names: op types, each with what a drawing calls it behind a colon where that differs:
            ``relu hard_swish:hswish``. A hyphen stands for a space there.
        kind: and all that follow: as `OpSpec` has them; `channels` may be the rule alone.
        computes: of all of them, or of those that compute something of their own, by type.
    """
    facet = channels if isinstance(channels, ChannelFacet) else ChannelFacet(channels)
    pairs = (name.partition(":") for name in names.split())
    return tuple(
        OpSpec(
            type_,
            kind,
            facet,
            spatial,
            shapes,
            work,
            label.replace("-", " ") or type_,
            heads,
            move,
            onednn,
            computes.get(type_) if isinstance(computes, Mapping) else computes,
            boxes,
        )
        for type_, _, label in pairs
    )


class Family(NamedTuple):
    """One file of `graphprobe.ops.families`: operators that work alike.

    Args:
        name: of the family.
        specs: by op type.
        pir: what PIR calls them, one operator a line (`graphprobe.ops.pir_names`).
    """

    name: str
    specs: Mapping[str, OpSpec]
    pir: str = ""


def family(name: str, *rows: tuple[OpSpec, ...], pir: str = "") -> Family:
    """A family of rows of `operators`.

    Raises:
        TypeError: two rows claim one op type (a defect, not a user's error).
    """
    specs: dict[str, OpSpec] = {}
    for spec in (spec for row in rows for spec in row):
        if spec.type in specs:
            raise TypeError(f"{name}: {spec.type} stands in two rows")
        specs[spec.type] = spec
    return Family(name, specs, pir)
