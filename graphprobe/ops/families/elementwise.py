"""Two or more tensors into one, element by element: residual adds, biases, products, masks.

Paddle aligns the axes of the smaller operand at attribute ``axis`` of the larger one (-1: at the
end), then broadcasts sizes of 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channel_layout import ChannelLayout
from graphprobe.ops.shared_rules import fixed, together
from graphprobe.ops.spec import Effect, Family, OpContext, OpSpec, Port, Propagate, table


def _binary(x_slot: str = "X", y_slot: str = "Y", out: str = "Out") -> OpSpec:
    def rule(view: OpContext) -> Iterator[Effect]:
        x, y = view.port(x_slot), view.port(y_slot)
        if x is None or y is None or (x.layout is None and y.layout is None):
            yield from fixed(view, "one of its operands is missing")
            return
        if x.shape is None or y.shape is None:
            yield from fixed(view, "the rank of an operand is not known")
            return
        yield from _combine(x, y, view.op.get_int("axis", -1), out)

    return OpSpec(rule)


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


FAMILY = Family(
    "elementwise",
    table(
        (
            _binary(),
            "elementwise_add elementwise_sub elementwise_mul elementwise_div elementwise_max "
            "elementwise_min elementwise_pow elementwise_mod elementwise_floordiv maximum "
            "minimum fused_elemwise_activation fused_elemwise_add_activation "
            "fused_elementwise_add fused_elementwise_sub fused_elementwise_mul "
            "fused_elementwise_div greater_than greater_equal less_than less_equal equal "
            "not_equal logical_and logical_or logical_xor",
        ),
        (OpSpec(_sum), "sum add_n"),
        (OpSpec(_where), "where"),
    ),
)
