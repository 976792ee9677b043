"""What formats of folders share: their images, lists, class names and splits.

Where a folder has no split of its own, images are held out by a hash of their names: which part an
image is in depends on its own name alone, and stays when others are added.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from graphprobe.data.image_files import no_images, walk_images
from graphprobe.data.splits import TRAIN_NAMES, VAL_NAMES
from graphprobe.errors import DataError, did_you_mean, listed

T = TypeVar("T")

TRAIN, VAL, ALL = "train", "val", "all"
HASHED = (TRAIN, VAL, ALL)
LABEL_LISTS = ("labels.txt", "class_names.txt", "label_list.txt", "classes.txt")
OPTIONS: dict[str, Any] = {"split": TRAIN, "held_out": 0.2}

_MOST_TEXT = 256 << 20


def list_images(folder: Path) -> list[str]:
    """Names of the images below a folder, relative to it, with slashes, sorted.

    Raises:
        DataError: there is no such folder, or there are none in it.
    """
    refuse_no_folder(folder)
    found = sorted(path.relative_to(folder).as_posix() for path in walk_images(folder))
    if not found:
        raise no_images(folder)
    return found


def refuse_no_folder(folder: Path) -> None:
    """Refuse what is no folder.

    Raises:
        DataError: it is none.
    """
    if not folder.is_dir():
        text = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(text, where=str(folder))


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that hold something, without spaces around them.

    Raises:
        DataError: it cannot be read as text.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_TEXT:
            raise DataError("is no text file", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("cannot be read as text", where=str(path)) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_class_names(path: Path) -> tuple[str, ...]:
    """A class name a line.

    Raises:
        DataError: it cannot be read, or names one twice.
    """
    names = tuple(read_lines(path))
    double = sorted(name for name, count in Counter(names).items() if count > 1)
    if double:
        raise DataError(f"names {listed(double)} more than once", where=str(path))
    return names


def find_label_list(folder: Path, given: str) -> Path | None:
    """The list of class names that is given, or lies in a folder.

    Raises:
        DataError: the one that is given is not there.
    """
    if given:
        path = Path(given) if Path(given).is_file() else folder / given
        if not path.is_file():
            raise DataError("the label list does not exist", where=given)
        return path
    return next((folder / name for name in LABEL_LISTS if (folder / name).is_file()), None)


def find_splits(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some names that mean training or held-out images, training first."""
    there = set(names)
    return tuple(name for name in (*TRAIN_NAMES, *VAL_NAMES) if name in there)


def is_held_out(name: str, share: float) -> bool:
    """Whether an image is for evaluation, by the hash of its name."""
    digest = hashlib.sha256(name.encode("utf-8", errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2.0**64


def hash_split(
    items: Sequence[T], name_of: Callable[[T], str], split: str, held_out: float, where: str
) -> list[T]:
    """The items of one part.

    Args:
        items: all of them.
        name_of: what of an item is hashed.
        split: ``train``, ``val`` or ``all``.
        held_out: share of ``val``.
        where: what messages call the data.

    Raises:
        DataError: an unknown part, a share that is none, or a part that is empty.
    """
    if split not in HASHED:
        raise no_such_split(split, HASHED, where)
    if not 0 <= held_out < 1:
        raise DataError(f"held_out must be from 0 to 1, not {held_out:g}", where=where)
    if split == ALL:
        return list(items)
    wanted = split == VAL
    found = [item for item in items if is_held_out(name_of(item), held_out) == wanted]
    if not found:
        text = f"the split {split} is empty ({len(items)} in all, {held_out:g} held out)"
        raise DataError(text, where=where, hint="set held_out, or take split=all")
    return found


def no_such_split(split: str, known: Sequence[str], where: str) -> DataError:
    """The error for a split that a folder does not have."""
    hint = hint_split(split, known)
    return DataError(f"there is no split called {split!r}", where=where, hint=hint)


def hint_split(split: str, known: Sequence[str]) -> str:
    """The splits nearest to a name that is none, or all that there are."""
    return did_you_mean(split, known) or f"there are {', '.join(known) or 'none'}"
