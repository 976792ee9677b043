"""A folder as COCO lays it out: annotations/instances_SPLIT.json and the images in SPLIT.

Objects that are marked ``iscrowd`` or ``ignore`` are never learned from, and an evaluation counts
neither them nor the detections that lie on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.formats._boxes import BoxFilter
from graphprobe.data.formats._coco_content import PARTS, CocoContent
from graphprobe.data.formats._folders import hint_split
from graphprobe.data.formats._json_stream import stream_arrays
from graphprobe.data.formats._problems import Problems
from graphprobe.data.images import read_image
from graphprobe.data.sample import DatasetFormat, Sample, detection_sample
from graphprobe.errors import DataError

_PREFIX = "instances_"


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
        image = read_image(path)
        size = (image.shape[1], image.shape[0])
        wanted = tuple(self._sizes[index].tolist())
        if size != wanted and size == wanted[::-1]:
            # Annotated on the stored pixels, and not as viewers show it.
            image = read_image(path, exif=False)
            size = (image.shape[1], image.shape[0])
        if size != wanted:
            raise DataError(
                f"is {size[0]} x {size[1]} pixels, its annotation has {wanted[0]} x {wanted[1]}",
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
        DataError: all that is wrong with the file, the first problems named.
    """
    source, folder = _find(Path(path), split, images)
    problems = Problems(str(source))
    content = CocoContent(problems)
    for key, items in stream_arrays(source, unread="segmentation"):
        content.take(key, items)
    if content.missing():
        raise DataError(
            f"is not a COCO annotation file: it must hold the lists {', '.join(PARTS)}",
            where=str(source),
        )
    return _finish(content, folder, clip=clip, empty=empty)


def _finish(content: CocoContent, folder: Path, *, clip: bool, empty: bool) -> Coco:
    """The data set of all that was taken.

    Raises:
        DataError: something is wrong with it.
    """
    content.find_files(folder)
    boxes = BoxFilter(content.problems, clip)
    order = sorted(content.files)
    rows, owners = content.objects(order, boxes)
    content.problems.raise_if_any()
    if not order:
        raise DataError("has no images", where=content.problems.where)
    counts = np.bincount(owners, minlength=len(order))
    if not empty:
        # No object moves: those of an image without any are none.
        order = [key for key, count in zip(order, counts, strict=True) if count]
        counts = counts[counts > 0]
        if not order:
            raise DataError("no image has an object", where=content.problems.where)
    return Coco(
        folder,
        [content.files[key][0] for key in order],
        np.array([content.files[key][1:] for key in order], np.int64),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rows[np.argsort(owners, kind="stable")],
        tuple(content.names[key] for key in sorted(content.names)),
        boxes.warnings(),
    )


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
        hint = hint_split(split, split_names(str(source.parent.parent)))
        raise DataError("does not exist", where=str(source), hint=hint)
    folder = Path(images) if images else folder
    if not folder.is_dir():
        raise DataError("there is no such folder of images", where=str(folder), hint="images=DIR")
    return source, folder


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
