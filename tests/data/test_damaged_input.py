"""Damaged annotations and images give a sample or the one error, nothing else."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from graphprobe.data.formats._voc_xml import parse_annotation
from graphprobe.data.images import image_size, read_image, read_mask
from graphprobe.errors import DataError

XML = (
    b'<?xml version="1.0"?><annotation><filename>a.jpg</filename><size><width>60</width>'
    b"<height>40</height></size><object><name>dog</name><difficult>1</difficult><bndbox>"
    b"<xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax><ymax>4e1</ymax></bndbox></object></annotation>"
)
PIECES = [b"<", b"</", b"<!DOCTYPE a>", b"&#0;", b"&x;", b"<object>", b"1e999", b"\xff\xfe", b"-"]


def encoded(kind):
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    content = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert("P") if kind == "GIF" else picture).save(content, kind)
    return content.getvalue()


PICTURES = {kind: encoded(kind) for kind in ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")}


def damage(draw, content, pieces=()):
    """Cut, change, repeat or insert a few times."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["byte", "cut", "drop", "repeat", "piece"]))
        if how == "byte" and data:
            data[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[at:]
        elif how == "drop":
            del data[at : at + draw(st.integers(1, 9))]
        elif how == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 40))]
        elif pieces:
            data[at:at] = draw(st.sampled_from(pieces))
    return bytes(data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_annotations(data):
    content = damage(data.draw, XML, PIECES)
    try:
        found = parse_annotation(content)
    except DataError as error:
        assert error.message
        return
    for item in found.objects:
        assert item.name
        assert all(np.isfinite(item.corners))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), kind=st.sampled_from(sorted(PICTURES)))
def test_damaged_pictures(tmp_path, data, kind):
    path = tmp_path / "picture"
    path.write_bytes(damage(data.draw, PICTURES[kind]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (image_size, read_image, read_mask):
            try:
                found = read(path)
            except DataError as error:
                assert str(path) in str(error)
            else:
                assert isinstance(found, tuple) or found.dtype == np.uint8


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path):
    path = tmp_path / "bomb.png"
    content = bytearray(PICTURES["PNG"])
    content[16:24] = (60000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(DataError, match="too large"):
        image_size(path)
