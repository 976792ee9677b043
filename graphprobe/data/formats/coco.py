"""A folder as COCO lays it out: annotations/instances_SPLIT.json and the pictures in SPLIT.

Crowds are marked as difficult: an evaluation leaves them out; training lists drop them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from graphprobe.data._boxes import Box, BoxFilter
from graphprobe.data._problems import Problems
from graphprobe.data.images import read_picture
from graphprobe.data.sample import Format, Sample, detection_sample
from graphprobe.errors import DataError, did_you_mean

_PARTS = ("images", "annotations", "categories")
_PREFIX = "instances_"


@dataclass(slots=True)
class _Record:
    """One picture with its boxes in pixels (far edges)."""

    name: str
    picture: Path
    size: tuple[int, int]
    boxes: list[Box] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    crowd: list[bool] = field(default_factory=list)


class Coco:
    """Pictures and boxes of one json file."""

    task = "detection"

    def __init__(
        self, records: list[_Record], class_names: tuple[str, ...], warnings: tuple[str, ...]
    ) -> None:
        self._records = records
        self.class_names = class_names
        self.warnings = warnings

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """Read the picture at this index, with its boxes."""
        record = self._records[index]
        image = read_picture(record.picture)
        if (image.shape[1], image.shape[0]) != record.size:
            raise DataError(
                f"is {image.shape[1]} x {image.shape[0]} pixels, its annotation says "
                f"{record.size[0]} x {record.size[1]}",
                where=str(record.picture),
            )
        return detection_sample(record.name, image, record.boxes, record.classes, record.crowd)


def open_coco(path: str, *, split: str, images: str, clip: bool) -> Coco:
    """Read one json file; pictures are only looked up by name until they are wanted.

    Args:
        path: the folder, or the json file itself.
        split: ``val2017`` for annotations/instances_val2017.json.
        images: the folder of the pictures; by default SPLIT beside annotations.
        clip: cut boxes that leave their picture instead of refusing them.

    Raises:
        DataError: all that is wrong with the file, the first problems told.
    """
    source, folder = _find(Path(path), split, images)
    content = _read_json(source)
    problems = Problems(str(source))
    names, numbers = _categories(content["categories"], problems)
    records = _images(content["images"], folder, problems)
    boxes = BoxFilter(problems, clip)
    keep_crowds = not split.startswith("train")
    for place, item in enumerate(content["annotations"]):
        what = f"annotations[{place}]"
        wrong = _wrong_annotation(item, records, numbers)
        if wrong:
            problems.add(f"{what}{wrong}")
        elif keep_crowds or not item.get("iscrowd"):
            _add(what, item, records[item["image_id"]], numbers, boxes)
    problems.raise_if_any()
    if not records:
        raise DataError("has no images", where=str(source))
    return Coco([record for _, record in sorted(records.items())], names, boxes.warnings())


def _find(path: Path, split: str, images: str) -> tuple[Path, Path]:
    """The json file and the folder of its pictures."""
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
        raise DataError("there is no such folder of pictures", where=str(folder), hint="images=DIR")
    return source, folder


def _read_json(source: Path) -> dict[str, list[Any]]:
    """The three lists of a file; of images and annotations only what is asked for here.

    The outlines are nine tenths of a file: of train2017 they would be 48 million numbers.
    """
    try:
        found: dict[str, list[Any]] = _parser().validate_json(source.read_bytes())
    except (OSError, MemoryError) as error:
        raise DataError(f"cannot be read ({error})", where=str(source)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise DataError(f"{first['msg']}", where=str(source)) from error
        raise DataError(
            f"is not a COCO annotation file: it must hold the lists {', '.join(_PARTS)}",
            where=str(source),
        ) from error
    return found


class _Image(TypedDict, total=False):
    id: Any
    file_name: Any
    width: Any
    height: Any


class _Annotation(TypedDict, total=False):
    image_id: Any
    category_id: Any
    bbox: Any
    iscrowd: Any


class _File(TypedDict):
    # What is no object is told with its place later.
    images: list[Annotated[_Image | Any, Field(union_mode="left_to_right")]]
    annotations: list[Annotated[_Annotation | Any, Field(union_mode="left_to_right")]]
    categories: list[Any]


@cache
def _parser() -> TypeAdapter[Any]:
    return TypeAdapter(_File)


def _categories(items: list[Any], problems: Problems) -> tuple[tuple[str, ...], dict[int, int]]:
    """Names in the order of their ids, and the index of each id."""
    found: dict[int, str] = {}
    for place, item in enumerate(items):
        known = isinstance(item, dict)
        if known and _whole(item.get("id")) and isinstance(item.get("name"), str):
            if item["id"] in found:
                problems.add(f"categories[{place}]: id {item['id']} stands there twice")
            found[item["id"]] = item["name"]
        else:
            problems.add(f"categories[{place}] lacks an id or a name")
    order = sorted(found)
    return tuple(found[key] for key in order), {key: place for place, key in enumerate(order)}


def _images(items: list[Any], folder: Path, problems: Problems) -> dict[int, _Record]:
    present = {entry.name for entry in folder.iterdir()}
    records: dict[int, _Record] = {}
    for place, item in enumerate(items):
        wrong = _wrong_image(item, records)
        if wrong:
            problems.add(f"images[{place}] {wrong}")
            continue
        picture = folder / Path(item["file_name"]).name
        if picture.name not in present:
            text = f"{picture.name} is missing from {folder}"
            problems.add(text, "add it or take it out of the json")
        records[item["id"]] = _Record(picture.stem, picture, (item["width"], item["height"]))
    return records


def _wrong_image(item: Any, records: dict[int, _Record]) -> str:
    """What is wrong with one entry, or an empty string."""
    if not isinstance(item, dict) or not isinstance(item.get("file_name"), str):
        return "lacks a file_name"
    if not _whole(item.get("id")) or item["id"] in records:
        return "lacks an id of its own"
    sides: list[Any] = [item.get("width"), item.get("height")]
    return "" if all(_whole(side) and side > 0 for side in sides) else "lacks width and height"


def _wrong_annotation(item: Any, records: dict[int, _Record], numbers: dict[int, int]) -> str:
    """What is wrong with one entry, to be put behind its place, or an empty string."""
    if not isinstance(item, dict):
        return " is not an object"
    image, category, box = (item.get(key) for key in ("image_id", "category_id", "bbox"))
    if not _whole(image) or image not in records:
        return f": there is no image with id {str(image)[:20]}"
    if not _whole(category) or category not in numbers:
        return f": there is no category with id {str(category)[:20]}"
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_place, box)):
        return ": bbox is not four finite numbers"
    return ""


def _is_place(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e9  # so no NaN either


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _add(
    what: str, item: dict[str, Any], record: _Record, numbers: dict[int, int], boxes: BoxFilter
) -> None:
    x, y, width, height = map(float, item["bbox"])
    right, bottom = x + width, y + height
    if right <= x or bottom <= y:
        boxes.note("a box without area was left out", record.name)
        return
    box = boxes.take(record.name, what, (x, y, right, bottom), record.size)
    if box is not None:
        record.boxes.append(box)
        record.classes.append(numbers[item["category_id"]])
        record.crowd.append(bool(item.get("iscrowd")))


def split_names(path: str) -> tuple[str, ...]:
    """The splits whose json file a folder holds; none where the path is a json file itself."""
    files = (Path(path) / "annotations").glob(f"{_PREFIX}*.json")
    return tuple(sorted(file.stem.removeprefix(_PREFIX) for file in files))


DATASET = Format(
    "coco",
    takes_path=True,
    open=open_coco,
    options={"split": "train2017", "images": "", "clip": False},
    splits=split_names,
)
