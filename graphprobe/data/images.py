"""Read pictures from files."""

from __future__ import annotations

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

_MAX_PIXELS = 1 << 28
_HINT = "replace the file or take its name out of the list"


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width as `read_picture` gives them, read from the file's head.

    Raises:
        DataError: the file is missing or no picture.
    """
    with _opened(path) as picture:
        return picture.height, picture.width


def read_picture(path: Path) -> Image:
    """The pixels of a picture, uint8 [H, W, 3] RGB, as stored.

    An EXIF rotation is not applied: annotations are drawn on the stored pixels.

    Raises:
        DataError: the file is missing, damaged, or no picture.
    """
    with _opened(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read_mask(path: Path) -> Image:
    """A picture whose pixels are class numbers: uint8 [H, W]; a palette is not applied.

    Raises:
        DataError: the file is missing, damaged, or has more than one channel.
    """
    with _opened(path) as picture:
        if picture.mode not in ("L", "P", "1"):
            text = f"has mode {picture.mode}, not one channel of class numbers"
            raise DataError(text, where=str(path))
        return np.asarray(picture).astype(np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """An open picture; whatever Pillow says while it is open is said as a DataError."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(path) as picture:
                if picture.width * picture.height > _MAX_PIXELS:
                    raise DataError(f"has more than {_MAX_PIXELS} pixels", where=str(path))
                yield picture
    except FileNotFoundError as error:
        raise DataError("is missing", where=str(path), hint=_HINT) from error
    except UnidentifiedImageError as error:
        raise DataError("is not a picture", where=str(path), hint=_HINT) from error
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise DataError("is damaged or too large", where=str(path), hint=_HINT) from error
