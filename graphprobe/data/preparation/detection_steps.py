"""The steps that PaddleDetection names in infer_cfg.yml.

Source: deploy/python/preprocess.py of PaddleDetection 0.3 to 2.8.
"""

from __future__ import annotations

from graphprobe.data.preparation.draft import (
    Draft,
    Options,
    Read,
    floats,
    height_width,
    numbered_interpolation,
    whole,
)


def _det_resize(draft: Draft, options: Options) -> None:
    how = numbered_interpolation(options)
    size = height_width(options["target_size"])
    if "max_size" in options:  # PaddleDetection up to 0.5
        longest = options["max_size"]
        if longest:
            draft.resize("fit", (min(size), whole(longest)), how)
        else:
            draft.resize("stretch", size, how)
        return
    draft.resize("fit" if options.get("keep_ratio", True) else "stretch", size, how)


def _det_normalise(draft: Draft, options: Options) -> None:
    scale = 1.0 / 255.0 if options.get("is_scale", True) else 1.0
    if options.get("norm_type", "mean_std") == "none":
        draft.normalise([0.0], [1.0], scale)
    else:
        draft.normalise(options["mean"], options["std"], scale)


def _det_permute(draft: Draft, options: Options) -> None:
    draft.bgr = bool(options.get("to_bgr", False))
    draft.channels_last = not options.get("channel_first", True)


def _det_pad(draft: Draft, options: Options) -> None:
    fill = options.get("fill_value", 127.5)
    level = floats(fill)[0]
    if options.get("size") is not None:
        draft.resize("pad", height_width(options["size"]), fill=level)
    else:
        draft.resize("pad_multiple", (0, 0), fill=level, multiple=whole(options["size_divisor"]))


def _det_pad_stride(draft: Draft, options: Options) -> None:
    stride = options.get("stride", 0)
    if stride:
        draft.resize("pad_multiple", (0, 0), multiple=whole(stride))


def _det_letterbox(draft: Draft, options: Options) -> None:
    draft.resize("letterbox", height_width(options["target_size"]), "area", fill=127.5)


DETECTION_STEPS: dict[str, Read] = {
    "Resize": _det_resize,
    "NormalizeImage": _det_normalise,
    "Normalize": _det_normalise,
    "Permute": _det_permute,
    "Pad": _det_pad,
    "PadStride": _det_pad_stride,
    "LetterBoxResize": _det_letterbox,
}
