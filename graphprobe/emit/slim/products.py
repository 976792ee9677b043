"""What PaddleSlim does at products of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from graphprobe.emit.slim.steps import At, Change, NotFollowed, Step


def mul(at: At) -> Iterator[Step]:
    """A product with rows and columns counted by attributes."""
    x, y, out = at.read("X"), at.read("Y"), at.written()
    wide, weight = at.shape(x), at.shape(y)
    lead, rows = at.op.get_int("x_num_col_dims", 1), at.op.get_int("y_num_col_dims", 1)
    if at.var == x:
        before = at.axis < lead
        if rows > 1 and not before:
            raise NotFollowed(at.op.type)
        change = Change("repeat", prod(wide[at.axis + 1 : lead if before else len(wide)]))
        yield at.cut(out if before else y, 0, change)
        yield at.go(out if before else y, 0, change)
    elif at.var == y:
        before = at.axis < rows
        if before and len(wide) - lead > 1 and max(wide[lead:], default=0) != prod(weight[:rows]):
            raise NotFollowed(at.op.type)
        yield at.cut(y)
        yield at.go(y)
        change = Change("repeat", prod(weight[at.axis + 1 : rows if before else len(weight)]))
        largest = max(range(lead, len(wide)), key=lambda i: wide[i], default=-1) if before else 1
        yield at.cut(x if before else out, largest, change)
        yield at.go(x if before else out, largest, change)
    else:
        if (at.axis == 0 and lead != 1) or (at.axis == 1 and len(weight) - rows != 1):
            raise NotFollowed(at.op.type)
        if at.axis in (0, 1):
            name, axis = (x, 0) if at.axis == 0 else (y, len(weight) - 1)
            yield at.cut(name, axis)
            yield at.go(name, axis)


# Ranks of the operands -> the axes of X, Y and Out that are one; -1: none.
_PRODUCTS = {
    (1, 1): ((0, 0, 0),),
    (1, 2): ((0, 0, -1), (-1, 1, 0)),
    (2, 2): ((0, -1, 0), (1, 0, -1), (-1, 1, 1)),
    (3, 1): ((1, -1, 1), (2, 0, -1)),
    (2, 3): ((0, -1, 1), (1, 1, -1), (-1, 2, 2)),
    (3, 2): ((2, 0, -1), (-1, 1, 2)),
    (4, 4): ((1, 1, 1),),
}


def matmul(at: At) -> Iterator[Step]:
    """A product, by the ranks of its operands."""
    names = (at.read("X"), at.read("Y"), at.written())
    ranks = (len(at.shape(names[0])), len(at.shape(names[1])))
    alike: tuple[tuple[int, int, int], ...] = _PRODUCTS.get(ranks, ())
    if not alike and min(ranks) >= 3:
        last = ranks[0] - 1
        alike = ((last - 1, -1, last - 1), (last, last - 1, -1), (-1, last, last))
    for me in (i for i in range(3) if names[i] == at.var):
        axes = next((each for each in alike if each[me] == at.axis), None)
        for i in (0, 1, 2) if axes is not None else ():
            weight = me == i == 1 and "w_" in at.var
            if axes is not None and axes[i] != -1 and (me != i or weight):
                if i < 2:
                    yield at.cut(names[i], axes[i])
                yield at.go(names[i], axes[i])
