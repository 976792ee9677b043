"""Named arrays in one .npz file: any name, no pickle, synced to the disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from graphprobe.errors import CheckpointError

Arrays = dict[str, NDArray[np.generic]]
# What numpy and zipfile raise on damaged files.
DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError)


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
    """Read an .npz file whole.

    Raises:
        CheckpointError: it is missing, truncated, damaged, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise CheckpointError("no such file", where=str(path)) from None
    except DAMAGED as error:
        raise CheckpointError(
            f"cannot be read as .npz weights ({error})",
            where=str(path),
            hint="it is damaged or not an .npz file",
        ) from error
