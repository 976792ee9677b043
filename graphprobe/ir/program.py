"""Program, Block, Op and Var: one model for every file format.

Conventions:
    * Op types, slot names and attribute names are those of ProgramDesc (``conv2d`` with slots
      ``Input``, ``Filter``, ``Output``), whatever format a program came from; loaders translate.
    * ``Op.id`` counts the ops of the whole program, block after block, so in a program of one
      block it is the position in the file.
    * An unknown size in a shape is -1. A variable without a tensor shape has shape None.
    * A variable may be written more than once (in-place ops); `Program.dataflow`
      makes each write a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from graphprobe.ir.dataflow import Dataflow

Scalar: TypeAlias = bool | int | float | str
# Sizes of an array or of a variable, -1 where unknown.
Shape: TypeAlias = tuple[int, ...]
Attr: TypeAlias = Scalar | tuple[Scalar, ...] | None

# Bits of the attribute op_role (paddle/fluid/framework/op_proto_maker.h).
ROLE_BACKWARD = 0x1
ROLE_OPTIMIZE = 0x2
ROLE_LOSS = 0x100


@dataclass(frozen=True, slots=True)
class Var:
    """One variable of a block.

    Args:
        name: the program's own name.
        shape: sizes, -1 where unknown; None for what is not a tensor.
        dtype: numpy's name (``float32``), or ``unknown``.
        persistable: kept between runs: parameters, statistics, optimizer states.
        kind: ``tensor``, ``tensor_array``, ``selected_rows``, ``feed``, ``fetch``, ``scope``,
            ``reader``, ``raw`` or ``other``.
        is_parameter: trainable by declaration; false everywhere in inference files.
        stop_gradient: whether gradients stop at it.
        lod_level: levels of variable-length sequences (LoD); 0 for a plain tensor.
    """

    name: str
    shape: tuple[int, ...] | None = None
    dtype: str = "float32"
    persistable: bool = False
    kind: str = "tensor"
    is_parameter: bool = False
    stop_gradient: bool = False
    lod_level: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Op:
    """One operator: slots name the variables that it reads and writes, in order.

    Args:
        attr_types: ProgramDesc's AttrType of the attributes whose value does not show it: 64-bit
            integers, blocks, scalars, empty lists. None for an op that was not read from such a
            file. Only writing one reads it.
    """

    id: int
    type: str
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attrs: Mapping[str, Attr] = field(default_factory=dict)
    block: int = 0
    attr_types: Mapping[str, int] | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        reads, writes = (
            ", ".join(list(names)[:3]) for names in (self.input_names(), self.output_names())
        )
        return f"<Op {self.id} {self.type}: {reads} -> {writes}>"

    def input(self, slot: str) -> str | None:
        """The first variable of an input slot, or None."""
        names = self.inputs.get(slot, ())
        return names[0] if names else None

    def output(self, slot: str) -> str | None:
        """The first variable of an output slot, or None."""
        names = self.outputs.get(slot, ())
        return names[0] if names else None

    def input_names(self) -> Iterator[str]:
        """Every variable read, slot by slot, with repetitions."""
        for names in self.inputs.values():
            yield from names

    def output_names(self) -> Iterator[str]:
        """Every variable written, slot by slot, with repetitions."""
        for names in self.outputs.values():
            yield from names

    def get_ints(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """An attribute as a tuple of integers; `default` where it is absent or of another kind."""
        value = self.attrs.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,)
        if isinstance(value, tuple):
            sizes = tuple(v for v in value if isinstance(v, int) and not isinstance(v, bool))
            if len(sizes) == len(value):
                return sizes
        return default

    def get_int(self, name: str, default: int = 0) -> int:
        """An attribute as one integer; `default` where it is absent or of another kind."""
        value = self.attrs.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def get_str(self, name: str, default: str = "") -> str:
        """An attribute as a string; `default` where it is absent or of another kind."""
        value = self.attrs.get(name)
        return value if isinstance(value, str) else default

    @property
    def role(self) -> str:
        """``forward``, ``backward`` or ``optimizer``, by the bits of op_role."""
        value = self.attrs.get("op_role")
        if not value:
            return "forward"
        bits = value if isinstance(value, int) else 0
        if bits & ROLE_OPTIMIZE:
            return "optimizer"
        return "backward" if bits & ROLE_BACKWARD else "forward"


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """A list of ops with their variables; `parent` is -1 for the main block."""

    index: int
    parent: int
    vars: Mapping[str, Var]
    ops: tuple[Op, ...]

    def __repr__(self) -> str:
        return f"<Block {self.index}: {len(self.ops)} ops, {len(self.vars)} variables>"


class Origin(NamedTuple):
    """Where a program came from.

    Args:
        source: what the user typed.
        kind: ``programdesc`` or ``pir``.
        version: the Paddle that wrote it, as ``1.8.4``, or None where the file has no version.
        op_versions: type and version of operators whose definition has changed since their first,
            where the file lists them.
    """

    source: str = ""
    kind: str = "programdesc"
    version: str | None = None
    op_versions: tuple[tuple[str, int], ...] = ()

    def __repr__(self) -> str:
        return f"<Origin {self.source!r}: {self.kind}, version {self.version}>"


@dataclass(frozen=True, repr=False)
class Program:
    """A whole program. Indices are built once, on first use.

    Args:
        blocks: block 0 is the main one.
        feeds: names of the inputs, in the order of the file.
        fetches: names of the outputs, in the order of the file.
        origin: where it came from.
    """

    blocks: tuple[Block, ...]
    feeds: tuple[str, ...] = ()
    fetches: tuple[str, ...] = ()
    origin: Origin = Origin()

    def __repr__(self) -> str:
        source = self.origin.source or "in memory"
        return f"<Program {source!r}: {len(self.ops)} ops in {len(self.blocks)} block(s)>"

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """Every op of every block; ``ops[i].id == i``."""
        return tuple(op for block in self.blocks for op in block.ops)

    @cached_property
    def dataflow(self) -> Dataflow:
        """Who writes and reads what; whoever uses it must not change it."""
        from graphprobe.ir.dataflow import build_dataflow  # that module is made of this one

        return build_dataflow(self)

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """What analyses found in this program before, by keys of their own."""
        return {}

    def var(self, name: str, block: int = 0) -> Var | None:
        """The variable that `name` means in a block: its own, or the nearest ancestor's."""
        if 0 <= block < len(self.blocks):
            found = self.blocks[block].vars.get(name)
            if found is not None or self.blocks[block].parent < 0:
                return found
        seen: set[int] = set()
        while 0 <= block < len(self.blocks) and block not in seen:
            seen.add(block)
            found = self.blocks[block].vars.get(name)
            if found is not None:
                return found
            block = self.blocks[block].parent
        return None

    def shape(self, name: str | None, block: int = 0) -> tuple[int, ...] | None:
        """The shape of a variable, or None where it or its shape is unknown."""
        found = self.var(name, block) if name is not None else None
        return found.shape if found is not None else None

    @cached_property
    def parameters(self) -> tuple[Var, ...]:
        """Persistable tensors that some forward op reads, by first use."""
        found: dict[str, Var] = {}
        for op in self.ops:
            if op.role != "forward":
                continue
            for name in op.input_names():
                if name in found:
                    continue
                var = self.var(name, op.block)
                if var is not None and var.persistable and var.kind == "tensor":
                    found[name] = var
        return tuple(found.values())
