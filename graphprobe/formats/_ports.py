"""The inputs and outputs of a program, from its main block."""

from __future__ import annotations

from graphprobe.ir import Block, Op


def ports(block: Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the feeds and the fetches.

    Feed and fetch ops name them, in the order of their columns. A program that was not saved for
    inference has none; then its feeds are what ops read before any op writes it, without what is
    persistable or not a tensor, and its fetches stay unknown (empty).
    """
    feeds = _columns(block, "feed", "Out")
    fetches = _columns(block, "fetch", "X")
    return feeds or _unwritten(block), fetches


def _columns(block: Block, type: str, slot: str) -> tuple[str, ...]:
    ends = (op for op in block.ops if op.type == type and op.inputs.get("X"))
    names = ((_side(op)[slot] or ("",))[0] for op in sorted(ends, key=_column))
    return tuple(name for name in names if name)


def _side(op: Op) -> dict[str, tuple[str, ...]]:
    return {"X": op.inputs.get("X", ()), "Out": op.outputs.get("Out", ())}


def _column(op: Op) -> int:
    return op.get_int("col")


def _unwritten(block: Block) -> tuple[str, ...]:
    found: dict[str, None] = {}
    written: set[str] = set()
    for op in block.ops:
        for name in op.input_names():
            var = block.vars.get(name)
            if name in written or var is None or var.persistable or var.kind != "tensor":
                continue
            found[name] = None
        written.update(op.output_names())
    return tuple(found)
