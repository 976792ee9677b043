"""Which values are a parameter in another form: renamed, quantised, reshaped, combined one to one.

What is pruned of a value is pruned of the parameter that it comes from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import prod

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops import OpSpec
from graphprobe.ops.channels.spec import PruneAlong
from graphprobe.ops.kinds import computed_by, is_one_to_one
from graphprobe.ops.symbols.values import ShapeValues

# A channel that is gone is proven to be so with zeros where weights read it: of zeros these make
# other numbers.
_NONZERO = ("sigmoid", "nonzero", "root")
# Between what an op limits numbers: by attributes or by tensors.
_LOWEST, _HIGHEST, _LIMITS = ("min", "t_min"), ("max", "t_max"), ("Min", "Max")
# Two numbers that are combined so are 0 where the first is, or where both are.
_BY_FACTOR, _BY_SUM = ("multiply", "divide"), ("add", "subtract")
# More values than these are not looked through for what a filter is computed from.
_MOST_SOURCES = 64
# Where an op writes what it computes one number of from one number of its input.
_OUTPUTS = ("Out", "Y", "Output")


def keeps_parameter(spec: OpSpec, op: Op) -> bool:
    """Whether what an op makes of a parameter is that parameter in another form."""
    keeps_zeros = is_one_to_one(spec.type) and not makes_no_zero(spec, op)
    return spec.channels.keeps_param or keeps_zeros


def makes_no_zero(spec: OpSpec, op: Op) -> bool:
    """Whether an op makes another number of zero, or none."""
    if spec.computes == "affine":
        return bool(op.attrs.get("bias"))
    if spec.computes == "power":
        factor = op.attrs.get("factor", 1)
        return bool(op.input("FactorTensor")) or not isinstance(factor, (int, float)) or factor <= 0
    if spec.computes == "limit":
        return any(op.input(slot) for slot in _LIMITS) or not _limits_hold_zero(op)
    return spec.computes in _NONZERO


def _limits_hold_zero(op: Op) -> bool:
    lows, highs = ([op.attrs.get(name, 0) for name in names] for names in (_LOWEST, _HIGHEST))
    return not any(isinstance(n, (int, float)) and n > 0 for n in lows) and not any(
        isinstance(n, (int, float)) and n < 0 for n in highs
    )


class ParameterForms:
    """The parameters of a program and the forms that they take on the way to a layer.

    Args:
        flow: the program's values.
        sizes: of all values.
    """

    def __init__(self, flow: Dataflow, sizes: ShapeValues) -> None:
        self._flow = flow
        self._sizes = sizes
        self._names: dict[int, str] = {}
        self._turned: dict[int, str] = {}
        self._beside: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
        self.makers: set[int] = set()  # ops that combine two parameters, or add axes to one

    def name(self, value: Value, op: Op) -> str | None:
        """The parameter that a value is, in whatever form, where an op reads it."""
        if value.id in self._names:
            return self._names[value.id]
        var = self._flow.program.var(value.name, op.block)
        if var is None or not var.persistable or not self._is_kept(value):
            return None
        return value.name

    def _is_kept(self, value: Value) -> bool:
        """Whether a persistable value comes from the weights, and is not computed by the program.

        Running statistics are written in place: what writes them reads them, too.
        """
        writer = self._flow.producer(value)
        return writer is None or value.name in writer.input_names()

    def source(self, value: Value, op: Op) -> str:
        """The largest parameter that a value is computed from in any way, else its own name."""
        todo, seen, best = [value.id], {value.id}, (0, "")
        while todo and len(seen) < _MOST_SOURCES:
            found = self._flow.values[todo.pop()]
            name = self.name(found, op) or ""
            size = prod(self._flow.program.shape(name, op.block) or (0,)) if name else 0
            best = (size, name) if size > best[0] else best
            producer = self._flow.producer(found) if not name else None
            before = [] if producer is None else [v.id for v in self._flow.reads(producer)]
            todo += [i for i in dict.fromkeys(before) if i not in seen]
            seen.update(before)
        return best[1] or value.name

    def form_of(self, value: Value) -> str | None:
        """The parameter that a computed value is another form of."""
        return self._names.get(value.id)

    def read_name(self, value: Value) -> str:
        """The name under which what reads a value reads a parameter; empty where it reads none."""
        return self._names.get(value.id, value.name if value.producer is None else "")

    def keep(self, op: Op) -> None:
        """What an op makes of a parameter one number from one is that parameter."""
        for slot in ("X", "Input"):
            value = self._flow.read(op, slot)
            name = self.name(value, op) if value is not None else None
            for out in _OUTPUTS:
                written = self._flow.written(op, out)
                if name is not None and written is not None:
                    self._names[written.id] = name

    def widen(self, op: Op) -> None:
        """A filter with axes of size 1 more or less behind its first two is that filter.

        Convolutions of one axis are run as such of two.
        """
        value, written = self._flow.read(op, "X"), self._flow.written(op, "Out")
        name = self.name(value, op) if value is not None else None
        if value is None or written is None or name is None:
            return
        before, after = (self._sizes.numbers(v) or () for v in (value, written))
        if min(len(before), len(after)) > 1 and before[:2] == after[:2]:
            self._names[written.id] = name
            self.makers.add(op.id)

    def turn(self, op: Op) -> None:
        """What writes the rows of a matrix as columns makes another form of it."""
        value, written = self._flow.read(op, "X"), self._flow.written(op, "Out")
        name = self.name(value, op) if value is not None else None
        order = op.get_ints("axis") or op.get_ints("perm")
        if name is not None and written is not None and order in ((1, 0), (-1, -2)):
            self._turned[written.id] = name
            self.makers.add(op.id)

    def turned(self, value: Value) -> str | None:
        """The matrix of parameters whose rows are the columns of a value."""
        return self._turned.get(value.id)

    def combine(self, op: Op) -> None:
        """Two parameters combined number by number are one parameter with a companion."""
        x, y = (self._flow.read(op, slot) for slot in ("X", "Y"))
        out = self._flow.written(op, "Out")
        how = computed_by(op.type)
        if x is None or y is None or out is None or how not in (*_BY_FACTOR, *_BY_SUM):
            return
        names = (self.name(x, op), self.name(y, op))
        if names[0] is None or names[1] is None:
            return
        shapes = [self._sizes.numbers(value) or () for value in (x, y)]
        wide, narrow = (0, 1) if len(shapes[0]) >= len(shapes[1]) else (1, 0)
        if how == "divide" and wide:
            return
        missing = len(shapes[wide]) - len(shapes[narrow])
        axis = op.get_int("axis", -1)
        before = min(axis, missing) if axis >= 0 else missing
        ends = shapes[wide][before : before + len(shapes[narrow])]
        same = names[0] == names[1]
        if same and (shapes[0] != shapes[1] or how == "divide"):
            return
        if all(a in (1, b) for a, b in zip(shapes[narrow], ends, strict=True)):
            self.makers.add(op.id)
            self._names[out.id] = names[wide] or ""
            if not same:
                self._beside[names[wide] or ""].append(
                    (names[narrow] or "", before, how in _BY_SUM)
                )

    def companions(self, effect: PruneAlong, op: Op) -> Iterator[PruneAlong]:
        """What is combined one to one with a parameter and has its channels, too.

        Args:
            effect: the parameter and the channels along one of its axes.
            op: that reads it.
        """
        for other, before, summed in self._beside.get(effect.param, ()):
            axis = effect.layout.axis - before
            shape = self._flow.program.shape(other, op.block) or ()
            if 0 <= axis < len(shape) and shape[axis] == effect.layout.extent:
                layout = effect.layout.at(axis)
                read = summed and effect.role == "in"
                yield PruneAlong(other, layout, "in" if read else "each")

    def vector(self, op: Op) -> tuple[Value, str, int] | None:
        """The vector of parameters that an op moves: what it reads, the parameter, its length."""
        value = self._flow.read(op, "X")
        name = self.name(value, op) if value is not None else None
        shape = self._flow.program.shape(name, op.block)
        if value is None or name is None or shape is None or len(shape) != 1 or shape[0] < 2:
            return None
        return value, name, shape[0]

    def moved(self, op: Op, value: Value, name: str) -> None:
        """What moves a vector leaves its numbers as they are."""
        for same in (value, *self._flow.writes(op)):
            self._names[same.id] = name
