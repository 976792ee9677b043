"""The steps that PaddleOCR, PaddleClas and PaddleX name under ``transform_ops``.

Source: ppocr/data/imaug of PaddleOCR, deploy/python/preprocess.py of PaddleClas.
"""

from __future__ import annotations

from graphprobe.data.preparation.draft import (
    Draft,
    Options,
    Read,
    height_width,
    named_interpolation,
    number,
    whole,
    width_height,
)

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _nothing(_draft: Draft, _options: Options) -> None:
    """Of labels, or of what holds already."""


def _chw(draft: Draft, _options: Options) -> None:
    draft.channels_last = False


def _decode(draft: Draft, options: Options) -> None:
    mode = str(options.get("img_mode", "RGB")).upper()
    draft.bgr, draft.gray = mode == "BGR", mode in ("GRAY", "GREY")


def _ops_normalise(draft: Draft, options: Options) -> None:
    mean, std = (
        options.get(key) or usual for key, usual in zip(("mean", "std"), _IMAGENET, strict=True)
    )
    if options.get("channel_num", 3) not in (1, 3):
        raise ValueError(f"wants {options['channel_num']} channels of an image")
    scale = options.get("scale")
    draft.normalise(mean, std, 1.0 / 255.0 if scale is None else number(scale))


def _text_resize(draft: Draft, options: Options) -> None:
    if options.get("image_shape") is not None:
        if options.get("keep_ratio"):
            raise ValueError("keeps the ratio at a fixed height, which is not known")
        draft.resize("stretch", height_width(options["image_shape"][-2:]))
    elif options.get("resize_long") is not None:
        long = whole(options["resize_long"])
        draft.resize("long", (long, long), multiple=128, up=True)
    else:
        side = whole(options.get("limit_side_len", 736))
        kinds = {"min": "at_least", "max": "at_most", "resize_long": "long"}
        draft.resize(kinds[options.get("limit_type", "min")], (side, side), multiple=32)


def _line_resize(draft: Draft, options: Options) -> None:
    _, height, width = options["image_shape"]
    draft.resize("line", (whole(height), whole(width)))
    draft.normalise(*_HALF, 1.0 / 255.0)
    draft.channels_last = False


def _class_resize(draft: Draft, options: Options) -> None:
    how = named_interpolation(
        options.get("interpolation"), str(options.get("backend", "cv2")).lower()
    )
    if options.get("resize_short"):
        short = whole(options["resize_short"])
        draft.resize("short", (short, short), how)
    else:
        draft.resize("stretch", width_height(options["size"]), how)


def _class_crop(draft: Draft, options: Options) -> None:
    draft.resize("crop", width_height(options["size"]))


_LABELS = ("DetLabelEncode", "MultiLabelEncode", "CTCLabelEncode", "ClsLabelEncode", "KeepKeys")
OPERATOR_STEPS: dict[str, Read] = {
    "DecodeImage": _decode,
    "NormalizeImage": _ops_normalise,
    "ToCHWImage": _chw,
    "DetResizeForTest": _text_resize,
    "RecResizeImg": _line_resize,
    "ClsResizeImg": _line_resize,
    "ResizeImage": _class_resize,
    "CropImage": _class_crop,
    **dict.fromkeys(_LABELS, _nothing),
}
