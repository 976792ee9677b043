"""Convert an exported model to the files that another Paddle loads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from graphprobe.api.results import Result, Table, count_text
from graphprobe.compat.pir_form import require_pir_writer, write_pir
from graphprobe.errors import UsageError
from graphprobe.files import refuse_taken, write_whole
from graphprobe.formats import add_ports, find_file, load_file, write_program
from graphprobe.training.weights.beside import parameter_files, read_beside, settings_files
from graphprobe.training.weights.lod_tensor import LEGACY
from graphprobe.user_code import ZOO

if TYPE_CHECKING:
    from graphprobe.data.sample import Arrays
    from graphprobe.ir import Program

# Form -> names of the program and of its parameters.
FORMS = {
    "pdmodel": ("inference.pdmodel", "inference.pdiparams"),
    "legacy": LEGACY,
    "json": ("inference.json", "inference.pdiparams"),
}


@dataclass(frozen=True, repr=False)
class ConvertedModel(Result):
    """What `convert` wrote.

    Args:
        source: the model that was converted.
        kind: what it was: ``programdesc`` or ``pir``.
        files: the program, its parameters and what was copied beside them.
        ops: number of ops of the program.
        parameters: number of parameters and statistics.
        proof: how it was proven to compute the same, in one line, or why it was not.
        difference: the largest one that the proof found, as a share of the largest value.
    """

    source: str
    kind: str
    files: tuple[Path, ...]
    ops: int
    parameters: int
    proof: str
    difference: float | None

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
            "proof": self.proof,
            "difference": self.difference,
        }

    def to_rows(self) -> Table:
        """A row a file."""
        return ("file", "bytes"), [(str(path), path.stat().st_size) for path in self.files]


def convert(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    form: str = "pdmodel",
    force: bool = False,
) -> ConvertedModel:
    """Write an exported model of any Paddle in another form, with its parameters in one file.

    Args:
        model: a program file with its parameters beside it, or the folder of both. Parameters may
            be ``.pdiparams``, ``__params__`` or a file each.
        folder: where to write; made if it is not there.
        form: ``pdmodel`` (``inference.pdmodel`` and ``.pdiparams``) or ``legacy`` (``__model__``
            and ``__params__``, the same contents), ProgramDesc both; or ``json``
            (``inference.json`` and ``.pdiparams``), which only Paddle 3 writes.
        force: replace files of these names that are there already.

    Returns:
        the files that were written. Settings beside the model (``inference.yml`` and the like) are
        copied; call stacks of the machine that exported it are left out.

    Where Paddle is installed, source and result are run on the same random inputs before anything
    is written. Paddle 2 does not run PIR json: there a numpy executor runs the source, as far as it
    knows its operators.

    Raises:
        UsageError: no such form, a bundled model, or files that would be replaced.
        LoadError: the program cannot be read.
        ExportError: it has operators that Paddle 2.6.2 does not have, all of them in one message;
            it has some that Paddle 3 cannot translate to PIR; or the result computes other numbers.
        MissingDependency: the form is ``json`` and Paddle 3 is not installed.
        CheckpointError: the parameters are not beside it, damaged or of another program.

    Example:
        >>> graphprobe.convert("PP-OCRv5_mobile_det/", "for_paddle_2/")
        <ConvertedModel: PP-OCRv5_mobile_det/ (pir): 366 ops, 234 parameters in for_paddle_2>
    """
    if form not in FORMS:
        raise UsageError(f"no form {form!r}", where="form", hint=f"take {', '.join(FORMS)}")
    source = os.fspath(model)
    if form == "json":
        require_pir_writer()
    if source.startswith(ZOO):
        raise UsageError(
            "a bundled model has no trained parameters",
            where=source,
            hint="train it, export the run",
        )
    path = find_file(Path(source).expanduser(), source)
    target = Path(folder).expanduser()
    desc, weights = FORMS[form]
    settings = {file.name: file for file in settings_files(path)}
    refuse_taken(target, (weights, *settings, desc), force=force)
    program = add_ports(load_file(path, source))
    content = write_program(program)
    arrays = read_beside(path, program, source)
    names = list(arrays)
    # One file of all is a file each, put one behind the other in the order of names.
    beside = parameter_files(path, names, source)
    params = b"".join(file.read_bytes() for file in beside)
    one = beside[0] if len(beside) == 1 < len(names) else None
    if form == "json":
        content = _as_pir(content)
    proof, difference = _prove(path, one, program, arrays, (content, params), FORMS[form])
    # The program is last: whoever finds it finds the rest.
    copied = {name: file.read_bytes() for name, file in settings.items()}
    contents = {weights: params, **copied, desc: content}
    target.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        write_whole(target / name, data)
    files = tuple(target / name for name in (desc, weights, *settings))
    counts = len(program.ops), len(names)
    return ConvertedModel(source, program.origin.kind, files, *counts, proof, difference)


def _as_pir(content: bytes) -> bytes:
    """A ProgramDesc as PIR json.

    Raises:
        ExportError: Paddle 3 cannot translate the program.
    """
    from graphprobe.training.runtime.process import import_paddle

    import_paddle()
    with TemporaryDirectory() as folder:
        file = Path(folder) / FORMS["json"][0]
        write_pir(content, file)
        return file.read_bytes()


def _prove(
    path: Path,
    params: Path | None,
    program: Program,
    arrays: Arrays,
    made: tuple[bytes, bytes],
    names: tuple[str, str],
) -> tuple[str, float | None]:
    """Run source and result where Paddle is installed; a line on it, and the difference.

    Raises:
        ExportError: they compute different numbers.
    """
    if find_spec("paddle") is None:
        return "not proven: paddle is not installed", None
    from graphprobe.training.runtime.process import import_paddle

    import_paddle()
    from graphprobe.training.reference.proof import prove_conversion

    with TemporaryDirectory() as folder:
        files = tuple(Path(folder) / name for name in names)
        for file, data in zip(files, made, strict=True):
            file.write_bytes(data)
        proof = prove_conversion(path, params, program, arrays, (files[0], files[1]))
    return str(proof), proof.difference
