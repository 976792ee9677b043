"""Read trained weights in any of their forms and hold them against what a program wants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError, GraphprobeError, did_you_mean, listed
from graphprobe.training.weights import checkpoint
from graphprobe.training.weights.arrays import read_arrays
from graphprobe.training.weights.download import download, is_url
from graphprobe.training.weights.lod_tensor import (
    PARAMS_OF,
    read_combined,
    read_tensor_file,
    stored_shapes,
)
from graphprobe.training.weights.pdparams import read_pdparams
from graphprobe.training.weights.unpack import is_archive

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Weights:
    """Arrays by name.

    Args:
        prune: the pruning that they came out of, as json, or None.
        names: of arrays that are named by their place in a layer, what the parameters are called.
        class_names: of the data that they were trained on, where a checkpoint has them.
    """

    arrays: Arrays
    prune: Any = None
    names: Mapping[str, str] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()


_PROGRAM_OF = {params: program for program, params in PARAMS_OF.items()}


def locate(text: str) -> Path:
    """The file or folder that a config or an option names; an address is downloaded first.

    Raises:
        CheckpointError: it cannot be downloaded.
    """
    return download(text) if is_url(text) else Path(text).expanduser()


def read_weights(path: Path, wanted: Shapes) -> Weights:
    """The arrays of a weights file or folder.

    Taken are a checkpoint of this trainer, the folder of a run (its best checkpoint, else its
    newest), an ``.npz``, a ``.pdparams``, a combined ``.pdiparams`` or ``__params__`` beside its
    program, and a folder that holds one of these or one file a parameter.

    Args:
        path: file or folder.
        wanted: the names that are looked for in a folder of one file a parameter.

    Raises:
        CheckpointError: nothing there can be read as weights, or some are no finite numbers.
    """
    try:
        found = _read_weights(path, wanted)
    except OSError as error:
        text = f"cannot be read ({error.strerror or error})"
        raise CheckpointError(text, where=str(path)) from error
    refuse_not_finite(found.arrays, where=str(path))
    return found


def refuse_no_weights(path: Path) -> None:
    """Refuse a path where nothing is.

    Raises:
        CheckpointError: nothing is there.
    """
    if not path.exists():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*")))
        raise CheckpointError("no such weights", where=str(path), hint=near)


def _read_weights(path: Path, wanted: Shapes) -> Weights:
    if path.is_dir():
        return _read_folder(path, wanted)
    refuse_no_weights(path)
    if is_archive(path):
        raise CheckpointError("is an archive", where=str(path), hint="name what it unpacks to")
    if path.suffix == ".npz":
        return Weights(read_arrays(path))
    if path.suffix == ".pdparams":
        return _read_pdparams(path)
    if path.suffix in (".pdopt", ".pkl", ".pickle"):
        raise CheckpointError(
            "is a pickle, which can run code when it is read and is not taken",
            where=str(path),
            hint="save it as .npz with numpy.savez if you trust it",
        )
    return Weights(_read_beside_program(path))


def refuse_not_finite(arrays: Arrays, *, where: str) -> None:
    """Refuse weights with NaN or infinity: every output would be NaN, and every loss.

    Raises:
        CheckpointError: one line that names them.
    """
    wrong = [
        f"{name} ({int((~np.isfinite(array)).sum()):,} of {array.size:,})"
        for name, array in sorted(arrays.items())
        if array.dtype.kind in "fc" and not np.isfinite(array).all()
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} parameters hold NaN or infinity: {listed(wrong)}",
            where=where,
            hint="take weights from before the training diverged",
        )


def check_weights(found: Mapping[str, object], wanted: Shapes, *, where: str) -> None:
    """Every wanted name must be there in its shape, and no other.

    Raises:
        CheckpointError: one line that lists all that is missing, unexpected or of another shape.
    """
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    wrong = [
        f"{name} is {shape_of(found[name])}, not {wanted[name]}"
        for name in sorted(wanted.keys() & found.keys())
        if shape_of(found[name]) != tuple(wanted[name])
    ]
    parts = [
        f"{len(names)} {label}: {listed(names)}"
        for label, names in (
            ("missing", missing),
            ("unexpected", extra),
            ("of another shape", wrong),
        )
        if names
    ]
    if parts:
        raise CheckpointError(
            "the weights are of another model: " + "; ".join(parts),
            where=where,
            hint="check the program's options (num_classes, scale) against those of the training",
        )


def shape_of(array: object) -> tuple[int, ...]:
    """The shape of an array; empty for what has none."""
    return tuple(getattr(array, "shape", ()))


def of_checkpoint(found: checkpoint.Checkpoint) -> Weights:
    """The weights of a checkpoint with their pruning and their classes."""
    refuse_not_finite(found.weights, where=str(found.path))
    names = found.state.get("class_names")
    known = tuple(map(str, names)) if isinstance(names, list) else ()
    return Weights(found.weights, found.state.get("prune"), class_names=known)


def _read_folder(path: Path, wanted: Shapes) -> Weights:
    if checkpoint.is_checkpoint(path):
        return of_checkpoint(checkpoint.read_checkpoint(path))
    if checkpoint.checkpoint_folders(path / "checkpoints"):
        return of_checkpoint(read_checkpoint_of_run(path))
    for params, program in _PROGRAM_OF.items():
        if (path / params).is_file() and (path / program).is_file():
            return Weights(_read_beside_program(path / params))
    combined, saved = sorted(path.glob("*.pdiparams")), sorted(path.glob("*.pdparams"))
    if len(combined) == 1:
        return Weights(_read_beside_program(combined[0]))
    if len(saved) == 1:
        return _read_pdparams(saved[0])
    files = {name: path / name for name in wanted if (path / name).is_file()}
    if not files:
        raise CheckpointError(
            "holds no weights",
            where=str(path),
            hint="name a checkpoint, .npz, .pdparams, .pdiparams or a folder of one file each",
        )
    return Weights({name: read_tensor_file(file) for name, file in files.items()})


def _read_pdparams(path: Path) -> Weights:
    arrays, names = read_pdparams(path)
    return Weights(arrays, names=names)


def read_checkpoint_of_run(run: Path) -> checkpoint.Checkpoint:
    """The best checkpoint of a run's folder, else its newest one that is whole."""
    root = run / "checkpoints"
    best = checkpoint.read_best(root)
    if best is not None:
        return checkpoint.read_checkpoint(best)
    found = checkpoint.read_newest(root, lambda _: None)
    if found is None:
        raise untrained(run)
    return found


def untrained(run: str | os.PathLike[str]) -> CheckpointError:
    """The error of a run's folder without a whole checkpoint."""
    return CheckpointError("holds no checkpoint", where=os.fspath(run), hint="train first")


def _read_beside_program(path: Path) -> Arrays:
    """A combined file: its tensors stand in the order of their sorted names."""
    from graphprobe.programs import load_program

    beside = path.with_name(_PROGRAM_OF.get(path.name, f"{path.stem}.pdmodel"))
    if not beside.is_file():
        raise CheckpointError(
            f"needs its program {beside.name} beside it, which holds the names of its tensors",
            where=str(path),
        )
    try:
        program = load_program(str(beside))
    except GraphprobeError as error:
        raise CheckpointError(f"its program cannot be read: {error}", where=str(path)) from error
    return read_combined(path, list(stored_shapes(program)))
