"""Image files: depth, orientation, kinds, and what is refused before it is decoded."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from graphprobe.data import images as module
from graphprobe.data.images import image_size, is_turned, read_image, read_mask
from graphprobe.errors import DataError

RAMP = np.linspace(0, 1, 64 * 48).reshape(48, 64)
GREY = np.rint(RAMP * 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_sixteen_bits_are_scaled(tmp_path: Path, name: str) -> None:
    Image.fromarray(np.rint(RAMP * 65535).astype(np.uint16)).save(tmp_path / name)
    found = read_image(tmp_path / name)
    assert found.shape == (48, 64, 3) and found.dtype == np.uint8
    assert np.abs(found[..., 0].astype(int) - GREY).max() <= 1
    assert found.min() == 0 and found.max() == 255


def test_floating_point_of_one_range(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    Image.fromarray(RAMP.astype(np.float32)).save(path)
    assert np.array_equal(read_image(path)[..., 1], GREY)
    for wrong in (RAMP * 255, RAMP - 1, np.where(RAMP > 0.5, np.nan, RAMP)):
        Image.fromarray(wrong.astype(np.float32)).save(path)
        with pytest.raises(DataError, match=r"floating point pixels outside of 0\.\.1; save it"):
            read_image(path)


def test_thirty_two_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray((RAMP * 2**30).astype(np.int32)).save(tmp_path / "a.tiff")
    with pytest.raises(DataError, match="has 32-bit pixels"):
        read_image(tmp_path / "a.tiff")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
def test_every_usual_mode_is_rgb(tmp_path: Path, mode: str) -> None:
    made = Image.fromarray(GREY).convert(mode)
    content = io.BytesIO()
    made.save(content, "TIFF" if mode == "CMYK" else "PNG")
    (tmp_path / "a").write_bytes(content.getvalue())
    assert read_image(tmp_path / "a").shape == (48, 64, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    Image.fromarray(GREY).save(path, exif=exif)
    turned = orientation >= 5
    assert is_turned(path) == turned
    assert image_size(path) == read_image(path).shape[:2] == ((64, 48) if turned else (48, 64))
    assert image_size(path, exif=False) == (48, 64)
    assert np.array_equal(read_image(path, exif=False)[..., 0], GREY)
    # The corner that is stored first is where the tag says that viewers show it.
    shown = read_image(path)[..., 0]
    corners = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0)}
    corners |= {5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert shown[corners[orientation]] == GREY[0, 0]


def test_postscript_is_never_run(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    with pytest.raises(DataError, match="is not an image"):
        read_image(tmp_path / "a.png")


def test_bounds_hold_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PIXELS", 48 * 64 - 1)
    Image.fromarray(GREY).save(tmp_path / "a.png")
    for read in (image_size, read_image, read_mask):
        with pytest.raises(DataError, match="has more than 3,071 pixels"):
            read(tmp_path / "a.png")


def test_special_files_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    for path in (tmp_path / "fifo.png", Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match="not a regular file"):
            read_image(path)


def tiff(pixels: bytes, bits: int, *, white_is_0: bool = False, floating: bool = False) -> bytes:
    """A TIFF of 64 x 48 grey pixels in one strip, of kinds that Pillow does not write."""
    values = {256: 64, 257: 48, 258: bits, 259: 1, 262: int(not white_is_0), 273: 200, 277: 1}
    values |= {278: 48, 279: len(pixels), 339: 3 if floating else 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in sorted(values.items()))
    head = b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4)
    return head.ljust(200, b"\0") + pixels


def packed(values: NDArray[np.uint16]) -> bytes:
    """Numbers of 12 bits, two in three bytes."""
    pairs = values.reshape(-1, 2).astype(int)
    return b"".join(((int(a) << 12) | int(b)).to_bytes(3, "big") for a, b in pairs)


DEEP = np.rint(RAMP * 65535).astype("<u2")
TWELVE = np.rint(RAMP * 4095).astype(np.uint16)
STORED = {
    "16 bits": tiff(DEEP.tobytes(), 16),
    "white is 0": tiff((65535 - DEEP).tobytes(), 16, white_is_0=True),
    "12 bits": tiff(packed(TWELVE), 12),
    "floating": tiff(RAMP.astype("<f4").tobytes(), 32, floating=True),
    "floating, white is 0": tiff(
        (1 - RAMP).astype("<f4").tobytes(), 32, white_is_0=True, floating=True
    ),
    "pgm": b"P5 64 48 65535\n" + DEEP.astype(">u2").tobytes(),
    "pgm of 12 bits": b"P5 64 48 4095\n" + TWELVE.astype(">u2").tobytes(),
}


@pytest.mark.parametrize("kind", STORED)
def test_every_way_to_store_more_than_8_bits_gives_the_same_image(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / ("a.pgm" if "pgm" in kind else "a.tiff")
    path.write_bytes(STORED[kind])
    found = read_image(path).astype(int)
    assert found.shape == (48, 64, 3)
    assert np.abs(found - GREY[..., None].astype(int)).max() <= 1
