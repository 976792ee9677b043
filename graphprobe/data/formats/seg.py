"""Segmentation: images and label images in two folders, as PaddleSeg's custom data.

``train.txt`` and ``val.txt`` beside the folders hold lines ``images/a.jpg labels/a.png``. Without
such lists images and labels are paired by their names, and some are held out by a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from graphprobe.data.formats._folders import (
    HASHED,
    LABEL_LISTS,
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
from graphprobe.data.images import image_size, read_image, read_mask
from graphprobe.data.sample import IGNORE, DatasetFormat, Sample, segmentation_sample
from graphprobe.errors import DataError

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "JPEGImages")
LABEL_FOLDERS = ("labels", "label", "annotations", "Annotations", "masks", "mask")
_LABEL_FOLDERS = (*LABEL_FOLDERS, "SegmentationClass")

Pair = tuple[str, str]


class Segmentation:
    """Images and label images.

    Args:
        root: what the names start from.
        pairs: names of an image and its labels.
        class_names: by number.
        warnings: a line a kind of oddity.
    """

    task = "segmentation"

    def __init__(
        self,
        root: Path,
        pairs: Sequence[Pair],
        class_names: tuple[str, ...],
        warnings: tuple[str, ...] = (),
    ) -> None:
        self._root, self._pairs = root, pairs
        self.class_names, self.warnings = class_names, warnings

    def __len__(self) -> int:
        return len(self._pairs)

    def sample(self, index: int) -> Sample:
        """Read the image and the labels at this index."""
        name, labels = (self._root / part for part in self._pairs[index])
        image, mask = read_image(name), read_mask(labels)
        if mask.shape != image.shape[:2]:
            image = read_image(name, exif=False)  # labelled on the stored pixels
        if mask.shape != image.shape[:2]:
            raise DataError("is not of its image's size", where=str(labels))
        wrong = (mask >= len(self.class_names)) & (mask != IGNORE)
        if wrong.any():
            raise DataError(
                f"holds the class {mask[wrong][0]}, of {len(self.class_names)} classes",
                where=str(labels),
                hint="classes count from 0, and 255 is ignored",
            )
        return segmentation_sample(self._pairs[index][0], image, mask)


def open_seg(path: str, *, split: str, held_out: float, labels: str, classes: int) -> Segmentation:
    """Find images and labels, and compare their sizes.

    Args:
        path: the folder.
        split: a list ``SPLIT.txt`` in it; or ``train``, ``val`` or ``all`` where there are none.
        held_out: share of ``val`` there.
        labels: a file with a class name a line; by default labels.txt, class_names.txt,
            label_list.txt or classes.txt in the folder.
        classes: their number where there is no such file; 0 to count them in the label images.

    Raises:
        DataError: all that is wrong with the folder, the first problems named.
    """
    root = Path(path)
    refuse_no_folder(root)
    known = split_names(path)
    if known == HASHED:
        pairs = hash_split(_pair_by_name(root), lambda pair: pair[0], split, held_out, path)
    elif split in known:
        source = _list(root, split)
        pairs = [_pair_of_line(line, source) for line in read_lines(source)]
    else:
        raise no_such_split(split, known, path)
    if not pairs:
        raise DataError(f"the list {split} is empty", where=path)
    problems = Problems(path)
    for pair in pairs:
        _check(root, pair, problems)
    problems.raise_if_any()
    given = find_label_list(root, labels)
    if given is not None:
        return Segmentation(root, pairs, read_class_names(given))
    count = classes or _count_classes(root)
    names = tuple(map(str, range(count)))
    note = f"there is no list of classes (labels.txt), so their names are 0 to {count - 1}"
    return Segmentation(root, pairs, names, (note,))


def _list(root: Path, split: str) -> Path:
    return root / f"{split}.txt"


def _pair_of_line(line: str, source: Path) -> Pair:
    words = line.split()
    if len(words) != 2:
        text = f"the line {line[:60]!r} is not an image and its labels"
        raise DataError(text, where=str(source))
    return words[0], words[1]


def _folder(root: Path, names: Sequence[str]) -> Path:
    found = next((root / name for name in names if (root / name).is_dir()), None)
    if found is None:
        hint = f"one of {', '.join(names)}"
        raise DataError("the folder of images or of labels is missing", where=str(root), hint=hint)
    return found


def _pair_by_name(root: Path) -> list[Pair]:
    """Images with the label image of the same name, whatever the suffixes."""
    images, labels = _folder(root, IMAGE_FOLDERS), _folder(root, _LABEL_FOLDERS)
    by_stem = {str(PurePosixPath(name).with_suffix("")): name for name in list_images(labels)}
    problems = Problems(str(root))
    pairs = []
    for name in list_images(images):
        label = by_stem.get(str(PurePosixPath(name).with_suffix("")))
        if label is None:
            problems.add(f"{name} has no label image", "add it, or list the images in train.txt")
        else:
            pairs.append((f"{images.name}/{name}", f"{labels.name}/{label}"))
    problems.raise_if_any()
    return pairs


def _check(root: Path, pair: Pair, problems: Problems) -> None:
    try:
        label = image_size(root / pair[1])
        if label not in (image_size(root / pair[0]), image_size(root / pair[0], exif=False)):
            problems.add(f"{pair[1]} is not of its image's size")
    except DataError as error:
        problems.add(f"{Path(error.where).name} {error.message}")


def _count_classes(root: Path) -> int:
    """One more than the largest number in any label image; all splits then agree."""
    lists = [_list(root, name) for name in split_names(str(root)) if _list(root, name).is_file()]
    if lists:
        pairs = [_pair_of_line(line, path) for path in lists for line in read_lines(path)]
    else:
        pairs = _pair_by_name(root)
    largest = 0
    for _, label in pairs:
        mask = read_mask(root / label)
        largest = max(largest, int(mask[mask != IGNORE].max(initial=0)))
    return int(np.maximum(largest + 1, 2))


def split_names(path: str) -> tuple[str, ...]:
    """The lists in a folder, or ``train``, ``val`` and ``all`` where there are none."""
    root = Path(path)
    lists = [file.stem for file in root.glob("*.txt") if file.name not in LABEL_LISTS]
    return find_splits(lists) or HASHED


DATASET = DatasetFormat(
    "seg",
    takes_path=True,
    open=open_seg,
    options={**OPTIONS, "labels": "", "classes": 0},
    splits=split_names,
)
