"""Read images from files. Image files are untrusted input.

What is read has 8 bits a channel. 16-bit files are scaled by 1/257, 12-bit files by 1/16.06 and
floating point files from 0..1; other ranges are refused, because no scale is right for all of them.
"""

from __future__ import annotations

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphprobe.data.sample import Image
from graphprobe.errors import DataError

if TYPE_CHECKING:
    from PIL import Image as Pillow

# 400 MB as RGB; larger than the cameras of phones give.
MOST_PIXELS = 1 << 27
# EPS is not among them: Pillow would start Ghostscript on it.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")

_HINT = "replace the file or take its name out of the list"
_SAVE_AS = "save it with 8 bits a channel"
_ORIENTATION = 0x0112  # the EXIF tag
_BITS, _PHOTOMETRIC, _WHITE_IS_0 = 258, 262, 0  # tags of TIFF
_TURNED = (5, 6, 7, 8)  # its values that exchange height and width


def image_size(path: Path, *, exif: bool = True) -> tuple[int, int]:
    """Height and width as `read_image` gives them, read from the file's head.

    Raises:
        DataError: the file is missing or no image.
    """
    with _opened(path) as opened:
        if exif and opened.getexif().get(_ORIENTATION) in _TURNED:
            return opened.width, opened.height
        return opened.height, opened.width


def is_turned(path: Path) -> bool:
    """Whether its EXIF orientation exchanges height and width.

    Raises:
        DataError: the file is missing or no image.
    """
    with _opened(path) as opened:
        return opened.getexif().get(_ORIENTATION) in _TURNED


def read_image(path: Path, *, exif: bool = True) -> Image:
    """The pixels of an image, uint8 [H, W, 3] RGB.

    Args:
        path: the file.
        exif: turn it by its EXIF orientation, which is how viewers show it.

    Raises:
        DataError: the file is missing, damaged, no image, or of a range that has no 8-bit form.
    """
    from PIL import ImageOps

    with _opened(path) as opened:
        shown = ImageOps.exif_transpose(opened) if exif else opened
        if shown.mode.startswith(("I", "F")):
            return _deep_pixels(shown, opened, str(path))
        return np.asarray(shown.convert("RGB"))


def _deep_pixels(shown: Pillow.Image, opened: Pillow.Image, where: str) -> Image:
    """One channel of more than 8 bits as grey RGB; `opened` is as its file has it."""
    values = np.asarray(shown)
    tags = getattr(opened, "tag_v2", {})
    if shown.mode == "F":
        # Of NaN no comparison is true.
        if not (values.min() >= 0 and values.max() <= 1):
            text = "has floating point pixels outside of 0..1"
            raise DataError(text, where=where, hint=_SAVE_AS)
        grey = np.rint(values * 255).astype(np.uint8)
    else:
        whole = values.astype(np.int64)
        # Pillow opens 16-bit files as I;16, and some of them as I (32 bits).
        if shown.mode == "I" and opened.format not in ("PNG", "PPM"):
            raise DataError("has 32-bit pixels", where=where, hint=_SAVE_AS)
        most = (1 << min(tags.get(_BITS, (16,))[0], 16)) - 1
        if whole.min() < 0 or whole.max() > most:
            raise DataError(f"has pixels outside of 0..{most}", where=where, hint=_SAVE_AS)
        grey = ((whole * 255 + most // 2) // most).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_0:  # Pillow turns only files of 8 bits
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


def read_mask(path: Path) -> Image:
    """An image whose pixels are class numbers: uint8 [H, W]; a palette is not applied.

    Raises:
        DataError: the file is missing, damaged, or has more than one channel.
    """
    with _opened(path) as opened:
        if opened.mode not in ("L", "P", "1"):
            text = f"has mode {opened.mode}, not one channel of class numbers"
            raise DataError(text, where=str(path))
        return np.asarray(opened).astype(np.uint8)


def is_image_name(path: Path) -> bool:
    """Whether a file's name ends as those of images do."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """An open image; whatever Pillow raises while it is open is raised as a DataError."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        # A FIFO would wait for a writer, and a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError("is not a regular file", where=str(path), hint=_HINT)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    text = f"has more than {MOST_PIXELS:,} pixels"
                    raise DataError(text, where=str(path), hint=_HINT)
                yield opened
    except FileNotFoundError as error:
        raise DataError("is missing", where=str(path), hint=_HINT) from error
    except UnidentifiedImageError as error:
        raise DataError("is not an image", where=str(path), hint=_HINT) from error
    except (
        *(OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError),
        *(OverflowError, MemoryError, Pillow.DecompressionBombError),
    ) as error:
        raise DataError("is damaged or too large", where=str(path), hint=_HINT) from error
