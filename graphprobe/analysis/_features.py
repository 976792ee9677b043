"""A tensor that a pair may be made of, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from graphprobe.analysis._view import View
from graphprobe.ir import Value

Key: TypeAlias = tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """One tensor of one program in one role.

    Args:
        value: id in the program's dataflow.
        name: the variable.
        shape: its sizes, -1 where unknown; empty where it has no declared shape.
        kind: the role without the stride, as ``yolo head``; only equal kinds are compared.
        stride: height of the image / height of the tensor; None where it has none.
        source: what makes it one, as ``X of yolov3_loss``.
        key: what else tells it apart from its equals (anchors), empty where nothing does.
        part: which part of which head it is, as ``0.objectness``.
        channel: axis of the channels.
        classes: number of classes where its channels hold class scores.
        depth: layers between it and the input, to order what nothing else orders.
    """

    value: int
    name: str
    shape: tuple[int, ...]
    kind: str
    stride: float | None
    source: str
    key: Key = ()
    part: str = ""
    channel: int = 1
    classes: int | None = None
    depth: int = 0

    @property
    def channels(self) -> int:
        """The number of channels, -1 where unknown."""
        return self.shape[self.channel] if len(self.shape) > self.channel else -1


def make_feature(
    view: View,
    value: Value,
    kind: str,
    source: str,
    *,
    key: Key = (),
    part: str = "",
    stride: float | None = None,
    classes: int | None = None,
) -> Feature:
    """A feature with what the view knows of its value."""
    place = view.places[value.id]
    shape = view.shape(value) or ()
    return Feature(
        value=value.id,
        name=value.name,
        shape=shape,
        kind=kind,
        stride=stride if stride is not None else view.stride(value),
        source=source,
        key=key,
        part=part,
        channel=_channel_axis(shape, place.h if place is not None else None),
        classes=classes,
        depth=view.depth[value.id],
    )


def _channel_axis(shape: tuple[int, ...], h: int | None) -> int:
    """1 for [N, C, H, W]; the last for [N, H, W, C] and for what has no H."""
    if len(shape) < 2 or h is None:
        return max(len(shape) - 1, 0)
    return 1 if h > 1 else len(shape) - 1


def stride_text(stride: float | None) -> str:
    """As ``stride 32``, or ``stride 1/2``; empty where unknown."""
    if stride is None:
        return ""
    whole = round(stride) if stride >= 1 else round(1 / stride)
    exact = abs(stride - whole) < 0.01 if stride >= 1 else abs(1 / stride - whole) < 0.01
    if not exact:
        return f"stride {stride:.2f}"
    return f"stride {whole}" if stride >= 1 else f"stride 1/{whole}"


def role_text(kind: str, stride: float | None, part: str = "") -> str:
    """As ``yolo head, stride 32`` or ``yolo head objectness, stride 32``."""
    name = f"{kind} {part.rpartition('.')[2]}" if part else kind
    text = stride_text(stride)
    return f"{name}, {text}" if text else name


def in_order(features: Iterable[Feature]) -> list[Feature]:
    """By kind, then from the coarsest to the finest, then by anchors and depth."""
    return sorted(features, key=lambda f: (f.kind, -(f.stride or 0.0), f.key, f.depth, f.shape))
