"""Named arrays in one .npz file: any name, no pickle, synced to the disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from graphprobe.data.npz_reader import read_npz
from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError, DataError


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write arrays as an uncompressed .npz and sync it; the caller renames it into place."""
    with path.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in sorted(arrays.items()):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    write_array(member, np.ascontiguousarray(array), allow_pickle=False)  # type: ignore[no-untyped-call]
        file.flush()
        os.fsync(file.fileno())


def read_arrays(path: Path) -> Arrays:
    """Read an .npz file of weights whole; see `graphprobe.data.npz_reader` for its bounds.

    Raises:
        CheckpointError: it is missing, damaged, encrypted, too large, or holds Python objects.
    """
    try:
        return read_npz(path)
    except DataError as error:
        raise CheckpointError(error.message, where=error.where, hint=error.hint) from error
