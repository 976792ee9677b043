"""Sizes of tensors as products of numbers and symbols: ``2 * N * H``.

A size that a program leaves open is a symbol of its own; sizes that are made of others keep what
they are made of. So two sizes are known to be equal where their products are, whatever they are
when the network runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias


class Size(NamedTuple):
    """A product: `factor` times some symbols, in order (a symbol may stand twice)."""

    factor: int
    symbols: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is a number."""
        return not self.symbols

    def times(self, other: Size) -> Size:
        """The product of two sizes."""
        return Size(self.factor * other.factor, tuple(sorted(self.symbols + other.symbols)))

    def over(self, other: Size) -> Size | None:
        """The quotient, or None where it is no product of whole numbers and symbols."""
        left = list(self.symbols)
        for symbol in other.symbols:
            if symbol not in left:
                return None
            left.remove(symbol)
        if other.factor == 0 or self.factor % other.factor:
            return None
        return Size(self.factor // other.factor, tuple(left))


ONE = Size(1)


def product(sizes: Iterable[Size]) -> Size:
    """The product of any number of sizes."""
    return reduce(Size.times, sizes, ONE)


class SizeNumbers:
    """Sizes as integers for what compares them: a known one is itself, any other below -1.

    Equal sizes have equal numbers, and what is below 1 is not a number to calculate with.
    """

    def __init__(self) -> None:
        self._numbers: dict[Size, int] = {}

    def number(self, size: Size) -> int:
        """The integer that stands for a size."""
        if size.known:
            return size.factor
        return self._numbers.setdefault(size, -2 - len(self._numbers))

    def numbers(self, sizes: Sequence[Size] | None) -> tuple[int, ...] | None:
        """The integers that stand for the sizes of a tensor."""
        return None if sizes is None else tuple(self.number(size) for size in sizes)


class ConstantSource(NamedTuple):
    """Where a constant entry is written: an attribute of an op, and which entry of a list."""

    op: int
    attr: str
    entry: int | None = None


class ShapeEntry(NamedTuple):
    """One entry of a shape.

    Args:
        size: what it is; 0 and -1 as a reshape means them.
        source: where the constant is written; None where it is measured or computed.
        value: id of the value that was measured, or None.
        axis: its axis.
        divided: by what the measured size was divided.
    """

    size: Size
    source: ConstantSource | None = None
    value: int | None = None
    axis: int = 0
    divided: int = 1


Sizes: TypeAlias = tuple[Size, ...]
Entries: TypeAlias = tuple[ShapeEntry, ...]
