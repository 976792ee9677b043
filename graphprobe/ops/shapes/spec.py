"""What a rule of the facet ``shapes`` sees and returns: sizes, and the contents of small tensors.

Programs compute shapes with their own ops: ``shape`` reads one, slice, concat and arithmetic
change it, ``reshape2`` and the resizes use it. So small tensors of numbers are followed with
their contents, entry by entry; an entry that is not known is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, prod
from typing import NamedTuple, TypeAlias

from graphprobe.ir import Op

Sizes: TypeAlias = tuple[int, ...]
Number: TypeAlias = int | float
# Contents of larger tensors are not followed; shapes and their parts are far smaller.
MAX_DATA = 1024


class Tensor(NamedTuple):
    """What is known of a value.

    Args:
        shape: its sizes, -1 where unknown; None where not even the rank is known.
        data: its numbers, row by row, None where one is unknown; None where none is.
    """

    shape: Sizes | None = None
    data: tuple[Number | None, ...] | None = None

    @property
    def numel(self) -> int:
        """How many numbers it holds; -1 where unknown."""
        if self.shape is None or any(size < 0 for size in self.shape):
            return -1
        return prod(self.shape)

    def entries(self) -> tuple[Number | None, ...] | None:
        """Its numbers, all unknown where nothing is known of a small one; None for large ones."""
        if self.data is not None:
            return self.data
        return (None,) * self.numel if 0 <= self.numel <= MAX_DATA else None

    def sizes(self) -> tuple[int | None, ...] | None:
        """Its numbers as sizes."""
        found = self.entries()
        return None if found is None else tuple(None if n is None else int(n) for n in found)

    def single(self) -> Number | None:
        """Its one number, or None."""
        return self.data[0] if self.data is not None and len(self.data) == 1 else None


UNKNOWN = Tensor()


def tensor(shape: Sizes | None, data: Sequence[Number | None] | None = None) -> Tensor:
    """A tensor whose contents are kept where they are few and fit its shape.

    Infinities and what is no number count nothing: they are unknown.
    """
    if data is None or shape is None or len(data) > MAX_DATA or prod(shape) != len(data):
        return Tensor(shape)
    numbers = tuple(map(finite, data))
    return Tensor(shape, numbers) if any(n is not None for n in numbers) else Tensor(shape)


def finite(value: object) -> Number | None:
    """A value that is a finite number; None for all others."""
    if isinstance(value, int):
        return value
    return value if isinstance(value, float) and isfinite(value) else None


class Made(NamedTuple):
    """What is known of one output."""

    slot: str
    tensor: Tensor
    at: int = 0


class ShapeContext(NamedTuple):
    """One op as its rule sees it."""

    op: Op
    inputs: Mapping[str, tuple[Tensor, ...]]

    def get(self, *slots: str) -> Tensor:
        """The first input of the first of these slots that has one."""
        for slot in slots:
            for found in self.inputs.get(slot, ()):
                return found
        return UNKNOWN

    def every(self, slot: str) -> tuple[Tensor, ...]:
        """All inputs of a slot."""
        return self.inputs.get(slot, ())

    def out(self, made: Tensor) -> Iterator[Made]:
        """The main output is this."""
        for slot in ("Out", "Y", "Output", "Result"):
            if self.op.outputs.get(slot):
                yield Made(slot, made)
                return

    def numbers(
        self, attr: str, whole: Sequence[str] = (), parts: Sequence[str] = ()
    ) -> tuple[int | None, ...] | None:
        """Sizes, axes or positions that an op is given in one of three ways.

        Args:
            attr: the attribute with them.
            whole: slots of one tensor that holds all; it goes before the attribute.
            parts: slots of a list of tensors with one each; it goes before both.

        Returns:
            None where they are computed and not known.
        """
        for slot in parts:
            if self.inputs.get(slot):
                return tuple(_size(t.single()) for t in self.inputs[slot])
        for slot in whole:
            if self.inputs.get(slot):
                return self.inputs[slot][0].sizes()
        return self.op.get_ints(attr)

    def number(self, attr: str, default: int, *slots: str) -> int | None:
        """One number from a tensor or an attribute; None where it is computed and not known."""
        for slot in slots:
            if self.inputs.get(slot):
                return _size(self.inputs[slot][0].single())
        return self.op.get_int(attr, default)


def _size(number: Number | None) -> int | None:
    return None if number is None else int(number)


ShapeRule: TypeAlias = Callable[[ShapeContext], Iterator[Made]]


class Declared(NamedTuple):
    """An op whose outputs have the sizes that the program declares, and why no more is known."""

    reason: str


def axis_at(axis: int | None, rank: int) -> int | None:
    """An axis counted from 0, or None where it is unknown or none of this rank."""
    if axis is None or not -rank <= axis < rank:
        return None
    return axis % rank


def known_product(sizes: Sequence[int]) -> int:
    """The product of sizes, -1 where one is unknown."""
    return -1 if any(size < 0 for size in sizes) else prod(sizes)
