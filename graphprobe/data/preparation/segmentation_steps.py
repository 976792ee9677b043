"""The steps that PaddleSeg names in deploy.yaml.

Source: paddleseg/transforms of PaddleSeg 2.0 to 2.10.
"""

from __future__ import annotations

from graphprobe.data.preparation.draft import (
    Draft,
    Options,
    Read,
    floats,
    named_interpolation,
    whole,
    width_height,
)


def _seg_resize(draft: Draft, options: Options) -> None:
    kind = "fit" if options.get("keep_ratio") else "stretch"
    size = width_height(options.get("target_size", 512))
    draft.resize(kind, size, named_interpolation(options.get("interp", "LINEAR")))


def _seg_side(kind: str, key: str) -> Read:
    def read(draft: Draft, options: Options) -> None:
        side = options.get(key)
        if side is not None:
            draft.resize(kind, (whole(side), whole(side)))

    return read


def _seg_multiple(draft: Draft, options: Options) -> None:
    draft.resize("same", (0, 0), multiple=whole(options.get("factor_int", 32)))


def _seg_normalise(draft: Draft, options: Options) -> None:
    draft.normalise(options.get("mean", 0.5), options.get("std", 0.5), 1.0 / 255.0)


def _seg_pad(draft: Draft, options: Options) -> None:
    fill = floats(options.get("im_padding_value", 127.5))[0]
    # Behind Normalize, the padding stands in its values.
    draft.resize("pad", width_height(options["target_size"]), fill=None if draft.mean else fill)


SEGMENTATION_STEPS: dict[str, Read] = {
    "Resize": _seg_resize,
    "ResizeByLong": _seg_side("long", "long_size"),
    "ResizeByShort": _seg_side("short", "short_size"),
    "LimitLong": _seg_side("at_most", "max_long"),
    "ResizeToMultiple": _seg_multiple,
    "Normalize": _seg_normalise,
    "Padding": _seg_pad,
}
