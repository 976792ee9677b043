"""List the variables of one or two programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphprobe.api.arguments import PatternLike, pattern
from graphprobe.api.results import Result, Table, count_text
from graphprobe.collector import collector_paused
from graphprobe.errors import UsageError, did_you_mean, listed
from graphprobe.ir import Op
from graphprobe.ir.listing import VarUse, Wanted, list_vars, undeclared
from graphprobe.ops.kinds import unknown_ops_warnings
from graphprobe.programs import LoadedProgram, ProgramLike, load


class ProgramVariables(NamedTuple):
    """The listed variables of one program.

    Args:
        role: ``student`` or ``teacher``.
        program: where they are.
        variables: in the order of their first use, unused ones last.
    """

    role: str
    program: LoadedProgram
    variables: tuple[VarUse, ...]

    def __repr__(self) -> str:
        return f"<ProgramVariables {self.role}: {len(self.variables)} of {self.program.source!r}>"


@dataclass(frozen=True, repr=False)
class VariableListing(Result):
    """What `list_variables` found.

    Args:
        programs: one entry a program, the student first.
        warnings: names that ops use and nothing declares, and operators that are not known.
        nothing: why no variable is listed; empty where there is one.
    """

    programs: tuple[ProgramVariables, ...]
    warnings: tuple[str, ...] = ()
    nothing: str = ""

    def __iter__(self) -> Iterator[VarUse]:
        return (use for listed in self.programs for use in listed.variables)

    def __len__(self) -> int:
        return sum(len(listed.variables) for listed in self.programs)

    @property
    def names(self) -> list[str]:
        """The names, program after program."""
        return [use.var.name for use in self]

    def summary(self) -> str:
        """How many variables of which programs."""
        parts = (f"{len(p.variables)} of {p.program.source}" for p in self.programs)
        return f"{count_text(len(self), 'variable')}: {', '.join(parts)}"

    def to_dict(self) -> dict[str, Any]:
        """``programs``, each with ``vars`` sorted by block and name."""
        return {"programs": [_program(listed) for listed in self.programs]}

    def to_rows(self) -> Table:
        """A row a variable."""
        head = ("role", "name", "block", "shape", "dtype", "persistable", "producer", "consumers")
        return head, [
            (
                listed.role,
                use.var.name,
                use.block,
                shape_text(use),
                use.var.dtype,
                use.var.persistable,
                _op(use.producer),
                " ".join(map(_op, use.consumers)),
            )
            for listed in self.programs
            for use in _sorted(listed.variables)
        ]


@collector_paused()
def list_variables(
    program: ProgramLike,
    *,
    teacher: ProgramLike | None = None,
    match: PatternLike | None = None,
    params: bool = False,
    op_type: str | None = None,
    all: bool = False,
) -> VariableListing:
    """List variables with shape, dtype, producer and consumers.

    Args:
        program: the program, or the student.
        teacher: a second program, listed too.
        match: only names in which this regular expression is found.
        params: only parameters.
        op_type: only what ops of this type read or write.
        all: also names with py_reader, double_buffer or generated_var.

    Raises:
        LoadError: a program cannot be read.
        UsageError: `match` is no regular expression, or `op_type` is neither in a program nor a
            known operator.

    Example:
        >>> found = graphprobe.list_variables("zoo:yolov3_mobilenet_v1", match="^conv1_weights$")
        >>> [(use.var.name, use.var.shape) for use in found]
        [('conv1_weights', (32, 3, 3, 3))]
    """
    wanted = Wanted(pattern(match, "match"), params, op_type, all)
    given = [("student", program)] + ([("teacher", teacher)] if teacher is not None else [])
    loaded = [(role, load(one)) for role, one in given]
    _refuse_op_type(op_type, [one for _, one in loaded])
    listed = tuple(
        ProgramVariables(role, one, list_vars(one.program, wanted)) for role, one in loaded
    )
    warnings = tuple(text for _, one in loaded for text in _warnings(one))
    nothing = "" if any(p.variables for p in listed) else _nothing(listed, wanted)
    return VariableListing(listed, warnings, nothing)


def shape_text(use: VarUse) -> str:
    """``-1x32x304x304``, or the kind of what has no shape."""
    if use.var.shape is None:
        return use.var.kind
    return "x".join(map(str, use.var.shape)) or "scalar"


def _warnings(loaded: LoadedProgram) -> Iterator[str]:
    names = undeclared(loaded.program)
    if names:
        more = ", ..." if len(names) > 3 else ""
        yield (
            f"{loaded.source}: {len(names)} names are used but not declared: "
            f"{', '.join(names[:3])}{more}"
        )
    yield from unknown_ops_warnings(loaded.source, loaded.program)


def _refuse_op_type(op_type: str | None, programs: list[LoadedProgram]) -> None:
    if op_type is None:
        return
    types = {op.type for one in programs for op in one.program.ops}
    if op_type in types:
        return
    from graphprobe.ops import op_specs  # most calls name no type, or one of the program

    known = types | set(op_specs())
    if not isinstance(op_type, str) or op_type.removesuffix("_grad") not in known:
        sources = " and ".join(one.source for one in programs)
        hint = did_you_mean(str(op_type), types) or did_you_mean(str(op_type), known)
        raise UsageError(
            f"no operator of {sources}, and none that is known",
            where=f"op_type={op_type!r}",
            hint=hint or f"the program has {listed(sorted(types))}",
        )


def _nothing(listed: tuple[ProgramVariables, ...], wanted: Wanted) -> str:
    types = {op.type for one in listed for op in one.program.program.ops}
    sources = " and ".join(one.program.source for one in listed)
    if wanted.op_type is not None and wanted.op_type not in types:
        hint = did_you_mean(wanted.op_type, types)
        return f"{sources}: no op of type {wanted.op_type!r}" + (f"; {hint}" if hint else "")
    return f"{sources}: no variable matches"


def _program(listed: ProgramVariables) -> dict[str, Any]:
    program = listed.program.program
    return {
        "role": listed.role,
        "source": listed.program.source,
        "kind": program.origin.kind,
        "version": program.origin.version,
        "blocks": len(program.blocks),
        "ops": len(program.ops),
        "vars": [_entry(use) for use in _sorted(listed.variables)],
    }


def _entry(use: VarUse) -> dict[str, Any]:
    var = use.var
    return {
        "name": var.name,
        "block": use.block,
        "shape": None if var.shape is None else list(var.shape),
        "dtype": var.dtype,
        "persistable": var.persistable,
        "producer": None if use.producer is None else _site(use.producer),
        "consumers": [_site(op) for op in use.consumers],
    }


def _site(op: Op) -> dict[str, Any]:
    return {"op": op.id, "type": op.type}


def _sorted(uses: tuple[VarUse, ...]) -> list[VarUse]:
    return sorted(uses, key=lambda use: (use.block, use.var.name))


def _op(op: Op | None) -> str:
    return "" if op is None else f"{op.id}:{op.type}"
