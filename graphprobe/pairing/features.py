"""A tensor that a pair may be made of, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from graphprobe.ir import Value
from graphprobe.ops.spatial.info import SpatialInfo
from graphprobe.pairing.analysis import ProgramAnalysis, Stride

Key: TypeAlias = tuple[float | str, ...]
Activation: TypeAlias = Literal["", "softmax", "sigmoid"]


class Feature(NamedTuple):
    """One tensor of one program in one role.

    Args:
        value: id in the program's dataflow.
        name: the variable.
        shape: its sizes, -1 where unknown; empty where it has no declared shape.
        kind: the role without the stride, as ``yolo head``; only equal kinds are compared.
        stride: size of the image / size of the tensor, (height, width); None where it has none.
        source: what makes it one, as ``X of yolov3_loss``.
        key: what else distinguishes it from its equals (anchors), empty where nothing does.
        part: which part of which head it is, as ``0.objectness``.
        channel: axis of the channels.
        classes: number of classes where its channels hold class scores.
        use: what the program does with it, as ``softmax over 21 classes``; empty if unknown.
        doubt: what is open about its kind, a sentence; empty where nothing is.
        rows: why its rows cannot be compared one to one; empty where they can.
        order: place of the first output of the program that depends on it.
        readers: types of the ops that compute with it, in order of the alphabet.
        activation: what makes scores of it; empty where nothing is known to.
        depth: layers between it and the input, to order what nothing else orders.
    """

    value: int
    name: str
    shape: tuple[int, ...]
    kind: str
    stride: Stride | None
    source: str
    key: Key = ()
    part: str = ""
    channel: int = 1
    classes: int | None = None
    depth: int = 0
    use: str = ""
    doubt: str = ""
    rows: str = ""
    order: int = 0
    readers: tuple[str, ...] = ()
    activation: Activation = ""

    @property
    def channels(self) -> int:
        """The number of channels, -1 where unknown."""
        return self.shape[self.channel] if len(self.shape) > self.channel else -1


def make_feature(
    analysis: ProgramAnalysis,
    value: Value,
    kind: str,
    source: str,
    *,
    key: Key = (),
    part: str = "",
    stride: Stride | None = None,
    classes: int | None = None,
    channel: int | None = None,
    use: str = "",
    doubt: str = "",
    rows: str = "",
    readers: Iterable[str] = (),
    activation: Activation = "",
) -> Feature:
    """A feature with what the analysis knows of its value."""
    place = analysis.spatial[value.id]
    shape = analysis.shape(value) or ()
    return Feature(
        value=value.id,
        name=value.name,
        shape=shape,
        kind=kind,
        stride=stride if stride is not None else analysis.stride(value),
        source=source,
        key=key,
        part=part,
        channel=_channel_axis(shape, place) if channel is None else channel,
        classes=classes,
        depth=analysis.depth[value.id],
        use=use,
        doubt=doubt,
        rows=rows,
        order=analysis.first_output[value.id],
        readers=tuple(sorted(readers)),
        activation=activation,
    )


def _channel_axis(shape: tuple[int, ...], place: SpatialInfo | None) -> int:
    """1 for [N, C, H, W] and [N, C, 1, 1]; the last for [N, H, W, C] and for what has no H and W.

    Where nothing shows where H and W are, a tensor of rank 4 is taken for [N, C, H, W], as all
    that convolutions of Paddle make unless they are set otherwise.
    """
    if len(shape) == 4 and (place is None or place.h is None or place.h > 1):
        return 1
    return max(len(shape) - 1, 0)


def stride_text(stride: Stride | None) -> str:
    """As ``stride 32``, ``stride 1/2`` or, height by width, ``stride 16x4``; empty if unknown."""
    if stride is None:
        return ""
    h, w = map(_number, stride)
    return f"stride {h}" if h == w else f"stride {h}x{w}"


def _number(stride: float) -> str:
    if not 0.001 < stride < 1e6:
        return f"{stride:.3g}"
    for text, value in ((f"{round(stride)}", stride), (f"1/{round(1 / stride)}", 1 / stride)):
        if value >= 1 and abs(value - round(value)) < 0.01:
            return text
    return f"{stride:.2f}"


def level_of(feature: Feature) -> Stride | None:
    """The stride as it is compared: 31.9 is 32."""
    if feature.stride is None:
        return None
    return round(feature.stride[0], 1), round(feature.stride[1], 1)


def role_text(kind: str, stride: Stride | None, part: str = "") -> str:
    """As ``yolo head, stride 32`` or ``yolo head objectness, stride 32``."""
    name = f"{kind} {part.rpartition('.')[2]}" if part else kind
    text = stride_text(stride)
    return f"{name}, {text}" if text else name


def coarsest_first(stride: Stride | None) -> Stride:
    """A key that sorts large strides first and unknown ones last."""
    return (0.0, 0.0) if stride is None else (-stride[0], -stride[1])


def in_order(features: Iterable[Feature]) -> list[Feature]:
    """By kind, then from the coarsest to the finest, then by anchors and depth."""
    return sorted(
        features, key=lambda f: (f.kind, coarsest_first(f.stride), f.key, f.depth, f.shape)
    )
