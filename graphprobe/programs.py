"""Turn a PROGRAM (file, folder, zoo name, user code, paddle program) into a program that is loaded.

`load` reads or builds a program once; what it returns is accepted wherever a PROGRAM is, so that
commands and functions which need the same program share one value.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from graphprobe.errors import LoadError, UsageError
from graphprobe.formats import load_bytes, load_file
from graphprobe.ir import Dataflow, Program
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.model import Model
from graphprobe.user_code import ZOO, is_code, needs_paddle, run_code
from graphprobe.waits import waiting_for

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.ir import Var

T = TypeVar("T")
# The source of a program that was made in this process and has no name.
IN_MEMORY = "<program in memory>"


def made_once(made: dict[Hashable, Any], key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, made on the first call with this key and kept in `made`."""
    if key not in made:
        made[key] = make()
    return cast(T, made[key])


class PaddleProgram(Protocol):
    """A ``paddle.static.Program``, known by its shape so that nothing imports paddle."""

    @property
    def desc(self) -> Any:
        """The ProgramDesc."""

    def global_block(self) -> Any:
        """Block 0."""


@dataclass(frozen=True, eq=False, repr=False)
class LoadedProgram:
    """A program that was read or built once, with what was derived from it.

    Args:
        source: what names it, as the user wrote it; ``<program in memory>`` where nothing does.
        program: the ops and variables.

    Example:
        >>> student = graphprobe.load("zoo:yolov3_mobilenet_v1")
        >>> len(graphprobe.find_prunable(student))  # reads nothing again
        50
    """

    source: str
    program: Program
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """``sha256:`` and 16 hexadecimal digits that bind a config to this program."""
        return fingerprint(self.program)

    @property
    def dataflow(self) -> Dataflow:
        """Who writes and reads what; made on first use."""
        return self.program.dataflow

    @property
    def parameters(self) -> tuple[Var, ...]:
        """Persistable tensors that a forward op reads, by first use."""
        return self.program.parameters

    @property
    def is_named(self) -> bool:
        """Whether `source` finds the program again, in another process too."""
        return self.source != IN_MEMORY

    def require_name(self, role: str) -> None:
        """Refuse what a config could not name.

        Args:
            role: what it is to the caller, as ``student``.

        Raises:
            UsageError: the program was made in memory.
        """
        if not self.is_named:
            raise UsageError(
                f"the {role} was made in memory, so a config cannot name it",
                hint="save it to a file, or name the function that makes it as module:function",
            )

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made on the first call with this key and kept.

        Args:
            key: what is made, as ``("network", "train")``.
            make: called at most once for each key.
        """
        return made_once(self._made, key, make)

    def to_networkx(self, *, variables: bool = False) -> nx.DiGraph[str]:
        """The program as a networkx graph; `graphprobe.draw` gives folded ones.

        Args:
            variables: nodes for variables too, and for the ops of every role.

        Returns:
            A graph with a node for each forward op (``op 12``), input (``input image``) and output.
            Nodes have ``kind`` (op, input, output), ``type``, ``id`` (of the op; -1 for none),
            ``variable`` (what it mainly writes) and ``shape`` (None where none is declared); edges
            have ``vars``, a tuple of names. With `variables`, ops (``op 12``) have ``bipartite``
            0, ``type``, ``role`` and ``block``; variables (``var NAME``, or ``var NAME @ 12`` where
            op 12 has written them) have ``bipartite`` 1, ``name``, ``shape``, ``dtype`` and
            ``persistable``; edges have ``slots``.

        Raises:
            MissingDependency: networkx is not installed.

        Example:
            >>> student = graphprobe.load("zoo:yolov3_mobilenet_v1")
            >>> sorted(student.to_networkx().successors("input image"))
            ['op 0']
        """
        from graphprobe.drawing.networkx_graphs import bipartite_graph, op_graph

        return bipartite_graph(self.program) if variables else op_graph(self.program)

    def _repr_html_(self) -> str:
        from graphprobe.tables import html_facts  # notebooks show tables, commands print text

        return html_facts(self.source, self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Source, format, version, counts and fingerprint."""
        program = self.program
        return {
            "source": self.source,
            "kind": program.origin.kind,
            "version": program.origin.version,
            "blocks": len(program.blocks),
            "ops": len(program.ops),
            "parameters": len(program.parameters),
            "feeds": list(program.feeds),
            "fetches": list(program.fetches),
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        program = self.program
        return (
            f"<LoadedProgram {self.source!r}: {program.origin.kind}, {len(program.ops)} ops, "
            f"{len(program.parameters)} parameters>"
        )


ProgramLike: TypeAlias = "str | os.PathLike[str] | LoadedProgram | Program | Model | PaddleProgram"


class ProgramCache:
    """The programs that one command needs, each of them loaded once."""

    def __init__(self) -> None:
        self._loaded: dict[str, LoadedProgram] = {}

    def __contains__(self, text: str) -> bool:
        return text in self._loaded

    def load(self, program: ProgramLike) -> LoadedProgram:
        """As `load`; the same text gives the same value."""
        if isinstance(program, LoadedProgram):
            return self._loaded.setdefault(program.source, program)
        if not isinstance(program, str):
            return load(program)
        if program not in self._loaded:
            self._loaded[program] = load(program)
        return self._loaded[program]


def load(program: ProgramLike) -> LoadedProgram:
    """Read or build a program.

    Args:
        program: a file or folder (ProgramDesc of any Paddle era, or the PIR json of Paddle 3),
            ``zoo:NAME?option=value&...``, ``package.module:callable`` (which is run), a
            ``paddle.static.Program``, a `graphprobe.Model`, or what `load` gave before, which is
            given back as it is.

    Returns:
        the program, to be handed to every other function. Files are read without Paddle; bundled
        models are built with it once and kept in a cache folder.

    Raises:
        LoadError: nothing there, not a program, or the user's code failed.
        MissingDependency: a model has to be built and Paddle is not installed.

    Example:
        >>> graphprobe.load("zoo:yolov3_mobilenet_v1")
        <LoadedProgram 'zoo:yolov3_mobilenet_v1': programdesc, 161 ops, 241 parameters>
    """
    if isinstance(program, LoadedProgram):
        return program
    if isinstance(program, Program):
        return LoadedProgram(program.origin.source or IN_MEMORY, program)
    if isinstance(program, (str, os.PathLike)):
        text = os.fspath(program)
        return LoadedProgram(text, load_program(text))
    if not isinstance(program, Model) and not hasattr(program, "desc"):
        raise LoadError(
            f"not a program but a {type(program).__module__}.{type(program).__qualname__}",
            hint="give a file, a folder, zoo:NAME, module:function, a paddle.static.Program or a "
            "graphprobe.Model",
        )
    return LoadedProgram(IN_MEMORY, load_bytes(_serialize(program, IN_MEMORY), IN_MEMORY))


def source_of(program: ProgramLike) -> str:
    """What names a program, as `LoadedProgram.source`; a file or a name is not read for it.

    Raises:
        LoadError: as `load`, of what is neither.
    """
    if isinstance(program, (str, os.PathLike)):
        return os.fspath(program)
    return load(program).source


def load_program(text: str) -> Program:
    """Read the program that a PROGRAM argument names.

    Args:
        text: a file, a folder, ``zoo:NAME?option=value&...`` or ``package.module:callable``.

    Raises:
        LoadError: nothing there, not a program, or the user's code failed.
        GraphprobeError: what building a bundled model may raise.
    """
    if not text:
        raise LoadError("the program's name is empty", hint="name a file, a folder or zoo:NAME")
    if text.startswith(ZOO):
        from graphprobe.zoo import zoo_bytes

        with waiting_for(f"building {text}"):
            return load_bytes(zoo_bytes(text), text)
    if is_code(text):
        with waiting_for(f"running {text}"):
            return load_result(run_code(text, "train"), text).program
    with waiting_for(f"reading {text}"):
        return load_file(Path(text).expanduser(), text)


def load_result(result: Any, text: str) -> LoadedProgram:
    """What a user's function returned, as a program.

    Args:
        result: a `graphprobe.Model` or a ``paddle.static.Program``.
        text: the PROGRAM that names the function.

    Raises:
        LoadError: it is neither.
    """
    return LoadedProgram(text, load_bytes(_serialize(result, text), text))


def _serialize(result: Any, text: str) -> bytes:
    try:
        from paddle.static import Program as PaddleProgram
    except ImportError as error:
        raise needs_paddle(text) from error
    program = result.program if isinstance(result, Model) else result
    if not isinstance(program, PaddleProgram):
        raise LoadError(
            f"it returned a {type(program).__module__}.{type(program).__name__}",
            where=text,
            hint="return a paddle.static.Program or a graphprobe.Model",
        )
    content: bytes = program.desc.serialize_to_string()
    return content
