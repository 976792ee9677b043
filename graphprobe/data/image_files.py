"""Image files without annotations: found below folders, named so that no two have one name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphprobe.data.images import SUFFIXES, image_size, is_image_name, read_image
from graphprobe.data.sample import Sample, classification_sample
from graphprobe.errors import DataError


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file.

    Args:
        path: where it lies.
        name: its path below what all inputs share, with slashes; no two files have the same.
    """

    path: Path
    name: str


class ImageFolder:
    """Image files as a data set without annotations.

    Args:
        files: in their order.
        class_names: of the network that is to look at them, or none.
        task: of that network; ``images`` where there is none.
        broken: files that were left out because they are no images.
        skip: take the next image that can be read in place of one that cannot.
    """

    def __init__(
        self,
        files: Sequence[ImageFile],
        class_names: tuple[str, ...] = (),
        task: str = "images",
        *,
        broken: Sequence[ImageFile] = (),
        skip: bool = False,
    ) -> None:
        self.files, self.class_names, self.task = list(files), class_names, task
        self.broken, self._skip = list(broken), skip

    @property
    def warnings(self) -> tuple[str, ...]:
        """How many files were left out."""
        if not self.broken:
            return ()
        count, whole = len(self.broken), len(self.broken) + len(self.files)
        names = ", ".join(file.name for file in self.broken[:3])
        return (f"{count} of {whole} files are no images and left out: {names}",)

    def strict(self) -> ImageFolder:
        """The same with every file, where none that cannot be read is left out or replaced."""
        everything = sorted([*self.files, *self.broken], key=lambda file: file.name)
        return ImageFolder(everything, self.class_names, self.task)

    def __len__(self) -> int:
        return len(self.files)

    def sample(self, index: int) -> Sample:
        """The image at this index, without boxes."""
        for at in (*range(index, len(self.files)), *range(index)) if self._skip else ():
            try:
                return _sample(self.files[at])
            except DataError:
                continue
        return _sample(self.files[index])


def _sample(file: ImageFile) -> Sample:
    return classification_sample(file.name, read_image(file.path), None)


def part_broken(files: Sequence[ImageFile]) -> tuple[list[ImageFile], list[ImageFile]]:
    """The files whose head is that of an image, and the others."""
    good: list[ImageFile] = []
    broken: list[ImageFile] = []
    for file in files:
        try:
            image_size(file.path, exif=False)
        except DataError:
            broken.append(file)
        else:
            good.append(file)
    return good, broken


def no_images(folder: Path) -> DataError:
    """The error of a folder without images."""
    hint = f"their names end in {', '.join(SUFFIXES)}"
    return DataError("holds no images", where=str(folder), hint=hint)


def find_images(inputs: Sequence[Path], leave_out: Path | None = None) -> list[ImageFile]:
    """Files as they are, folders as the images in them and in their sub-folders, sorted.

    What is no regular file (a FIFO, a device) is left out of folders, and so are hidden files.

    Args:
        inputs: files and folders.
        leave_out: a folder that is not searched, as one that is written into.

    Raises:
        DataError: nothing there, or a folder without images.
    """
    found: dict[Path, None] = {}
    for path in inputs:
        if path.is_dir():
            inside = list(walk_images(path, leave_out))
            if not inside:
                raise no_images(path)
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise DataError("no such file or folder", where=str(path))
    roots = [path if path.is_dir() else path.parent for path in inputs]
    # Of one root each path is below it; several share a folder above them.
    root = os.path.commonpath([os.path.abspath(path) for path in roots])  # noqa: PTH100
    by_name: dict[str, Path] = {}
    for path in found:
        name = Path(os.path.abspath(path)).relative_to(root).as_posix()  # noqa: PTH100
        by_name.setdefault(name, path)  # one file may be named twice
    return [ImageFile(path, name) for name, path in by_name.items()]


def walk_images(folder: Path, leave_out: Path | None = None) -> Iterator[Path]:
    """The regular files below a folder that are called as images, sorted; links are not followed
    into folders, which may go round in circles."""
    without = None if leave_out is None else leave_out.resolve()
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != without
        )
        for name in sorted(files):
            path = here / name
            if is_image_name(path) and _is_regular(path):
                yield path


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a link to nowhere
        return False
