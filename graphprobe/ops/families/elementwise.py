"""Two or more tensors into one, element by element: residual adds, biases, products, masks.

Paddle aligns the axes of the smaller operand at attribute ``axis`` of the larger one (-1: at the
end), then broadcasts sizes of 1.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator

from graphprobe.ops.channels.layout import ChannelLayout
from graphprobe.ops.channels.rules import blocks, fixed, together
from graphprobe.ops.channels.spec import Effect, OpContext, Port, Propagate, Rule
from graphprobe.ops.facets import NoMap, family, operators
from graphprobe.ops.shapes.contents import (
    ADD,
    FLOOR_DIVIDE,
    MULTIPLY,
    REMAINDER,
    SUBTRACT,
    Binary,
    chosen_numbers,
    divided,
    elementwise,
    larger,
    smaller,
)
from graphprobe.ops.shapes.rules import one_number, summed
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS


def _binary(x_slot: str = "X", y_slot: str = "Y", out: str = "Out") -> Rule:
    def rule(view: OpContext) -> Iterator[Effect]:
        x, y = view.port(x_slot), view.port(y_slot)
        if x is None or y is None or (x.layout is None and y.layout is None):
            yield from fixed(view, "one of its operands is missing")
            return
        if x.shape is None or y.shape is None:
            yield from fixed(view, "the rank of an operand is not known")
            return
        yield from _combine(x, y, view.op.get_int("axis", -1), out)

    return rule


def _combine(x: Port, y: Port, axis: int, out: str) -> Iterator[Effect]:
    x, y = _ranked(x, y, axis), _ranked(y, x, axis)
    main, other = (x, y) if x.layout is not None and x.param is None else (y, x)
    if main.layout is None:
        main, other = other, main
    if (
        other.layout is not None
        and main.layout is not None
        and _is_single(main.layout, other.layout)
    ):
        main, other = other, main
    if main.layout is not None:
        yield from together(main.layout, other, main.layout.axis)
        yield Propagate(out, main.layout)


def _is_single(a: ChannelLayout, b: ChannelLayout) -> bool:
    return a.extent == 1 < b.extent


def _ranked(port: Port, beside: Port, axis: int) -> Port:
    """The port as if its shape had the rank of the larger operand."""
    shape, larger = port.shape or (), beside.shape or ()
    missing = len(larger) - len(shape)
    if missing <= 0:
        return port
    before = min(axis, missing) if axis >= 0 else missing
    sizes = (1,) * before + shape + (1,) * (missing - before)
    layout = port.layout.at(port.layout.axis + before) if port.layout else None
    return Port(port.name, sizes, layout, port.param, port.offset + before)


def _sum(view: OpContext) -> Iterator[Effect]:
    """Any number of operands of one shape."""
    ports = view.ports("X")
    main = next((p for p in ports if p.layout is not None), None)
    if main is None or main.layout is None:
        return
    for port in ports:
        if port is not main:
            yield from together(main.layout, port, main.layout.axis)
    yield Propagate("Out", main.layout)


def _where(view: OpContext) -> Iterator[Effect]:
    """Out = X where Condition, else Y; all of one shape."""
    ports = [p for slot in ("X", "Y", "Condition") for p in view.ports(slot)]
    main = next((p for p in ports if p.layout is not None), None)
    if main is None or main.layout is None:
        return
    for port in ports:
        if port is not main:
            yield from together(main.layout, port, main.layout.axis)
    yield Propagate("Out", main.layout)


_PIR = """
add = elementwise_add : X Y > Out
subtract = elementwise_sub : X Y > Out
multiply = elementwise_mul : X Y > Out
divide = elementwise_div : X Y > Out
maximum = elementwise_max : X Y > Out
minimum = elementwise_min : X Y > Out
remainder = elementwise_mod : X Y > Out
floor_divide = elementwise_floordiv : X Y > Out
fmax = elementwise_fmax : X Y > Out
fmin = elementwise_fmin : X Y > Out
heaviside = elementwise_heaviside : X Y > Out
elementwise_pow : X Y > Out
grad_add : X Y > Out
add_n = sum
atan2 : X1 X2 > Out
complex : X Y > Out
equal : X Y > Out
not_equal : X Y > Out
less_than : X Y > Out
less_equal : X Y > Out
greater_than : X Y > Out
greater_equal : X Y > Out
logical_and : X Y > Out
logical_or : X Y > Out
logical_xor : X Y > Out
bitwise_and : X Y > Out
bitwise_or : X Y > Out
bitwise_xor : X Y > Out
where : Condition X Y > Out
"""

# Contents of small tensors, as those of shapes, are computed with these.
_COMPUTES: dict[str, Binary] = {
    "elementwise_add": ADD,
    "elementwise_sub": SUBTRACT,
    "elementwise_mul": MULTIPLY,
    "elementwise_div": divided,
    "elementwise_max": larger,
    "elementwise_min": smaller,
    "elementwise_mod": REMAINDER,
    "elementwise_floordiv": FLOOR_DIVIDE,
    "maximum": larger,
    "minimum": smaller,
    "greater_than": operator.gt,
    "greater_equal": operator.ge,
    "less_than": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
}

FAMILY = family(
    "elementwise",
    operators(
        "elementwise_add:add elementwise_sub:sub elementwise_mul:mul elementwise_div:div "
        "elementwise_max:max elementwise_min:min elementwise_pow:pow elementwise_mod:mod "
        "elementwise_floordiv:floordiv elementwise_fmax:fmax elementwise_fmin:fmin "
        "elementwise_heaviside:heaviside maximum minimum grad_add:add "
        "fused_elemwise_activation:add fused_elemwise_add_activation:add "
        "fused_elementwise_add:add fused_elementwise_sub:sub fused_elementwise_mul:mul "
        "fused_elementwise_div:div",
        kind="elementwise",
        channels=_binary(),
        spatial=same,
        shapes=elementwise(_COMPUTES),
        work=ELEMENTS,
        computes={
            "elementwise_add": "add",
            "fused_elementwise_add": "add",
            "grad_add": "add",
            "elementwise_sub": "subtract",
            "fused_elementwise_sub": "subtract",
            "elementwise_mul": "multiply",
            "fused_elementwise_mul": "multiply",
            "elementwise_div": "divide",
            "fused_elementwise_div": "divide",
        },
    ),
    operators(
        "greater_than greater_equal less_than less_equal equal not_equal logical_and logical_or "
        "logical_xor bitwise_and bitwise_or bitwise_xor",
        kind="comparison",
        channels=_binary(),
        spatial=same,
        shapes=elementwise(_COMPUTES),
        work=ELEMENTS,
    ),
    operators(
        "atan2",
        kind="elementwise",
        channels=_binary("X1", "X2"),
        spatial=same,
        shapes=elementwise({}, "X1", "X2"),
        work=ELEMENTS,
    ),
    operators(
        "complex",
        kind="elementwise",
        channels=_binary(),
        spatial=same,
        shapes=elementwise({}),
        work=ELEMENTS,
    ),
    operators(
        "sum add_n:sum",
        kind="elementwise",
        channels=_sum,
        spatial=same,
        shapes=summed,
        work=ELEMENTS,
        computes="add",
    ),
    operators(
        "where",
        kind="elementwise",
        channels=_where,
        spatial=same,
        shapes=chosen_numbers,
        work=ELEMENTS,
    ),
    operators(
        "equal_all allclose isclose is_empty",
        kind="comparison",
        channels=blocks("one result is made of all of them"),
        spatial=NoMap("it makes one number"),
        shapes=one_number,
        work=ELEMENTS,
    ),
    pir=_PIR,
)
