"""Detection in YOLO's text files: for each image a .txt with a line an object.

A line is ``class x y width height`` (centre and sides over those of the image), or
``class x1 y1 x2 y2 x3 y3 ...``, an outline, of which the box is taken. ``images/`` in a path
becomes ``labels/``; a missing or empty file is an image without objects. Layouts: ``data.yaml``
with its splits, ``images/SPLIT`` with ``labels/SPLIT``, ``SPLIT/images`` with ``SPLIT/labels``, or
one folder ``images`` with ``labels``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.formats._boxes import BoxFilter
from graphprobe.data.formats._folders import (
    HASHED,
    OPTIONS,
    find_label_list,
    find_splits,
    hash_split,
    list_images,
    no_such_split,
    read_class_names,
    read_lines,
    refuse_no_folder,
)
from graphprobe.data.formats._problems import Problems
from graphprobe.data.images import image_size, read_image
from graphprobe.data.sample import DatasetFormat, Sample, detection_sample
from graphprobe.errors import DataError, GraphprobeError
from graphprobe.yaml_io import read_yaml

_YAMLS = ("data.yaml", "data.yml", "dataset.yaml")
_MOST_CLASSES = 100_000


@dataclass(frozen=True, slots=True)
class _Image:
    """One image: boxes float32 [n, 4] in pixels with far edges, classes int64 [n]."""

    path: Path
    name: str
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


class Yolo:
    """Images and boxes.

    Args:
        images: of the split.
        class_names: by number.
        warnings: a line a kind of oddity.
    """

    task = "detection"

    def __init__(
        self, images: list[_Image], class_names: tuple[str, ...], warnings: tuple[str, ...]
    ) -> None:
        self._images, self.class_names, self.warnings = images, class_names, warnings

    def __len__(self) -> int:
        return len(self._images)

    def sample(self, index: int) -> Sample:
        """Read the image at this index, with its boxes."""
        image = self._images[index]
        return detection_sample(image.name, read_image(image.path), image.boxes, image.classes)


def open_yolo(path: str, *, split: str, held_out: float, labels: str, clip: bool) -> Yolo:
    """Read the text files of a split and the head of each image.

    Args:
        path: the folder, or its data.yaml.
        split: one of the layout; or ``train``, ``val`` or ``all`` where it has none.
        held_out: share of ``val`` there.
        labels: a file with a class name a line; by default the names in data.yaml, classes.txt,
            or the numbers that occur.
        clip: cut boxes that leave their image instead of refusing them.

    Raises:
        DataError: all that is wrong with the folder, the first problems named.
    """
    root, settings = _open_root(Path(path))
    folders = _split_folders(root, settings)
    if folders:
        if split not in folders:
            raise no_such_split(split, tuple(folders), path)
        images = [file for place in folders[split] for file in _images_of(place, root)]
    else:
        base = root / "images" if (root / "images").is_dir() else root
        found = [(base / name, name) for name in list_images(base)]
        images = hash_split(found, lambda item: item[1], split, held_out, path)
    problems = Problems(path)
    boxes = BoxFilter(problems, clip)
    names = _class_names(root, settings, labels)
    read = [_read(*file, names, problems, boxes) for file in images]
    problems.raise_if_any()
    if not read:
        raise DataError(f"the split {split} has no images", where=path)
    if not names:
        largest = max((int(image.classes.max(initial=0)) for image in read), default=0)
        names = tuple(map(str, range(largest + 1)))
        boxes.note("there are no names of classes (data.yaml, classes.txt)", read[0].name)
    return Yolo(read, names, boxes.warnings())


def _open_root(path: Path) -> tuple[Path, Mapping[str, Any]]:
    """The folder, and the content of its data.yaml."""
    if path.is_file():
        return path.parent, _read_yaml(path)
    refuse_no_folder(path)
    found = next((path / name for name in _YAMLS if (path / name).is_file()), None)
    return path, {} if found is None else _read_yaml(found)


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        found = read_yaml(path)
    except GraphprobeError as error:
        text = f"cannot be read as YAML ({error.message[:200]})"
        raise DataError(text, where=str(path), hint=error.hint) from error
    if not isinstance(found, dict):
        raise DataError("holds no keys", where=str(path))
    return found


def _split_folders(root: Path, settings: Mapping[str, Any]) -> dict[str, list[Path]]:
    """Folders (or lists) of images by split; empty where the layout has none."""
    found: dict[str, list[Path]] = {}
    base = settings.get("path")
    start = root / base if isinstance(base, str) and (root / base).is_dir() else root
    for name in find_splits(settings):
        given = settings[name]
        texts = [text for text in (given if isinstance(given, list) else [given]) if text]
        places = [_locate(str(text), start, root) for text in texts]
        if places:
            found[name] = places
    if found:
        return found
    for pattern in ("images/{}", "{}/images"):
        names = find_splits(
            path.name
            for path in (root / "images" if pattern[0] == "i" else root).glob("*")
            if (root / pattern.format(path.name)).is_dir()
        )
        if names:
            return {name: [root / pattern.format(name)] for name in names}
    return {}


def _locate(text: str, start: Path, root: Path) -> Path:
    """A path of data.yaml; exporters write ``../train/images`` for one beside the file."""
    choices = (start / text, root / text, root / text.removeprefix("../"))
    return next((path for path in choices if path.exists()), choices[0])


def _images_of(place: Path, root: Path) -> list[tuple[Path, str]]:
    if place.is_file():
        names = read_lines(place)
        return [(place.parent / name, name) for name in names]
    found = [(place / name, name) for name in list_images(place)]
    try:
        shown = place.relative_to(root).as_posix() + "/"
    except ValueError:
        shown = ""
    return [(path, shown + name) for path, name in found]


def _class_names(root: Path, settings: Mapping[str, Any], labels: str) -> tuple[str, ...]:
    names = settings.get("names")
    if not labels and isinstance(names, list):
        return tuple(map(str, names))
    if not labels and isinstance(names, dict):
        numbers = [key for key in names if type(key) is int and 0 <= key < _MOST_CLASSES]
        if len(numbers) == len(names):
            return tuple(str(names.get(n, n)) for n in range(max(numbers, default=-1) + 1))
        raise DataError("names must be a list, or numbers with their names", where=str(root))
    given = find_label_list(root, labels)
    return () if given is None else read_class_names(given)


def _label_file(image: Path) -> Path:
    """The text file of an image: its last folder ``images`` becomes ``labels``."""
    parts = list(image.with_suffix(".txt").parts)
    places = [place for place, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts)


def _read(
    path: Path, name: str, names: tuple[str, ...], problems: Problems, boxes: BoxFilter
) -> _Image:
    found: list[tuple[float, float, float, float]] = []
    classes: list[int] = []
    try:
        height, width = image_size(path)
        source = _label_file(path)
        lines = read_lines(source) if source.exists() else []
    except DataError as error:
        problems.add(f"{name}: {Path(error.where).name} {error.message}")
        lines = []
    for number, line in enumerate(lines, 1):
        what = f"line {number}"
        try:
            label, box = _parse(line, names)
        except ValueError as error:
            problems.add(f"{name}: {what} {error}")
            continue
        pixels = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
        if pixels[2] <= pixels[0] or pixels[3] <= pixels[1]:
            boxes.note("a box without area was left out", name)
            continue
        kept = boxes.take(name, what, pixels, (width, height))
        if kept is not None:
            found.append(kept)
            classes.append(label)
    array = np.asarray(found, np.float32).reshape(-1, 4)
    return _Image(path, name, array, np.asarray(classes, np.int64))


def _parse(line: str, names: tuple[str, ...]) -> tuple[int, tuple[float, float, float, float]]:
    """Class, and x1, y1, x2, y2 over the image's sides."""
    try:
        label, *values = map(float, line.split())
    except ValueError:
        raise ValueError(f"{line[:40]!r} is not numbers") from None
    if label != int(label if math.isfinite(label) else -1) or label < 0 or label >= _MOST_CLASSES:
        raise ValueError(f"has the class {label:g}, which is no whole number from 0")
    if names and label >= len(names):
        raise ValueError(f"has the class {label:g}, of {len(names)} classes")
    if len(values) < 4 or len(values) % 2 or not all(map(math.isfinite, values)):
        raise ValueError(f"has {len(values)} finite numbers behind its class, not 4 or an outline")
    if len(values) == 4:
        x, y, width, height = values
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    else:
        box = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    if min(box) < -1 or max(box) > 2:
        raise ValueError("is not in shares of the image's sides (0 to 1)")
    return int(label), box


def split_names(path: str) -> tuple[str, ...]:
    """The splits of the layout, or ``train``, ``val`` and ``all`` where it has none."""
    root, settings = _open_root(Path(path))
    return tuple(_split_folders(root, settings)) or HASHED


DATASET = DatasetFormat(
    "yolo",
    takes_path=True,
    open=open_yolo,
    options={**OPTIONS, "labels": "", "clip": False},
    splits=split_names,
)
