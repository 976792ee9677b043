"""Checkpoints: a folder an iteration, written whole or not at all, verified when read.

``000120/weights.npz`` holds parameters and statistics, ``optimizer.npz`` the optimizer's states,
``state.json`` everything else, ``manifest.json`` the sha256 of each. The learning rate, the order
of the data and the random numbers of a step follow from seed and iteration alone, so of these only
the iteration is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.training.weights.arrays import read_arrays, write_arrays

FORMAT = 1
MANIFEST, STATE, WEIGHTS, OPTIMIZER = "manifest.json", "state.json", "weights.npz", "optimizer.npz"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one checkpoint holds.

    Args:
        path: its folder.
        iteration: steps done when it was written.
        weights: parameters and statistics of the student by name.
        optimizer: states of the optimizer by name.
        state: config, versions, fingerprint, metric and the like, as json.
    """

    path: Path
    iteration: int
    weights: Arrays
    optimizer: Arrays
    state: dict[str, Any]


def refuse_old_run(folder: Path) -> None:
    """Refuse a folder that holds a run.

    Raises:
        CheckpointError: it does.
    """
    if (folder / "checkpoints" / "latest").exists():
        raise CheckpointError(
            "the folder already holds a run",
            where=str(folder),
            hint="go on with resume='auto', or set another train.output",
        )


def write_checkpoint(
    root: Path,
    iteration: int,
    weights: Mapping[str, NDArray[np.generic]],
    optimizer: Mapping[str, NDArray[np.generic]],
    state: Mapping[str, Any],
) -> Path:
    """Write a checkpoint into a temporary folder, sync it, then rename it into place.

    Returns:
        Its folder, ``root/000120``.

    Raises:
        CheckpointError: the disk is full or cannot be written; checkpoints already there stay.
    """
    final = root / f"{iteration:06d}"
    temporary: Path | None = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_folder(root)
        write_arrays(temporary / WEIGHTS, weights)
        write_arrays(temporary / OPTIMIZER, optimizer)
        _write_json(temporary / STATE, {**state, "format": FORMAT, "iteration": iteration})
        sums = {name: file_sha256(temporary / name) for name in (WEIGHTS, OPTIMIZER, STATE)}
        _write_json(temporary / MANIFEST, {"sha256": sums})
        _sync_folder(temporary)
        _replace_folder(temporary, final)
        _sync_folder(root)
        write_whole(root / "latest", final.name + "\n")
    except OSError as error:
        hint = "free some space, then go on with resume='auto'; earlier checkpoints are whole"
        raise CheckpointError(
            f"the checkpoint cannot be written ({error.strerror or error})",
            where=str(final),
            hint=hint,
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return final


def checkpoint_folder(named: str) -> Path:
    """The folder that a caller names as a checkpoint, or as a run that holds some.

    Raises:
        CheckpointError: there is no such folder.
    """
    path = Path(named).expanduser()
    if not path.is_dir():
        raise CheckpointError("no such checkpoint", where=named)
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint and verify it against its checksums.

    Raises:
        CheckpointError: it is missing, incomplete or damaged.
    """
    checkpoint_folder(str(path))
    sums = _read_json(path / MANIFEST).get("sha256")
    if not isinstance(sums, dict) or not {WEIGHTS, OPTIMIZER, STATE} <= sums.keys():
        raise _damaged(path, f"{MANIFEST} names no checksums")
    for name in (WEIGHTS, OPTIMIZER, STATE):
        if not (path / name).is_file():
            raise _damaged(path, f"{name} is missing")
        if file_sha256(path / name) != sums[name]:
            raise _damaged(path, f"{name} does not match its checksum")
    state = _read_json(path / STATE)
    if state.get("format") != FORMAT or not isinstance(state.get("iteration"), int):
        raise _damaged(path, f"{STATE} is not of format {FORMAT}")
    weights, optimizer = read_arrays(path / WEIGHTS), read_arrays(path / OPTIMIZER)
    return Checkpoint(path, state["iteration"], weights, optimizer, state)


def read_state(path: Path) -> dict[str, Any]:
    """What one checkpoint records beside its arrays; its checksum is not looked at.

    Raises:
        CheckpointError: it is missing or cannot be read.
    """
    return _read_json(path / STATE)


def read_best(root: Path) -> Path | None:
    """The checkpoint under `root` with the highest metric; None where nothing was evaluated."""
    pointer = root / "best"
    name = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    return root / name if name.isdecimal() and (root / name).is_dir() else None


def is_checkpoint(path: Path) -> bool:
    """Whether a folder looks like one of these checkpoints."""
    return (path / MANIFEST).is_file()


def checkpoint_folders(root: Path) -> list[Path]:
    """The checkpoint folders under `root`, oldest first."""
    if not root.is_dir():
        return []
    return sorted((p for p in root.iterdir() if p.name.isdecimal() and p.is_dir()), key=_number)


def read_newest(root: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that is whole; damaged ones are named to `warn` and passed over.

    Raises:
        CheckpointError: there are checkpoints and none of them is whole.
    """
    folders = checkpoint_folders(root)
    for folder in reversed(folders):
        try:
            return read_checkpoint(folder)
        except CheckpointError as error:
            warn(f"{error}; taking the checkpoint before it")
    if folders:
        raise CheckpointError("no checkpoint is whole", where=str(root), hint="start anew")
    return None


def drop_old(root: Path, keep_last: int, keep: set[str]) -> None:
    """Delete all but the newest `keep_last` checkpoints; those named in `keep` stay."""
    for folder in checkpoint_folders(root)[: -max(keep_last, 1)]:
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
    for left in root.glob(".tmp-*"):
        shutil.rmtree(left, ignore_errors=True)


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def arrays_sha256(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """One sha256 over named arrays, to compare whether two sets of weights are equal."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _number(path: Path) -> int:
    return int(path.name)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path.parent, f"{path.name} cannot be read") from error
    if not isinstance(document, dict):
        raise _damaged(path.parent, f"{path.name} is not a json object")
    return document


def _damaged(path: Path, why: str) -> CheckpointError:
    hint = "take another checkpoint, or resume='auto' for the newest whole one"
    return CheckpointError(f"the checkpoint is damaged: {why}", where=str(path), hint=hint)


def _replace_folder(new: Path, final: Path) -> None:
    if final.exists():
        aside = _temporary_folder(final.parent)
        final.rename(aside / "old")
        new.rename(final)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        new.rename(final)


def _temporary_folder(root: Path) -> Path:
    """A new folder with the mode that the umask gives; mkdtemp's are for their owner alone."""
    path = root / f".tmp-{secrets.token_hex(8)}"
    path.mkdir()
    return path


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
