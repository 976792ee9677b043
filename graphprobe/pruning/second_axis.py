"""Channels along a second axis of a value: the tokens that a layer mixes in front of it.

A fully connected layer over the last axis leaves channels on an axis before it where they are, and
makes channels of its own: its output has both. The rules follow one axis; they are asked once more
for the other, of those operators that keep the axes apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphprobe.ops import OpSpec
from graphprobe.ops.channels.layout import ChannelLayout, Space
from graphprobe.ops.channels.spec import (
    BlockChannels,
    CountsAlike,
    Effect,
    OpContext,
    Propagate,
    TieChannels,
)

_APART = ("activation", "unary", "identity", "elementwise", "norm", "linear", "reduce")
_MOVES = ("transpose", "squeeze", "unsqueeze")
_MIXED = "channels of another layer run along another axis of its input"

THIRD = "channels of two other layers run along other axes of its output"


def layouts_of(effect: Effect) -> tuple[ChannelLayout, ...]:
    """The channels that an effect is about."""
    if isinstance(effect, TieChannels):
        return effect.a, effect.b
    if isinstance(effect, CountsAlike):
        return effect.layout, effect.measured
    return (effect.layout,)


def spaces_of(layouts: Sequence[ChannelLayout]) -> set[Space]:
    """Who makes these channels."""
    return {run.space for layout in layouts for run in layout.runs}


def second_effects(
    spec: OpSpec | None, view: OpContext, first: Sequence[Effect]
) -> Iterator[Effect]:
    """What an op does to channels along a second axis of what it reads.

    Args:
        spec: of the op.
        view: the op with the second channels of its inputs, and no others.
        first: what it does to the first.
    """
    carried = [port.layout for port in view.carrying() if port.layout is not None]
    keeps_apart = spec is not None and (spec.kind in _APART or spec.move in _MOVES)
    if spec is None or not keeps_apart or _is_repeated(first):
        yield from (BlockChannels(layout, _MIXED, "unsupported_op") for layout in carried)
        return
    spaces = spaces_of(carried)
    effects = [e for e in spec.channels.rule(view) if spaces_of(layouts_of(e)) <= spaces]
    if _is_repeated(effects) or sum(isinstance(e, Propagate) for e in effects) > 1:
        effects = []
    for effect in effects:
        yield effect._replace(second=True) if isinstance(effect, Propagate) else effect
    spoken = spaces_of([layout for effect in effects for layout in layouts_of(effect)])
    for layout in carried:
        if not spaces_of([layout]) <= spoken:
            yield BlockChannels(layout, _MIXED, "unsupported_op")


def _is_repeated(effects: Sequence[Effect]) -> bool:
    """Whether channels lie at several places of an axis: as many as another axis may have."""
    return any(
        layout.inner * layout.outer > 1 for effect in effects for layout in layouts_of(effect)
    )
