"""The entries of a COCO file, checked one by one and kept as a few numbers each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.formats._boxes import BoxFilter
from graphprobe.data.formats._problems import Problems

PARTS = ("images", "annotations", "categories")
_MOST_ID = 1 << 62


@dataclass(slots=True)
class CocoContent:
    """What was read of a file so far: a few numbers an entry, and no outlines."""

    problems: Problems
    seen: set[str] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    files: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    # Annotations, a value a column: image, category, place in the file; x, y, width, height, area.
    keys: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    crowd: bytearray = field(default_factory=bytearray)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))

    def take(self, key: str, items: list[Any]) -> None:
        """Take some elements of one of the lists."""
        if key not in PARTS:
            return
        if items != [None]:
            self.seen.add(key)
        take = {"images": self._image, "annotations": self._annotation}.get(key, self._category)
        for item in items:
            take(self.counts[key], item)
            self.counts[key] += 1

    def missing(self) -> bool:
        """Whether one of the lists is not there."""
        return len(self.seen) < len(PARTS)

    def _category(self, place: int, item: Any) -> None:
        known = isinstance(item, dict) and _whole(item.get("id"))
        if not known or not isinstance(item.get("name"), str):
            self.problems.add(f"categories[{place}] lacks an id or a name")
        elif item["id"] in self.names:
            self.problems.add(f"categories[{place}]: id {item['id']} stands there twice")
        else:
            self.names[item["id"]] = item["name"]

    def _image(self, place: int, item: Any) -> None:
        wrong = _wrong_image(item, self.files)
        if wrong:
            self.problems.add(f"images[{place}] {wrong}")
        else:
            self.files[item["id"]] = (item["file_name"], item["width"], item["height"])

    def _annotation(self, place: int, item: Any) -> None:
        wrong = _wrong_annotation(item)
        if wrong:
            self.problems.add(f"annotations[{place}]{wrong}")
            return
        x, y, width, height = map(float, item["bbox"])
        area = item.get("area")
        known = _is_place(area) and area > 0
        self.keys.extend((item["image_id"], item["category_id"], place))
        self.values.extend((x, y, width, height, float(area) if known else width * height))
        self.crowd.append(bool(item.get("iscrowd")) or bool(item.get("ignore")))

    def find_files(self, folder: Path) -> None:
        """Look each file up by name; what is missing becomes a problem."""
        present = {entry.name for entry in folder.iterdir()}
        for key, (name, wide, high) in self.files.items():
            plain = Path(name).name
            if name not in present and _is_below(folder, name):
                continue
            # Some tools write the path of the machine that they ran on.
            if plain not in present:
                text = f"{plain} is missing from {folder}"
                self.problems.add(text, "add it or take it out of the json")
            self.files[key] = (plain, wide, high)

    def objects(
        self, order: Sequence[int], boxes: BoxFilter
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The objects that are kept, [n, 7] as `Coco` has them, and each one's image, [n]."""
        image_of = {key: place for place, key in enumerate(order)}
        class_of = {key: place for place, key in enumerate(sorted(self.names))}
        keys = np.frombuffer(self.keys, np.int64).reshape(-1, 3)
        values = np.frombuffer(self.values, np.float64).reshape(-1, 5)
        rows = np.empty((len(keys), 7))
        owners = np.empty(len(keys), np.int64)
        used = 0
        for (image, category, place), (x, y, width, height, area), crowd in zip(
            map(np.ndarray.tolist, keys), map(np.ndarray.tolist, values), self.crowd, strict=True
        ):
            what = f"annotations[{place}]"
            if image not in image_of:
                self.problems.add(f"{what}: there is no image with id {image}")
                continue
            if category not in class_of:
                self.problems.add(f"{what}: there is no category with id {category}")
                continue
            file, wide, high = self.files[image]
            right, bottom = x + width, y + height
            if right <= x or bottom <= y:
                boxes.note("a box without area was left out", Path(file).stem)
                continue
            box = boxes.take(Path(file).stem, what, (x, y, right, bottom), (wide, high))
            if box is not None:
                rows[used] = (*box, area, class_of[category], crowd)
                owners[used] = image_of[image]
                used += 1
        return rows[:used], owners[:used]


def _is_below(folder: Path, name: str) -> bool:
    """Whether a name with sub-folders is that of a file inside the folder."""
    path = PurePosixPath(name)
    if len(path.parts) < 2 or path.is_absolute() or ".." in path.parts or "\0" in name:
        return False
    return (folder / path).is_file()


def _wrong_image(item: Any, known: dict[int, tuple[str, int, int]]) -> str:
    """What is wrong with one entry, or an empty string."""
    if not isinstance(item, dict) or not isinstance(item.get("file_name"), str):
        return "lacks a file_name"
    if not _whole(item.get("id")) or item["id"] in known:
        return "lacks an id of its own"
    sides: list[Any] = [item.get("width"), item.get("height")]
    return "" if all(_whole(side) and side > 0 for side in sides) else "lacks width and height"


def _wrong_annotation(item: Any) -> str:
    """What is wrong with one entry, to be put behind its place, or an empty string."""
    if not isinstance(item, dict):
        return " is not an object"
    image, category, box = (item.get(key) for key in ("image_id", "category_id", "bbox"))
    if not _whole(image):
        return f": there is no image with id {str(image)[:20]}"
    if not _whole(category):
        return f": there is no category with id {str(category)[:20]}"
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_place, box)):
        return ": bbox is not four finite numbers"
    return ""


def _is_place(value: Any) -> bool:
    # No truth value, and no NaN, of which no comparison is true.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_ID
