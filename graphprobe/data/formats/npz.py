"""Arrays for a program with inputs of any kind: a folder of .npz files, one a sample.

The arrays of a file are called as the program's inputs and have no batch axis.
"""

from __future__ import annotations

from pathlib import Path

from graphprobe.data.formats._folders import HASHED, OPTIONS, hash_split, refuse_no_folder
from graphprobe.data.npz_reader import read_npz
from graphprobe.data.sample import DatasetFormat, Sample, array_sample
from graphprobe.errors import DataError


class NpzFolder:
    """Arrays by name.

    Args:
        root: what the names start from.
        names: of the files.
    """

    task = "arrays"
    class_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __init__(self, root: Path, names: list[str]) -> None:
        self._root, self._names = root, names

    def __len__(self) -> int:
        return len(self._names)

    def sample(self, index: int) -> Sample:
        """Read the file at this index."""
        path = self._root / self._names[index]
        arrays = read_npz(path)
        if not arrays:
            raise DataError("holds no arrays", where=str(path))
        return array_sample(self._names[index], arrays)


def open_npz(path: str, *, split: str, held_out: float) -> NpzFolder:
    """Find the files; the first is read to see that it holds arrays.

    Args:
        path: the folder.
        split: ``train``, ``val`` or ``all``.
        held_out: share of ``val``, by a hash of the names.

    Raises:
        DataError: there are none, or the first cannot be read.
    """
    root = Path(path)
    refuse_no_folder(root)
    names = sorted(file.name for file in root.glob("*.npz") if file.is_file())
    if not names:
        raise DataError("holds no .npz files", where=path)
    found = NpzFolder(root, hash_split(names, str, split, held_out, path))
    found.sample(0)
    return found


DATASET = DatasetFormat(
    "npz",
    takes_path=True,
    open=open_npz,
    options=OPTIONS,
    splits=lambda _path: HASHED,
)
