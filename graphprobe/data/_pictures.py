"""Read pictures from files."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from graphprobe.data.sample import Image
from graphprobe.errors import DataError

_MAX_PIXELS = 1 << 28


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width as `read_picture` gives them, read from the file's head.

    Raises:
        DataError: the file is missing or no picture, without `where`.
    """
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(path) as picture:
                width, height = picture.size
    except FileNotFoundError as error:
        raise DataError("is missing") from error
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise DataError("is not a picture that can be read") from error
    if width * height > _MAX_PIXELS:
        raise DataError(f"has more than {_MAX_PIXELS} pixels")
    return height, width


def read_picture(path: Path) -> Image:
    """The pixels of a picture, uint8 [H, W, 3] RGB, as stored (no EXIF rotation).

    Annotations are drawn on the stored pixels, so an EXIF rotation would part the two.

    Raises:
        DataError: the file is missing, damaged, or no picture.
    """
    from PIL import Image as Pillow

    _check_readable(path)
    try:
        with Pillow.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(
            "is damaged", where=str(path), hint="replace the picture or drop it from the list"
        ) from error


def read_mask(path: Path) -> Image:
    """A picture whose pixels are class numbers: uint8 [H, W]; a palette is not applied.

    Raises:
        DataError: the file is missing, damaged, or has more than one channel.
    """
    from PIL import Image as Pillow

    _check_readable(path)
    try:
        with Pillow.open(path) as picture:
            if picture.mode not in ("L", "P", "1"):
                raise DataError(
                    f"has mode {picture.mode}, not one channel of class numbers", where=str(path)
                )
            return np.asarray(picture).astype(np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError("is damaged", where=str(path)) from error


def _check_readable(path: Path) -> None:
    try:
        picture_size(path)
    except DataError as error:
        raise DataError(error.message, where=str(path)) from error
