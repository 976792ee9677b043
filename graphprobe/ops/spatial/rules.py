"""What ops do to H and W: the rules that the table's facet ``spatial`` names.

Strides come from what each op does to the size; declared sizes are used only where an op's
attributes leave them open (a resize to a fixed size).
"""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.ops.spatial.info import SpatialInfo, SpatialRule, Step


def unknown(step: Step) -> SpatialInfo | None:
    """An op that the table lacks: nothing is known but the declared sizes."""
    place, before, after = step.place, step.before, step.after
    if before is None or after is None or len(before) != len(after):
        return None
    if place.h is None or place.w is None or max(place.h, place.w) >= len(after):
        return None
    sizes = before[place.h], before[place.w]
    equal = sizes == (after[place.h], after[place.w]) and min(sizes) > 0
    return place if equal else declared(step)


def kept(step: Step) -> SpatialInfo | None:
    """Some rows and columns more or less at the edges: one pixel still stands for as many."""
    return step.place


def same(step: Step) -> SpatialInfo | None:
    """Sizes stay, unless the shapes differ; another rank loses sight of the axes."""
    place, before, after = step.place, step.before, step.after
    if before is None or after is None:
        return place
    if len(before) != len(after):
        return place.moved(None, None)
    if place.h is None or place.w is None or max(place.h, place.w) >= len(before):
        return place
    sizes = (before[place.h], before[place.w]), (after[place.h], after[place.w])
    return place if sizes[0] == sizes[1] or -1 in sizes[1] else declared(step)


def declared(step: Step) -> SpatialInfo | None:
    """Sizes from the declared shapes, of the image or of the input."""
    place, before, after = step.place, step.before, step.after
    if after is None or place.h is None or place.w is None or len(after) <= max(place.h, place.w):
        return None
    h, w = after[place.h], after[place.w]
    if h <= 1 or w <= 1:
        return None
    if min(place.image) > 0:
        return place._replace(down_h=_near(place.image[0] / h), down_w=_near(place.image[1] / w))
    if before is None or len(before) <= max(place.h, place.w):
        return None
    if before[place.h] > 0 and before[place.w] > 0:
        return place.scaled(before[place.h] / h, before[place.w] / w)
    return None


def _near(ratio: float) -> float:
    """769 / 97 is meant to be 8: sizes are rounded up at each stride."""
    for power in (2.0**i for i in range(-6, 12)):
        if abs(ratio - power) <= 0.06 * power:
            return power
    return ratio


def strided(step: Step) -> SpatialInfo | None:
    """Attribute ``strides`` divides the size."""
    h, w = _strides(step)
    return _mapped(step).scaled(h, w)


def _mapped(step: Step) -> SpatialInfo:
    """The place of a convolution's input, which is a map also where its axes were lost."""
    if step.place.h is not None or len(step.after or ()) != 4:
        return step.place
    last = step.op.get_str("data_format") == "NHWC"
    return step.place.moved(1, 2) if last else step.place.moved(2, 3)


def enlarged(step: Step) -> SpatialInfo | None:
    """Attribute ``strides`` multiplies the size: transposed convolutions, unpooling."""
    h, w = _strides(step)
    return _mapped(step).scaled(1 / h, 1 / w)


def _strides(step: Step) -> tuple[int, int]:
    """Of the height and the width: the last two, or one for both."""
    strides = step.op.get_ints("strides", (1, 1))
    if not strides or min(strides) <= 0:
        return 1, 1
    return strides[-2:][0], strides[-1]


def pooled(step: Step) -> SpatialInfo | None:
    """Global pooling leaves one pixel, which has no place; adaptive goes by the declared sizes."""
    if step.op.attrs.get("global_pooling"):
        return None
    if step.op.attrs.get("adaptive"):
        return declared(step)
    return strided(step)


def resized(step: Step) -> SpatialInfo | None:
    """To the size of another tensor, by factors, to a fixed size, or as declared: the first."""
    if step.size is not None:
        return step.place._replace(down_h=step.size.down_h, down_w=step.size.down_w)
    scale = step.op.attrs.get("scale")
    factors = scale if isinstance(scale, tuple) else (scale,)
    numbers = [float(f) for f in factors if isinstance(f, int | float) and f > 0]
    if numbers and len(numbers) == len(factors):
        return step.place.scaled(1 / numbers[0], 1 / numbers[-1])
    h, w = step.op.get_int("out_h", -1), step.op.get_int("out_w", -1)
    if h > 0 and w > 0 and min(step.place.image) > 0:
        image = step.place.image
        return step.place._replace(down_h=_near(image[0] / h), down_w=_near(image[1] / w))
    return declared(step)


def blocks_of(attribute: str, *, up: bool) -> SpatialRule:
    """Channels become places or places channels, by the square of an attribute."""

    def rule(step: Step) -> SpatialInfo | None:
        factor = float(max(step.op.get_int(attribute, 1), 1))
        return (
            step.place.scaled(1 / factor, 1 / factor) if up else step.place.scaled(factor, factor)
        )

    return rule


def sliced(step: Step) -> SpatialInfo | None:
    """Steps along H and W thin them out; ``decrease_axis`` takes axes away."""
    axes, strides = step.op.get_ints("axes"), step.op.get_ints("strides")
    place = step.place
    for axis, stride in zip(axes, strides, strict=False):
        place = place.scaled(
            abs(stride) if axis == place.h and stride else 1,
            abs(stride) if axis == place.w and stride else 1,
        )
    gone = step.op.get_ints("decrease_axis")
    return place.moved(_without(place.h, gone), _without(place.w, gone)) if gone else place


def _without(axis: int | None, gone: Sequence[int]) -> int | None:
    if axis is None or axis in gone:
        return None
    return axis - sum(g < axis for g in gone)


def transposed(step: Step) -> SpatialInfo | None:
    """The axes in another order (attribute ``axis`` or ``perm``)."""
    order = step.op.get_ints("axis") or step.op.get_ints("perm")
    h, w = step.place.h, step.place.w
    if h is None or w is None or h not in order or w not in order:
        return step.place.moved(None, None)
    return step.place.moved(order.index(h), order.index(w))


def reshaped(step: Step) -> SpatialInfo | None:
    """H and W stay where they stand unchanged among the declared sizes.

    A list of cells that becomes a map again (behind attention) has them where the sizes of the map
    stand.
    """
    place, before, after = step.place, step.before, step.after
    if place.h is None and before is not None and after is not None and len(after) == 4:
        return _unflattened(place, before, after)
    if before is None or after is None or place.h is None or place.w is None:
        return place.moved(None, None)
    h, w = place.h, place.w
    if w != h + 1 or w >= len(before):
        return place.moved(None, None)
    back = len(before) - h
    if len(after) >= back + 1 and after[-back:] == before[h:] and back == 2:
        return place.moved(len(after) - 2, len(after) - 1)
    if len(after) > w and after[h : w + 1] == before[h : w + 1] and len(after) > 3:
        return place.moved(h, w)
    return place.moved(None, None)


def _unflattened(place: SpatialInfo, before: Sequence[int], after: Sequence[int]) -> SpatialInfo:
    """H and W of [N, C, H, W] or [N, H, W, C] where the image and the stride give their sizes."""
    for h in (2, 1):
        cells = after[h] * after[h + 1]
        expected = [
            size / down
            for size, down in zip(place.image, (place.down_h, place.down_w), strict=True)
        ]
        near = all(abs(n - e) < 1 for n, e in zip(after[h : h + 2], expected, strict=True))
        if cells in before and near and min(after[h : h + 2]) > 1:
            return place.moved(h, h + 1)
    return place.moved(None, None)


def squeezed(step: Step) -> SpatialInfo | None:
    """Attribute ``axes`` are taken away."""
    rank = len(step.before or ())
    axes = tuple(a % rank if rank else a for a in step.op.get_ints("axes"))
    return step.place.moved(_without(step.place.h, axes), _without(step.place.w, axes))


def unsqueezed(step: Step) -> SpatialInfo | None:
    """Attribute ``axes`` are put in."""
    rank = len(step.after or ())
    h, w = step.place.h, step.place.w
    for axis in sorted(a % rank if rank else a for a in step.op.get_ints("axes")):
        h = h + 1 if h is not None and axis <= h else h
        w = w + 1 if w is not None and axis <= w else w
    return step.place.moved(h, w)


def stacked(step: Step) -> SpatialInfo | None:
    """A new axis at attribute ``axis``."""
    rank = len(step.after or ()) or 1
    axis = step.op.get_int("axis") % rank
    h, w = step.place.h, step.place.w
    return step.place.moved(
        h + 1 if h is not None and axis <= h else h, w + 1 if w is not None and axis <= w else w
    )


def reduced(step: Step) -> SpatialInfo | None:
    """Along other axes the map stays; reduced along H or W it has none."""
    dims = step.op.get_ints("dim") or step.op.get_ints("axis")
    rank = len(step.before or ())
    axes = {d % rank if rank else d for d in dims}
    place = step.place
    if step.op.attrs.get("reduce_all") or not axes or axes & {place.h, place.w}:
        return None
    if any(step.op.attrs.get(name) for name in ("keep_dim", "keepdim", "keepdims")):
        return place
    return place.moved(_without(place.h, tuple(axes)), _without(place.w, tuple(axes)))


def flattened(step: Step) -> SpatialInfo | None:
    """The strides stay known, the axes do not."""
    return step.place.moved(None, None)


def unfolded(step: Step) -> SpatialInfo | None:
    """Windows in a row: the strides stay known, the axes do not."""
    place = strided(step)
    return None if place is None else place.moved(None, None)


def unstacked(step: Step) -> SpatialInfo | None:
    """Attribute ``axis`` is taken away."""
    rank = len(step.before or ()) or 1
    gone = (step.op.get_int("axis") % rank,)
    return step.place.moved(_without(step.place.h, gone), _without(step.place.w, gone))
