"""Images without labels: all below a folder, or those that a list names.

They teach a student whose losses compare it with its teacher alone.
"""

from __future__ import annotations

from pathlib import Path

from graphprobe.data.formats._folders import list_images, read_lines
from graphprobe.data.image_files import ImageFile, ImageFolder
from graphprobe.data.sample import DatasetFormat
from graphprobe.errors import DataError


def open_images(path: str) -> ImageFolder:
    """Find the images; they are read when they are wanted.

    Args:
        path: a folder, which is searched with its sub-folders; or a text file with a path a line,
            absolute or from the list's own folder. Words behind a path are left out.

    Raises:
        DataError: there are none, or files of the list are missing.
    """
    root = Path(path)
    if root.is_dir():
        return ImageFolder([ImageFile(root / name, name) for name in list_images(root)])
    if not root.exists():
        raise DataError("does not exist", where=path, hint="name a folder or a list of images")
    files = [_file(root.parent, line) for line in read_lines(root)]
    missing = [file.name for file in files if not file.path.is_file()]
    if missing:
        text = f"{len(missing)} of {len(files)} images are missing: {', '.join(missing[:3])}"
        raise DataError(text, where=path)
    if not files:
        raise DataError("the list is empty", where=path)
    return ImageFolder(files)


def _file(folder: Path, line: str) -> ImageFile:
    """A line is a path; one with spaces in it is taken whole where that is a file."""
    name = line if (folder / line).is_file() else line.split()[0]
    return ImageFile(folder / name, name)


DATASET = DatasetFormat("images", takes_path=True, open=open_images, splits=lambda _path: ())
