"""Files that are often named instead of a program are called by what they are."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

from graphprobe.errors import LoadError
from graphprobe.formats import load_file

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:c234b135d512c1f6f3d8b8aea1534a0c90a1eab8725586bc199f59e750031f97\n"
    b"size 149147\n"
)
# The beginning of a ModelProto: ir_version 8, producer_name "pytorch", a graph.
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x051.13\x3a\x80\x10"
# The beginning of a *.pdiparams: version 0, no LoD, version 0, a TensorDesc.
PARAMS = bytes(4) + bytes(8) + bytes(4) + b"\x09\0\0\0\x08\x05\x10\x08"


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("model.pdmodel", b"\x0a\x00")
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pdmodel"), io.BytesIO())
    return stream.getvalue()


def safetensors() -> bytes:
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POINTER, "a Git LFS pointer; fetch the file itself"),
        (b"../../.git/annex/objects/aa/bb/SHA256E-s1--c.pdmodel", "a git-annex pointer; fetch"),
        (b"", "the file is empty; save or copy the model again"),
        (b"\n \r\n", "nothing but blanks"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "a web page; download the file itself"),
        (b"\n<html lang='en'>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "a web page"),
        (zipped(), "a zip archive; unpack it"),
        (gzip.compress(b"x", mtime=0), "a gzip archive"),
        (tarred(), "a tar archive; unpack it"),
        (ONNX, "an ONNX model; convert it to Paddle with X2Paddle"),
        (PARAMS, r"Paddle weights \(\*.pdiparams\); name the program beside it"),
        (pickle.dumps({"w": 1}, protocol=2), "a Python pickle"),
        (safetensors(), "safetensors weights"),
        (b"\x1c\0\0\0TFL3" + bytes(8), "a TensorFlow Lite model"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b'{"nodes": []}', "a json, but not of PIR"),
        (b"weights: 3\n", "neither a ProgramDesc nor a PIR json"),
    ],
)
def test_it_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.pdmodel"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=message) as caught:
        load_file(path)
    assert "\n" not in str(caught.value)


def test_only_programs_count_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(ONNX)
    with pytest.raises(LoadError, match="the folder holds no program"):
        load_file(tmp_path)
    (tmp_path / "lfs.pdmodel").write_bytes(POINTER)
    with pytest.raises(LoadError, match=r"lfs\.pdmodel: no program but a Git LFS pointer"):
        load_file(tmp_path)
