"""A folder as Cityscapes lays it out: leftImg8bit/SPLIT/CITY and gtFine/SPLIT/CITY.

Masks may hold train ids (*_labelTrainIds.png) or label ids (*_labelIds.png); of the latter the
19 classes that the benchmark counts are taken and the rest is ignored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graphprobe.data.formats._folders import hint_split
from graphprobe.data.formats._problems import Problems
from graphprobe.data.images import image_size, read_image, read_mask
from graphprobe.data.sample import IGNORE, DatasetFormat, Image, Sample, segmentation_sample
from graphprobe.errors import DataError

# The benchmark's classes with their label ids, in the order of their train ids.
CLASSES = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17,
    "traffic light": 19, "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23,
    "person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28, "train": 31,
    "motorcycle": 32, "bicycle": 33,
}  # fmt: skip
_IMAGE_SUFFIX = "_leftImg8bit.png"
_TRAIN_IDS = "_gtFine_labelTrainIds.png"
_LABEL_IDS = "_gtFine_labelIds.png"


def _table() -> Image:
    table = np.full(256, IGNORE, np.uint8)
    for train_id, label_id in enumerate(CLASSES.values()):
        table[label_id] = train_id
    return table


class Cityscapes:
    """Images and masks of one split."""

    task = "segmentation"
    class_names = tuple(CLASSES)
    warnings: tuple[str, ...] = ()

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def sample(self, index: int) -> Sample:
        """Read the image and the mask at this index."""
        image_path, source = self._pairs[index]
        image, mask = read_image(image_path), read_mask(source)
        if source.name.endswith(_LABEL_IDS):
            mask = _table()[mask]
        wrong = (mask >= len(CLASSES)) & (mask != IGNORE)
        if wrong.any():
            raise DataError(f"holds the class {mask[wrong][0]}", where=str(source))
        if mask.shape != image.shape[:2]:
            raise DataError("is not of its image's size", where=str(source))
        return segmentation_sample(image_path.name.removesuffix(_IMAGE_SUFFIX), image, mask)


def open_cityscapes(path: str, *, split: str) -> Cityscapes:
    """Find the images of a split and their masks, sorted by city and name.

    Raises:
        DataError: there is no such split, or masks are missing or of another size.
    """
    images = Path(path) / "leftImg8bit" / split
    if not images.is_dir():
        hint = hint_split(split, split_names(path))
        raise DataError("does not exist", where=str(images), hint=hint)
    problems = Problems(path)
    found = sorted(images.glob(f"*/*{_IMAGE_SUFFIX}"))
    pairs = [
        (image_path, _mask_of(Path(path), split, image_path, problems)) for image_path in found
    ]
    problems.raise_if_any()
    if not pairs:
        raise DataError(f"holds no images called *{_IMAGE_SUFFIX}", where=str(images))
    return Cityscapes(pairs)


def _mask_of(root: Path, split: str, image_path: Path, problems: Problems) -> Path:
    stem = image_path.name.removesuffix(_IMAGE_SUFFIX)
    folder = root / "gtFine" / split / image_path.parent.name
    choices = [folder / (stem + suffix) for suffix in (_TRAIN_IDS, _LABEL_IDS)]
    mask = next((path for path in choices if path.is_file()), choices[1])
    try:
        if image_size(mask) != image_size(image_path):
            problems.add(f"{mask.name} is not of its image's size")
    except DataError as error:
        problems.add(f"{Path(error.where).name} {error.message}")
    return mask


def split_names(path: str) -> tuple[str, ...]:
    """The splits that have a folder of images."""
    return tuple(sorted(p.name for p in (Path(path) / "leftImg8bit").glob("*") if p.is_dir()))


DATASET = DatasetFormat(
    "cityscapes",
    takes_path=True,
    open=open_cityscapes,
    options={"split": "train"},
    splits=split_names,
)
