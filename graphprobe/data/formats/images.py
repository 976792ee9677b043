"""Images without labels: all below a folder, or those that a list names.

They teach a student whose losses compare it with its teacher alone.
"""

from __future__ import annotations

from pathlib import Path

from graphprobe.data.formats._folders import (
    ALL,
    HASHED,
    OPTIONS,
    hash_split,
    list_images,
    read_lines,
)
from graphprobe.data.image_files import ImageFile, ImageFolder, part_broken
from graphprobe.data.sample import DatasetFormat
from graphprobe.errors import DataError


def open_images(path: str, *, split: str = ALL, held_out: float = 0.2) -> ImageFolder:
    """Find the images; they are read when they are wanted.

    Files that are no images are left out and counted in `warnings`; one whose pixels turn out to be
    damaged is replaced by the next.

    Args:
        path: a folder, which is searched with its sub-folders; or a text file with a path a line,
            absolute or from the list's own folder. Words behind a path are left out.
        split: ``all``, or ``train`` or ``val`` by a hash of the names.
        held_out: share of ``val``.

    Raises:
        DataError: there are none, or none that can be read; files of the list are missing.
    """
    root = Path(path)
    if root.is_dir():
        files = [ImageFile(root / name, name) for name in list_images(root)]
    elif root.exists():
        files = _listed(root)
    else:
        raise DataError("does not exist", where=path, hint="name a folder or a list of images")
    good, broken = part_broken(files)
    if not good:
        names = ", ".join(file.name for file in broken[:3])
        raise DataError(
            f"none of its {len(broken)} files can be read as an image: {names}", where=path
        )
    chosen = hash_split(good, lambda file: file.name, split, held_out, path)
    return ImageFolder(chosen, broken=broken, skip=True)


def _listed(file: Path) -> list[ImageFile]:
    files = [_file(file.parent, line) for line in read_lines(file)]
    missing = [found.name for found in files if not found.path.is_file()]
    if missing:
        text = f"{len(missing)} of {len(files)} images are missing: {', '.join(missing[:3])}"
        raise DataError(text, where=str(file))
    if not files:
        raise DataError("the list is empty", where=str(file))
    return files


def _file(folder: Path, line: str) -> ImageFile:
    """A line is a path; one with spaces in it is taken whole where that is a file."""
    name = line if (folder / line).is_file() else line.split()[0]
    return ImageFile(folder / name, name)


DATASET = DatasetFormat(
    "images",
    takes_path=True,
    open=open_images,
    options={**OPTIONS, "split": ALL},
    splits=lambda _path: HASHED,
)
