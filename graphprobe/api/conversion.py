"""Convert an exported model to the files that Paddle 2 loads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprobe.api.results import Result, Table, count_text
from graphprobe.errors import ExportError, UsageError
from graphprobe.files import write_whole
from graphprobe.formats import add_ports, find_file, load_file, write_program
from graphprobe.training.weights.lod_tensor import (
    PARAMS_OF,
    read_combined,
    read_tensor_file,
    stored_shapes,
)
from graphprobe.user_code import ZOO

# Form -> names of the program and of its parameters.
FORMS = {
    "pdmodel": ("inference.pdmodel", "inference.pdiparams"),
    "legacy": ("__model__", "__params__"),
}
# What exporters write beside a program about images and classes.
_SETTINGS = ("infer_cfg.yml", "inference.yml", "deploy.yaml", "inference_cls.yaml")


@dataclass(frozen=True, repr=False)
class ConvertedModel(Result):
    """What `convert` wrote.

    Args:
        source: the model that was converted.
        kind: what it was: ``programdesc`` or ``pir``.
        files: the program, its parameters and what was copied beside them.
        ops: number of ops of the program.
        parameters: number of parameters and statistics.
    """

    source: str
    kind: str
    files: tuple[Path, ...]
    ops: int
    parameters: int

    def summary(self) -> str:
        """What was written where."""
        what = f"{count_text(self.ops, 'op')}, {count_text(self.parameters, 'parameter')}"
        return f"{self.source} ({self.kind}): {what} in {self.files[0].parent}"

    def to_dict(self) -> dict[str, Any]:
        """The fields; paths as text."""
        return {
            "source": self.source,
            "kind": self.kind,
            "files": [str(path) for path in self.files],
            "ops": self.ops,
            "parameters": self.parameters,
        }

    def to_rows(self) -> Table:
        """A row a file."""
        return ("file", "bytes"), [(str(path), path.stat().st_size) for path in self.files]


def convert(
    model: str | os.PathLike[str], folder: str | os.PathLike[str], *, form: str = "pdmodel"
) -> ConvertedModel:
    """Write an exported model of any Paddle as ProgramDesc with its parameters in one file.

    Args:
        model: a program file with its parameters beside it, or the folder of both. Parameters may
            be ``.pdiparams``, ``__params__`` or a file each.
        folder: where to write; made if it is not there.
        form: ``pdmodel`` (``inference.pdmodel`` and ``.pdiparams``) or ``legacy`` (``__model__``
            and ``__params__``, the same contents).

    Returns:
        the files that were written. Settings beside the model (``inference.yml`` and the like) are
        copied; call stacks of the machine that exported it are left out.

    Raises:
        UsageError: no such form, or a bundled model.
        LoadError: the program cannot be read.
        ExportError: it has operators that Paddle 2.6.2 does not have, all of them in one message;
            or its parameters are not beside it.
        CheckpointError: the parameters are damaged or of another program.

    Example:
        >>> graphprobe.convert("PP-OCRv5_mobile_det/", "for_paddle_2/")
        <ConvertedModel: PP-OCRv5_mobile_det/ (pir): 366 ops, 234 parameters in for_paddle_2>
    """
    if form not in FORMS:
        raise UsageError(f"no form {form!r}", where="form", hint=f"take {' or '.join(FORMS)}")
    source = os.fspath(model)
    if source.startswith(ZOO):
        raise UsageError(
            "a bundled model has no trained parameters",
            where=source,
            hint="train it, export the run",
        )
    path = find_file(Path(source).expanduser(), source)
    program = add_ports(load_file(path, source))
    content = write_program(program)
    shapes = stored_shapes(program)
    params = _parameters(path, shapes, source)
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    names = FORMS[form]
    contents = {
        names[1]: params,
        **{n: (path.parent / n).read_bytes() for n in _SETTINGS if (path.parent / n).is_file()},
        names[0]: content,  # last: whoever finds the program finds the rest
    }
    for name, data in contents.items():
        write_whole(target / name, data)
    files = tuple(target / name for name in (*names, *(n for n in contents if n not in names)))
    return ConvertedModel(source, program.origin.kind, files, len(program.ops), len(shapes))


def _parameters(path: Path, shapes: Mapping[str, tuple[int, ...]], source: str) -> bytes:
    """The records of all parameters, checked against the program.

    One file of all is a file each, put one behind the other in the order of names.
    """
    if not shapes:
        return b""
    combined = [path.with_name(PARAMS_OF.get(path.name, f"{path.stem}.pdiparams"))]
    combined += [path.with_name(name) for name in PARAMS_OF.values()]
    one = next((file for file in combined if file.is_file() and file != path), None)
    if one is not None:
        _check(read_combined(one, list(shapes)), shapes, str(one))
        return one.read_bytes()
    unfit = [name for name in shapes if Path(name).name != name]
    files = {name: path.with_name(name) for name in shapes if name not in unfit}
    missing = unfit + [name for name, file in files.items() if not file.is_file()]
    if missing:
        raise ExportError(
            f"its {len(shapes)} parameters are not beside it: neither {combined[0].name} nor a "
            f"file for each ({', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''})",
            where=source,
            hint="put the file of parameters into the folder of the program",
        )
    _check({name: read_tensor_file(file) for name, file in files.items()}, shapes, source)
    return b"".join(file.read_bytes() for file in files.values())


def _check(found: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    wrong = [
        f"{name} is {found[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if tuple(found[name].shape) != shape
    ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ExportError(
            f"its parameters are of another program: {', '.join(wrong[:5])}{more}",
            where=where,
            hint="put program and parameters of one export into a folder",
        )
