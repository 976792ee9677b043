"""Read one VOC annotation file; annotations are untrusted input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.parsers import expat

from graphprobe.errors import DataError

_MAX_BYTES = 8 << 20
_MAX_DEPTH = 16
_SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class VocObject:
    """One object as the file has it: 1-based inclusive corners in pixels."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """One file: `filename` may be empty, `size` is (height, width) or None where not given."""

    filename: str
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]


class _Texts:
    """Collect the texts of an annotation by their path, one dictionary an object."""

    def __init__(self) -> None:
        self.head: dict[str, str] = {}
        self.objects: list[dict[str, str]] = []
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._path.append(tag)
        self._text.clear()
        if len(self._path) > _MAX_DEPTH:
            raise DataError("its elements nest too deep")
        if self._path[1:] == ["object"]:
            self.objects.append({})

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, _tag: str) -> None:
        inner = self._path[1:]
        text = "".join(self._text).strip()
        if text and inner:
            if inner[0] == "object":
                self.objects[-1].setdefault("/".join(inner[1:]), text)
            else:
                self.head.setdefault("/".join(inner), text)
        self._text.clear()
        self._path.pop()


def _refuse(*_: object) -> None:
    raise DataError("holds a document type or entities, which annotations do not need")


def parse_annotation(content: bytes) -> Annotation:
    """Parse the content of one annotation file.

    Raises:
        DataError: it is not XML, not an annotation, declares a document type, or an object
            lacks a name or finite corners; without `where`, which the caller knows.
    """
    if len(content) > _MAX_BYTES:
        raise DataError("is larger than 8 MiB")
    texts = _Texts()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = texts.start
    parser.EndElementHandler = texts.end
    parser.CharacterDataHandler = texts.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"is not XML ({error})") from error
    objects = tuple(_read_object(n, texts_) for n, texts_ in enumerate(texts.objects, 1))
    return Annotation(texts.head.get("filename", ""), _read_size(texts.head), objects)


def _read_size(head: dict[str, str]) -> tuple[int, int] | None:
    try:
        size = int(float(head["size/height"])), int(float(head["size/width"]))
    except (KeyError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 else None


def _read_object(number: int, texts: dict[str, str]) -> VocObject:
    if "name" not in texts:
        raise DataError(f"object {number} has no name")
    corners = tuple(_read_number(number, texts, side) for side in _SIDES)
    return VocObject(
        texts["name"],
        (corners[0], corners[1], corners[2], corners[3]),
        texts.get("difficult", "0").lower() in ("1", "true"),
    )


def _read_number(number: int, texts: dict[str, str], side: str) -> float:
    text = texts.get(f"bndbox/{side}", "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        what = f"is {text[:20]!r}" if text else "is missing"
        raise DataError(f"object {number}: {side} {what}")
    return value
