"""What ProgramDesc wants of an operator and PIR leaves out.

A program read from PIR json has ProgramDesc's op types, slots and attribute names already; reading
needs no more. To run in Paddle 2 an op also needs

1. data types as numbers of VarType (PIR writes ``float32``);
2. attributes that PIR takes from the type of a value: ``in_dtype`` of cast, the one list of
   ``assign_value`` that has the type of the output, ``str_value`` of fill_constant;
3. moving statistics that batch norm writes into the variables that it read;
4. a tensor where the operand was a constant and ProgramDesc has no attribute for it (``range``);
5. ``shape64``, whose result is int64, as ``shape`` and a cast;
6. every attribute that Paddle has a default for: gradients are made from what is written;
7. another type for an operator that PIR has joined or renamed (`operators`);
8. the shape that the gradient of a reshape reads (``XShape``), so that the program can be trained.

What still does not match the operators of Paddle 2.6.2 is collected and reported all at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from graphprobe.errors import ExportError
from graphprobe.formats.pir.operators import (
    UNDEFINED,
    by_position,
    completed,
    is_neutral,
    retyped,
)
from graphprobe.formats.programdesc.protos import COMMON, OpProto, op_proto, paddle_version
from graphprobe.formats.programdesc.types import INT
from graphprobe.formats.programdesc.write import DTYPE_NUMBERS
from graphprobe.ir import Attr, Block, Op, Origin, Program, Var
from graphprobe.ops.pir_names import attribute_slots

# Attributes of PIR without influence on the result: where it is computed, and display names.
_DROPPED = ("place", "name", "stop_gradient")
_SHOWN = 12


def complete(program: Program) -> Program:
    """A program from PIR json with everything that Paddle 2 needs to run it.

    Returns:
        The program, with the version of Paddle that it is written for.

    Raises:
        ExportError: operators, slots or attributes that Paddle 2.6.2 does not have, all of them.
    """
    problems: Counter[str] = Counter()
    blocks: list[Block] = []
    first = 0
    for block in program.blocks:
        draft = _Draft(program, block)
        for op in block.ops:
            draft.add(op)
        problems.update(draft.problems)
        ops = tuple(replace(op, id=first + i) for i, op in enumerate(draft.ops))
        first += len(ops)
        blocks.append(replace(block, vars=draft.vars, ops=ops))
    if problems:
        raise _refusal(problems, program.origin.source)
    types = {op.type for block in blocks for op in block.ops}
    versions = ((type, _version(type)) for type in sorted(types))
    origin = Origin(
        program.origin.source,
        "programdesc",
        paddle_version(),
        tuple((type, version) for type, version in versions if version),
    )
    return replace(program, blocks=tuple(blocks), origin=origin)


def _version(type: str) -> int:
    proto = op_proto(type)
    return proto.version if proto is not None else 0


def _refusal(problems: Counter[str], source: str) -> ExportError:
    shown = [
        f"{text} ({count} ops)" if count > 1 else text
        for text, count in sorted(problems.items())[:_SHOWN]
    ]
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return ExportError(
        f"cannot be written for Paddle {paddle_version()}: {'; '.join(shown)}{more}",
        where=source,
        hint="export the model without these operators, or keep it in Paddle 3",
    )


class _Draft:
    """One block while its ops are completed."""

    def __init__(self, program: Program, block: Block) -> None:
        self.program, self.block = program, block
        # States that are not saved are declared as parameters too; Paddle 2 would look for a value.
        self.vars: dict[str, Var] = {
            name: replace(var, is_parameter=var.is_parameter and var.persistable)
            for name, var in block.vars.items()
        }
        self.ops: list[Op] = []
        self.problems: Counter[str] = Counter()

    def add(self, op: Op) -> None:
        """Append an op and what it needs around it, or note why it cannot be written."""
        op = retyped(op)
        proto = op_proto(op.type)
        if proto is None:
            self.problems[f"no operator {op.type}"] += 1
            return
        attrs = {
            name: self._value(value, proto.attrs.get(name))
            for name, value in op.attrs.items()
            if name not in _DROPPED and not is_neutral(op.type, name, value)
        }
        op = replace(op, attrs={n: v for n, v in attrs.items() if v is not None})
        op = completed(self, by_position(op, proto), proto)
        op = self._shapes_for_gradients(self._constants_as_tensors(op, proto), proto)
        self._check(op, proto)
        op = replace(op, attrs={**proto.defaults, **op.attrs})
        self.ops.extend(self._widened(op))

    def var(self, name: str) -> Var | None:
        """A variable of this block, of one above it, or one made here."""
        return self.vars.get(name) or self.program.var(name, self.block.index)

    def dtype(self, name: str | None) -> str:
        """The data type of a variable, ``unknown`` where it has none."""
        found = self.var(name) if name is not None else None
        return found.dtype if found is not None else "unknown"

    def new_var(self, like: str, suffix: str, dtype: str, shape: tuple[int, ...] | None) -> str:
        """Declare a variable that the json does not have."""
        name = f"{like}.{suffix}"
        while self.var(name) is not None:
            name += "_"
        self.vars[name] = Var(name, shape, dtype, stop_gradient=True)
        return name

    @staticmethod
    def _value(value: Attr, kind: int | None) -> Attr:
        """Data types as numbers."""
        if kind == INT and isinstance(value, str):
            return DTYPE_NUMBERS.get(value.lower(), UNDEFINED)
        return value

    def _constants_as_tensors(self, op: Op, proto: OpProto) -> Op:
        """Constants that were operands, as tensors where the operator has no attribute for them."""
        slots = attribute_slots(op.type)
        attrs, inputs = dict(op.attrs), dict(op.inputs)
        for name, value in op.attrs.items():
            slot = slots.get(name)
            if slot is None or name in proto.attrs or slot not in proto.inputs or inputs.get(slot):
                continue
            out = op.output(next(iter(op.outputs), ""))
            dtype = self.dtype(out)
            items = value if isinstance(value, tuple) else (value,)
            shape = (len(items),) if isinstance(value, tuple) else ()
            name_of = self.new_var(out or op.type, slot.lower(), dtype, shape)
            self.add(_constant(name_of, shape, dtype, items, op.block))
            inputs[slot] = (name_of,)
            del attrs[name]
        return replace(op, attrs=attrs, inputs=inputs)

    def _shapes_for_gradients(self, op: Op, proto: OpProto) -> Op:
        """``XShape`` of reshape2 and its kind: a variable of shape [0, shape of X]."""
        x, out = op.input("X"), op.output("Out")
        if "XShape" not in proto.outputs or x is None or out is None or op.outputs.get("XShape"):
            return op
        found = self.var(x)
        shape = None if found is None or found.shape is None else (0, *found.shape)
        name = self.new_var(out, "xshape", self.dtype(x), shape)
        return replace(op, outputs={**op.outputs, "XShape": (name,)})

    def _check(self, op: Op, proto: OpProto) -> None:
        """Note slots and attributes that the operator does not have, and slots that it lacks."""
        for given, known, word in (
            (op.inputs, proto.inputs, "input"),
            (op.outputs, proto.outputs, "output"),
        ):
            for slot in given.keys() - known.keys():
                self.problems[f"{op.type} has no {word} {slot}"] += 1
            for slot, needed in known.items():
                if needed and word == "input" and not given.get(slot):
                    self.problems[f"{op.type} lacks its {word} {slot}"] += 1
        for name in op.attrs.keys() - proto.attrs.keys() - COMMON.keys():
            self.problems[f"{op.type} has no attribute {name}"] += 1

    def _widened(self, op: Op) -> Iterator[Op]:
        """``shape`` gives int32 in Paddle 2; a result that is int64 is cast."""
        out = op.output("Out")
        if op.type != "shape" or out is None or self.dtype(out) != "int64":
            yield op
            return
        found = self.var(out)
        narrow = self.new_var(out, "int32", "int32", found.shape if found else None)
        yield replace(op, outputs={"Out": (narrow,)})
        attrs: dict[str, Attr] = {
            "in_dtype": DTYPE_NUMBERS["int32"],
            "out_dtype": DTYPE_NUMBERS["int64"],
        }
        yield Op(0, "cast", {"X": (narrow,)}, {"Out": (out,)}, attrs, op.block)


def _constant(
    name: str, shape: tuple[int, ...], dtype: str, items: tuple[Attr, ...], block: int
) -> Op:
    """The op that fills a new variable: one value, or a list of them."""
    outputs = {"Out": (name,)}
    kind = DTYPE_NUMBERS.get(dtype, UNDEFINED)
    if not shape:
        attrs: dict[str, Attr] = {"shape": (), "dtype": kind, "value": items[0]}
        return Op(0, "fill_constant", {}, outputs, attrs, block)
    values = tuple(item for item in items if isinstance(item, bool | int | float | str))
    return Op(0, "assign_value", {}, outputs, {"dtype": kind, "values": values}, block)
