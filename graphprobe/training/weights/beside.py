"""What lies beside an exported program: its parameters, and settings of images and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphprobe.data.preparation import FILE_NAMES
from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError, listed
from graphprobe.ir import Program
from graphprobe.training.weights.lod_tensor import (
    PARAMS_OF,
    read_combined,
    read_tensor_file,
    stored_shapes,
)

_HINT = "put the program and the parameters of one export into a folder"


def parameter_files(path: Path, names: Sequence[str], source: str) -> list[Path]:
    """The files that hold a program's parameters: one for all, or one for each in their order.

    Args:
        path: the program's file.
        names: of its stored tensors, sorted.
        source: what the user typed.

    Raises:
        CheckpointError: neither is there; the names of the first that are missing.
    """
    if not names:
        return []
    beside = [path.with_name(PARAMS_OF.get(path.name, f"{path.stem}.pdiparams"))]
    beside += [path.with_name(name) for name in PARAMS_OF.values()]
    one = next((file for file in beside if file.is_file() and file != path), None)
    if one is not None:
        return [one]
    unfit = [name for name in names if not name or Path(name).name != name]  # no files' names
    files = [path.with_name(name) for name in names if name not in unfit]
    missing = unfit + [file.name for file in files if not file.is_file()]
    if missing:
        raise CheckpointError(
            f"its {len(names)} parameters are not beside it: neither {beside[0].name} nor a file "
            f"for each ({listed(missing, 12)})",
            where=source,
            hint="put the file of parameters into the folder of the program",
        )
    return files


def settings_files(path: Path) -> list[Path]:
    """What lies beside a program and describes its images and classes."""
    return [file for file in map(path.with_name, FILE_NAMES) if file.is_file()]


def has_parameters(path: Path, program: Program) -> bool:
    """Whether the files of a program's parameters are beside it, whatever they hold."""
    try:
        parameter_files(path, list(stored_shapes(program)), str(path))
    except CheckpointError:
        return False
    return True


def read_beside(path: Path, program: Program, source: str) -> Arrays:
    """The parameters of a program, held against it.

    Args:
        path: the program's file.
        program: what it holds.
        source: what the user typed.

    Returns:
        its stored tensors by name, sorted.

    Raises:
        CheckpointError: they are missing, damaged or of another program (all names).
    """
    shapes = stored_shapes(program)
    names = list(shapes)
    files = parameter_files(path, names, source)
    if len(files) == 1 and (len(names) > 1 or files[0].name != names[0]):
        found = read_combined(files[0], names)
        where = str(files[0])
    else:
        found = {name: read_tensor_file(f) for name, f in zip(names, files, strict=True)}
        where = source
    wrong = [
        f"{name} is {found[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if tuple(found[name].shape) != shape
    ]
    if wrong:
        text = f"its parameters are of another program: {listed(wrong, 12)}"
        raise CheckpointError(text, where=where, hint=_HINT)
    return found
