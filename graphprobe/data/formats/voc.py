"""A folder as PASCAL VOC lays it out: Annotations, JPEGImages, ImageSets/Main.

The folder may also be one that holds a VOC folder, or several (VOCdevkit with VOC2007 and
VOC2012, whose images are then taken together). Corners in the files are 1-based and
inclusive; samples have far edges, so (1, 1, 1, 1) becomes the one pixel (0, 0, 1, 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from graphprobe.data.formats._boxes import BoxFilter
from graphprobe.data.formats._folders import hint_split, read_class_names, read_lines
from graphprobe.data.formats._problems import Problems
from graphprobe.data.formats._voc_xml import Annotation, VocObject, parse_annotation
from graphprobe.data.images import image_size, is_turned, read_image
from graphprobe.data.sample import DatasetFormat, Sample, detection_sample
from graphprobe.errors import DataError, did_you_mean

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".JPG", ".JPEG", ".PNG")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a list: what it is called, its annotation and its image."""

    name: str
    annotation: Path
    image_path: Path


@dataclass(slots=True)
class _Record:
    """One entry that was read: its boxes in pixels with far edges."""

    name: str
    image_path: Path
    exif: bool = True
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)


class Voc:
    """Images and boxes of one list of a VOC folder."""

    task = "detection"

    def __init__(
        self, records: list[_Record], class_names: tuple[str, ...], warnings: tuple[str, ...]
    ) -> None:
        self._records = records
        self.class_names = class_names
        self.warnings = warnings
        self._number = {name: number for number, name in enumerate(class_names)}

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """Read the image at this index, with its boxes."""
        record = self._records[index]
        classes = np.array([self._number[label] for label in record.labels], np.int64)
        image = read_image(record.image_path, exif=record.exif)
        return detection_sample(record.name, image, record.boxes, classes, record.difficult)


def open_voc(path: str, *, split: str, labels: str, clip: bool) -> Voc:
    """Read every annotation of a list and the head of every image.

    Args:
        path: the folder.
        split: a list in ImageSets/Main (``train``, ``trainval``, ``test``, ...), or the path of
            a list whose lines are names, or image and annotation paths below the folder.
        labels: a file with a class name a line; without it ``label_list.txt`` in the folder is
            taken, or else the names found in all its annotations, sorted.
        clip: cut boxes that leave their image instead of refusing them.

    Raises:
        DataError: all that is wrong with the folder, the first problems named.
    """
    root = Path(path)
    folders = _find_folders(root)
    problems = Problems(path)
    entries = _read_lists(root, folders, split)
    boxes = BoxFilter(problems, clip)
    reader = _Reader(problems, boxes)
    records = [record for entry in entries if (record := reader.read(entry))]
    names = _class_names(root, folders, labels, records)
    known = set(names)
    for record in records:
        for label in record.labels:
            if label not in known:
                hint = did_you_mean(label, names)
                problems.add(f"{record.name}: class {label!r} is not in the label list", hint)
    problems.raise_if_any()
    if not records:
        raise DataError(f"the list {split} is empty", where=path, hint="choose another split")
    if not names:
        raise DataError("no annotation has an object", where=path)
    return Voc(records, names, boxes.warnings())


def _find_folders(root: Path) -> list[Path]:
    """The VOC folders at `root`: itself, or those inside, or inside its VOCdevkit."""
    if not root.is_dir():
        text = "is not a folder" if root.exists() else "does not exist"
        raise DataError(text, where=str(root), hint="name a folder in VOC format")
    if (root / "Annotations").is_dir():
        return [root]
    found = [path for path in _inside(root) if (path / "Annotations").is_dir()]
    for below in _inside(root) if not found else ():
        found += [path for path in _inside(below) if (path / "Annotations").is_dir()]
    if not found:
        raise DataError(
            "is not a VOC folder", where=str(root), hint="it must hold Annotations and JPEGImages"
        )
    return found


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _read_lists(root: Path, folders: list[Path], split: str) -> list[_Entry]:
    """The entries of a list: of every folder that has it, or of the list file that it names."""
    own = [(_main(folder) / f"{split}.txt", folder, folder) for folder in folders]
    named = [(path, folders[0], root) for path in (root / split, Path(split)) if path.is_file()]
    found = [item for item in own if item[0].is_file()] or named[:1]
    if found:
        return [
            _entry(line.split(), path, folder, base)
            for path, folder, base in found
            for line in read_lines(path)
        ]
    hint = hint_split(split, split_names(str(root)))
    raise DataError(f"there is no list called {split!r}", where=str(_main(folders[0])), hint=hint)


def _main(folder: Path) -> Path:
    return folder / "ImageSets" / "Main"


def split_names(path: str) -> tuple[str, ...]:
    """The lists that a folder holds: files at its top first, then those of ImageSets/Main.

    Lists of one class (``dog_train``) are left out.

    Raises:
        DataError: it is not a VOC folder.
    """
    root = Path(path)
    lists = (file for folder in _find_folders(root) for file in _main(folder).glob("*.txt"))
    top = sorted(file.name for file in root.glob("*.txt") if file.name != "label_list.txt")
    return (*top, *sorted({file.stem for file in lists if "_" not in file.stem}))


def _entry(words: list[str], source: Path, folder: Path, base: Path) -> _Entry:
    """An entry from ``name``, ``name 1`` (class lists) or ``image.jpg annotation.xml``.

    Args:
        words: of the line.
        source: the list.
        folder: the VOC folder of names.
        base: what paths count from.
    """
    if len(words) == 2 and words[1].endswith(".xml"):
        image_path, annotation = base / words[0], base / words[1]
        return _Entry(Path(words[1]).stem, annotation, image_path)
    name = words[0]
    if len(words) > 1 and words[1] not in ("-1", "0", "1"):
        raise DataError(f"line {' '.join(words)!r} is not understood", where=str(source))
    return _Entry(
        name, folder / "Annotations" / f"{name}.xml", folder / "JPEGImages" / f"{name}.jpg"
    )


def _class_names(
    root: Path, folders: list[Path], labels: str, records: list[_Record]
) -> tuple[str, ...]:
    given = Path(labels) if labels else None
    for path in [given] if given else [folder / "label_list.txt" for folder in (root, *folders)]:
        if path.is_file():
            return read_class_names(path)
    if given:
        raise DataError("the label list does not exist", where=labels)
    return _names_in_folders(folders, records)


def _names_in_folders(folders: list[Path], records: list[_Record]) -> tuple[str, ...]:
    """Sorted names of all annotations, so that every list of a folder numbers them alike."""
    names = {label for record in records for label in record.labels}
    for folder in folders:
        for path in (folder / "Annotations").glob("*.xml"):
            try:
                names.update(item.name for item in parse_annotation(path.read_bytes()).objects)
            except (DataError, OSError):
                continue  # reported when its own list is opened
    return tuple(sorted(names))


class _Reader:
    """Reads entries; what is wrong with them goes to the problems."""

    def __init__(self, problems: Problems, boxes: BoxFilter) -> None:
        self._problems = problems
        self._boxes = boxes

    def read(self, entry: _Entry) -> _Record | None:
        """The record, or None where a problem was noted."""
        annotation = self._annotation(entry)
        if annotation is None:
            return None
        image_path = _find_image(entry, annotation)
        try:
            height, width = image_size(image_path)
            # Annotated on the stored pixels, which the size in the file shows.
            turned = annotation.size == (width, height) and is_turned(image_path)
            height, width = (width, height) if turned else (height, width)
        except DataError as error:
            hint = "add the image or take its name out of the list"
            self._problems.add(f"{entry.name}: {image_path.name} {error.message}", hint)
            return None
        if annotation.size not in (None, (height, width)):
            self._boxes.note("the size in the annotation is not the image's", entry.name)
        record = _Record(entry.name, image_path, exif=not turned)
        for number, item in enumerate(annotation.objects, 1):
            self._add(record, number, item, (width, height))
        return record

    def _annotation(self, entry: _Entry) -> Annotation | None:
        try:
            return parse_annotation(entry.annotation.read_bytes())
        except OSError:
            self._problems.add(f"{entry.name}: {entry.annotation.name} is missing")
        except DataError as error:
            self._problems.add(f"{entry.annotation.name}: {error.message}")
        return None

    def _add(self, record: _Record, number: int, item: VocObject, size: tuple[int, int]) -> None:
        what = f"box {number} ({item.name})"
        left, top, right, bottom = item.corners
        if right < left or bottom < top:
            self._problems.add(f"{record.name}: {what} has its corners the wrong way round")
            return
        if right == left or bottom == top:
            self._boxes.note("a box without area was left out", record.name)
            return
        box = self._boxes.take(record.name, what, (left - 1, top - 1, right, bottom), size)
        if box is not None:
            record.boxes.append(box)
            record.labels.append(item.name)
            record.difficult.append(item.difficult)


def _find_image(entry: _Entry, annotation: Annotation) -> Path:
    """The image beside the annotation: the usual name, another suffix, or the one it names."""
    if entry.image_path.is_file():
        return entry.image_path
    candidates = [entry.image_path.with_name(entry.name + suffix) for suffix in _SUFFIXES]
    if annotation.filename:
        candidates.append(entry.image_path.with_name(Path(annotation.filename).name))
    return next((path for path in candidates if path.is_file()), entry.image_path)


DATASET = DatasetFormat(
    "voc",
    takes_path=True,
    open=open_voc,
    options={"split": "train", "labels": "", "clip": False},
    splits=split_names,
)
