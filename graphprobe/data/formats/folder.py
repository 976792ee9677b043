"""Classification: a folder a class, with or without folders of the splits above, or a list."""

from __future__ import annotations

from pathlib import Path

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
from graphprobe.data.images import read_image
from graphprobe.data.sample import DatasetFormat, Sample, classification_sample
from graphprobe.errors import DataError, did_you_mean


class ClassFolders:
    """Images with the number of their class.

    Args:
        root: what the names start from.
        items: name of the image and its class.
        class_names: by number.
    """

    task = "classification"
    warnings: tuple[str, ...] = ()

    def __init__(
        self, root: Path, items: list[tuple[str, int]], class_names: tuple[str, ...]
    ) -> None:
        self._root, self._items, self.class_names = root, items, class_names

    def __len__(self) -> int:
        return len(self._items)

    def sample(self, index: int) -> Sample:
        """Read the image at this index."""
        name, label = self._items[index]
        return classification_sample(name, read_image(self._root / name), label)


def open_folder(path: str, *, split: str, held_out: float, labels: str) -> ClassFolders:
    """Find the images; the class is the name of the first folder.

    Args:
        path: holds ``CLASS/...`` or ``SPLIT/CLASS/...``; or a text file whose lines are a path from
            its own folder, and the class: a number, or a name.
        split: a folder; or ``train``, ``val`` or ``all`` where there are none of splits.
        held_out: share of ``val`` there.
        labels: a file with a class name a line; by default the folders' names, sorted.

    Raises:
        DataError: no such folder or split, or images outside of the folders of classes.
    """
    root = Path(path)
    if root.is_file():
        return _open_list(root, split, held_out, labels)
    refuse_no_folder(root)
    known = split_names(path)
    hashed = known == HASHED
    if not hashed and split not in known:
        raise no_such_split(split, known, path)
    base = root if hashed else root / split
    names = list_images(base)
    given = find_label_list(root, labels)
    if given is not None:
        classes = read_class_names(given)
    else:
        # All splits number the classes alike, also where one of them lacks some.
        folders = [root] if hashed else [root / name for name in known]
        classes = tuple(sorted({name for folder in folders for name in _folders_in(folder)}))
    problems = Problems(path)
    number = {name: place for place, name in enumerate(classes)}
    items = []
    for name in names:
        first = name.partition("/")[0] if "/" in name else ""
        if first in number:
            items.append((name, number[first]))
        elif not first:
            problems.add(f"{name} lies in no folder of a class")
        else:
            problems.add(f"{first} is not in the label list", did_you_mean(first, classes))
    problems.raise_if_any()
    if len(classes) < 2:
        raise DataError("holds fewer than two folders of classes", where=str(base))
    kept = hash_split(items, lambda item: item[0], split, held_out, path) if hashed else items
    return ClassFolders(base, kept, classes)


def _open_list(file: Path, split: str, held_out: float, labels: str) -> ClassFolders:
    lines = [line.rsplit(maxsplit=1) for line in read_lines(file)]
    pairs = [(words[0], words[1]) for words in lines if len(words) == 2]
    given = find_label_list(file.parent, labels)
    listed = [label for _, label in pairs]
    if given is not None:
        classes = read_class_names(given)
    elif all(map(str.isdecimal, listed)):
        classes = tuple(map(str, range(max(map(int, listed), default=0) + 1)))
    else:
        classes = tuple(sorted(set(listed)))
    number = {str(place): place for place in range(len(classes))}
    number |= {name: place for place, name in enumerate(classes)}
    problems = Problems(str(file))
    for words in lines:
        if len(words) < 2:
            problems.add(f"{words[0]} has no class behind it")
        elif words[1] not in number:
            problems.add(f"{words[1]} is not in the label list", did_you_mean(words[1], classes))
        elif not (file.parent / words[0]).is_file():
            problems.add(f"{words[0]} is missing")
    problems.raise_if_any()
    if len(classes) < 2:
        raise DataError("names fewer than two classes", where=str(file))
    items = [(name, number[label]) for name, label in pairs]
    kept = hash_split(items, lambda item: item[0], split, held_out, str(file))
    return ClassFolders(file.parent, kept, classes)


def split_names(path: str) -> tuple[str, ...]:
    """The folders of splits, or ``train``, ``val`` and ``all`` where there are none."""
    found = find_splits(_folders_in(Path(path)))
    # A class may be called test; splits hold folders themselves.
    found = tuple(name for name in found if _folders_in(Path(path) / name))
    return found or HASHED


def _folders_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    inside = (path for path in folder.iterdir() if path.is_dir())
    return sorted(path.name for path in inside if not path.name.startswith("."))


DATASET = DatasetFormat(
    "folder",
    takes_path=True,
    open=open_folder,
    options={**OPTIONS, "labels": ""},
    splits=split_names,
)
