"""A folder as COCO lays it out: annotations/instances_SPLIT.json and the images in SPLIT.

Objects that are marked ``iscrowd`` or ``ignore`` are never learned from, and an evaluation counts
neither them nor the detections that lie on them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.formats._boxes import BoxFilter
from graphprobe.data.formats._json_stream import stream_arrays
from graphprobe.data.formats._problems import Problems
from graphprobe.data.images import read_image
from graphprobe.data.sample import DatasetFormat, Sample, detection_sample
from graphprobe.errors import DataError, did_you_mean

_PARTS = ("images", "annotations", "categories")
_PREFIX = "instances_"
_MOST_ID = 1 << 62


class Coco:
    """Images and boxes of one json file.

    Args:
        folder: of the images.
        files: their names there.
        sizes: int64 [images, 2], width and height as annotated.
        starts: int64 [images + 1]: the objects of image i are rows starts[i] to starts[i + 1].
        objects: float64 [objects, 7]: x1, y1, x2, y2, area, class, crowd (0 or 1).
        class_names: by index.
        warnings: a line a kind of oddity.
    """

    task = "detection"

    def __init__(
        self,
        folder: Path,
        files: Sequence[str],
        sizes: NDArray[np.int64],
        starts: NDArray[np.int64],
        objects: NDArray[np.float64],
        class_names: tuple[str, ...],
        warnings: tuple[str, ...],
    ) -> None:
        self._folder, self._files, self._sizes = folder, files, sizes
        self._starts, self._objects = starts, objects
        self.class_names, self.warnings = class_names, warnings

    def __len__(self) -> int:
        return len(self._files)

    def sample(self, index: int) -> Sample:
        """Read the image at this index, with its boxes."""
        path = self._folder / self._files[index]
        image = read_image(path, exif=False)
        size = (image.shape[1], image.shape[0])
        wanted = tuple(self._sizes[index].tolist())
        if size != wanted and size == wanted[::-1]:
            # Annotated as viewers show it, turned by its EXIF orientation.
            image = read_image(path)
            size = (image.shape[1], image.shape[0])
        if size != wanted:
            raise DataError(
                f"is {size[0]} x {size[1]} pixels, its annotation says {wanted[0]} x {wanted[1]}",
                where=str(path),
            )
        rows = self._objects[self._starts[index] : self._starts[index + 1]]
        crowd = rows[:, 6] > 0
        return detection_sample(
            path.stem, image, rows[:, :4], rows[:, 5], crowd, areas=rows[:, 4], crowd=crowd
        )


def open_coco(path: str, *, split: str, images: str, clip: bool, empty: bool) -> Coco:
    """Read one json file; images are only looked up by name until they are wanted.

    Args:
        path: the folder, or the json file itself.
        split: ``val2017`` for annotations/instances_val2017.json.
        images: the folder of the images; by default SPLIT beside annotations.
        clip: cut boxes that leave their image instead of refusing them.
        empty: whether images without objects are kept.

    Raises:
        DataError: all that is wrong with the file, the first problems told.
    """
    source, folder = _find(Path(path), split, images)
    problems = Problems(str(source))
    content = _Content(problems)
    for key, items in stream_arrays(source, unread="segmentation"):
        content.take(key, items)
    if content.missing():
        raise DataError(
            f"is not a COCO annotation file: it must hold the lists {', '.join(_PARTS)}",
            where=str(source),
        )
    return content.finish(folder, clip=clip, empty=empty)


def _find(path: Path, split: str, images: str) -> tuple[Path, Path]:
    """The json file and the folder of its images."""
    if path.is_file():
        stem = path.stem.removeprefix(_PREFIX)
        root = path.parent.parent if path.parent.name == "annotations" else path.parent
        source, folder = path, root / stem
    else:
        source = path / "annotations" / f"{_PREFIX}{split}.json"
        folder = path / split
    if not source.is_file():
        known = split_names(str(source.parent.parent))
        hint = did_you_mean(split, known) or f"there are {', '.join(known) or 'none'}"
        raise DataError("does not exist", where=str(source), hint=hint)
    folder = Path(images) if images else folder
    if not folder.is_dir():
        raise DataError("there is no such folder of images", where=str(folder), hint="images=DIR")
    return source, folder


@dataclass(slots=True)
class _Content:
    """What was read of a file so far: a few numbers an entry, and no outlines."""

    problems: Problems
    seen: set[str] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    files: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    # Annotations, a value a column: image, category, place in the file; x, y, width, height, area.
    keys: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    crowd: bytearray = field(default_factory=bytearray)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))

    def take(self, key: str, items: list[Any]) -> None:
        """Take some elements of one of the lists."""
        if key not in _PARTS:
            return
        if items != [None]:
            self.seen.add(key)
        take = {"images": self._image, "annotations": self._annotation}.get(key, self._category)
        for item in items:
            take(self.counts[key], item)
            self.counts[key] += 1

    def missing(self) -> bool:
        """Whether one of the lists is not there."""
        return len(self.seen) < len(_PARTS)

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

    def finish(self, folder: Path, *, clip: bool, empty: bool) -> Coco:
        """The data set of all that was taken.

        Raises:
            DataError: something is wrong with it.
        """
        self._find_files(folder)
        boxes = BoxFilter(self.problems, clip)
        order = sorted(self.files)
        rows, owners = self._objects(order, boxes)
        self.problems.raise_if_any()
        if not order:
            raise DataError("has no images", where=self.problems.where)
        counts = np.bincount(owners, minlength=len(order))
        if not empty:
            # No object moves: those of an image without any are none.
            order = [key for key, count in zip(order, counts, strict=True) if count]
            counts = counts[counts > 0]
            if not order:
                raise DataError("no image has an object", where=self.problems.where)
        return Coco(
            folder,
            [self.files[key][0] for key in order],
            np.array([self.files[key][1:] for key in order], np.int64),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            rows[np.argsort(owners, kind="stable")],
            tuple(self.names[key] for key in sorted(self.names)),
            boxes.warnings(),
        )

    def _find_files(self, folder: Path) -> None:
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

    def _objects(
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


def split_names(path: str) -> tuple[str, ...]:
    """The splits whose json file a folder holds; none where the path is a json file itself."""
    files = (Path(path) / "annotations").glob(f"{_PREFIX}*.json")
    return tuple(sorted(file.stem.removeprefix(_PREFIX) for file in files))


DATASET = DatasetFormat(
    "coco",
    takes_path=True,
    open=open_coco,
    options={"split": "train2017", "images": "", "clip": False, "empty": True},
    splits=split_names,
)
