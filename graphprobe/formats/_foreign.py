"""Recognise files that are no programs, and what to do instead."""

from __future__ import annotations

import re
from typing import TypeAlias

# Words for the message, and what to do.
Answer: TypeAlias = tuple[str, str]

_NAME_IT = "name __model__, *.pdmodel or inference.json"
_BESIDE = "name the program beside it: __model__, *.pdmodel or inference.json"
_CONVERT = "convert it to Paddle with X2Paddle, then name the *.pdmodel"
_FETCH = "fetch the file itself: git lfs pull, or download it from the page of the model"

# What formats begin with; the first that fits is reported.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer", _FETCH),
    (b"PK\x03\x04", "a zip archive", "unpack it and name the program inside"),
    (b"\x1f\x8b", "a gzip archive (*.tar.gz)", "unpack it and name the program inside"),
    (b"BZh", "a bzip2 archive", "unpack it and name the program inside"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it and name the program inside"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the program inside"),
    (b"\x80", "a Python pickle, which graphprobe never opens", _BESIDE),
    (b"\0\0\0\0", "Paddle weights (*.pdiparams)", _BESIDE),
    (b"\x89HDF\r\n", "an HDF5 file (Keras weights)", _CONVERT),
    (b"\x89PNG", "a PNG image", _NAME_IT),
    (b"\xff\xd8\xff", "a JPEG image", _NAME_IT),
    (b"%PDF", "a PDF", _NAME_IT),
)
_AT: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"TFL3", "a TensorFlow Lite model", _CONVERT),
    (257, b"ustar", "a tar archive", "unpack it and name the program inside"),
)
_PATTERNS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"\s*(<!doctype html|<html|<head|<\?xml)", re.IGNORECASE),
        "a web page",
        "download the file itself: the address led to a page about it",
    ),
    (
        re.compile(rb"[./]*\.?git/annex/objects/|/annex/objects/"),
        "a git-annex pointer",
        "fetch the file itself: git annex get",
    ),
    # A ProgramDesc begins with a line feed too, and the number of its first block is
    # no text; a yml has a colon.
    (
        re.compile(rb"\s+(?![\s{])(?=[^\0]*:)[^\0-\x08\x0e-\x1f\x7f]*\Z"),
        "a text file",
        _NAME_IT,
    ),
    # ir_version (field 1, a small number), then another field of ModelProto.
    (
        re.compile(rb"\x08[\x01-\x20](\x12|\x1a|\x22|\x28|\x32|\x3a|\x42)", re.DOTALL),
        "an ONNX model",
        _CONVERT,
    ),
    # The length of a json head in 8 bytes, then the head.
    (re.compile(rb".{3}\0{5}\{\"", re.DOTALL), "safetensors weights", _BESIDE),
)


def foreign(head: bytes) -> Answer | None:
    """The kind of a file that is certainly no program; None where it may be one.

    Args:
        head: its first bytes, a few thousand at most.

    Returns:
        words for the message, and what the user can do.
    """
    if not head:
        return "the file is empty", "save or copy the model again"
    if not head.strip(b" \t\r\n"):
        return "the file holds nothing but blanks", "save or copy the model again"
    for start, what, hint in _SIGNATURES:
        if head.startswith(start):
            return f"no program but {what}", hint
    for at, mark, what, hint in _AT:
        if head[at : at + len(mark)] == mark:
            return f"no program but {what}", hint
    for pattern, what, hint in _PATTERNS:
        if pattern.match(head):
            return f"no program but {what}", hint
    return None


def identify(head: bytes) -> Answer:
    """What a file is that no loader recognises, and what the user can do."""
    if head.lstrip()[:1] == b"{":
        return "a json, but not of PIR", _NAME_IT
    return foreign(head) or ("neither a ProgramDesc nor a PIR json", _NAME_IT)
