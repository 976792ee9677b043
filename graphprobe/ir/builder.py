"""Build tiny programs by hand, for tests and docs.

>>> b = Builder()
>>> image = b.feed("image", (-1, 3, 32, 32))
>>> b.op("relu", {"X": b.conv(image, 8, k=3)})
'relu_0.tmp_0'
>>> [op.type for op in b.build().ops]
['conv2d', 'relu']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from graphprobe.ir.program import Attr, Block, Op, Origin, Program, Var

Slots: TypeAlias = Mapping[str, "str | Sequence[str]"]


@dataclass(slots=True)
class _Draft:
    parent: int
    vars: dict[str, Var] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)


class Builder:
    """Collects variables and ops, then gives a Program. Names follow Paddle's habit."""

    def __init__(self) -> None:
        self._blocks = [_Draft(-1)]
        self._at = 0
        self._feeds: list[str] = []
        self._counts: Counter[str] = Counter()

    def fresh(self, kind: str) -> str:
        """A new stem, as ``conv2d_0``; each kind counts for itself."""
        self._counts[kind] += 1
        return f"{kind}_{self._counts[kind] - 1}"

    def var(
        self,
        name: str | None = None,
        shape: Sequence[int] | None = None,
        dtype: str = "float32",
        *,
        persistable: bool = False,
        kind: str = "tensor",
    ) -> str:
        """Declare a variable of the current block and return its name."""
        name = name if name is not None else f"{self.fresh('tmp')}.tmp_0"
        sizes = None if shape is None else tuple(shape)
        self._block.vars[name] = Var(name, sizes, dtype, persistable, kind)
        return name

    def feed(self, name: str, shape: Sequence[int], dtype: str = "float32") -> str:
        """Declare an input of the program."""
        self._feeds.append(name)
        return self.var(name, shape, dtype)

    def param(self, name: str, shape: Sequence[int]) -> str:
        """Declare a trained parameter, always in the main block."""
        self._blocks[0].vars[name] = Var(
            name, tuple(shape), "float32", persistable=True, is_parameter=True
        )
        return name

    def op(
        self,
        type: str,
        inputs: Slots | None = None,
        outputs: Slots | None = None,
        attrs: Mapping[str, Attr] | None = None,
        shape: Sequence[int] | None = None,
    ) -> str:
        """Append an op to the current block.

        Args:
            type: op type.
            inputs: slot -> a name or names.
            outputs: the same; by default one new variable in slot ``Out``. Names that are not
                declared yet are declared with `shape`.
            attrs: attributes.
            shape: of the outputs that are declared here.

        Returns:
            The first output's name, or an empty string where there is none.
        """
        written = _slots({"Out": f"{self.fresh(type)}.tmp_0"} if outputs is None else outputs)
        names = [name for group in written.values() for name in group]
        for name in names:
            if not self._declared(name):
                self.var(name, shape)
        op = Op(0, type, _slots(inputs or {}), written, dict(attrs or {}), self._at)
        self._block.ops.append(op)
        return names[0] if names else ""

    def conv(
        self,
        x: str,
        filters: int,
        k: int = 1,
        stride: int = 1,
        groups: int = 1,
        *,
        type: str = "conv2d",
        name: str | None = None,
    ) -> str:
        """Append a same-padded convolution with filter ``NAME.w_0``; returns ``NAME.tmp_0``.

        The input's shape is [N, C, H, W]; unknown H and W stay -1.
        """
        stem = name or self.fresh(type)
        batch, channels, *sizes = self._shape(x)
        weight = self.param(f"{stem}.w_0", (filters, channels // groups, k, k))
        shape = (batch, filters, *(s if s < 0 else -(-s // stride) for s in sizes))
        attrs: dict[str, Attr] = {
            "strides": (stride, stride),
            "paddings": (k // 2, k // 2),
            "dilations": (1, 1),
            "groups": groups,
            "data_format": "NCHW",
        }
        slots = {"Input": x, "Filter": weight}
        return self.op(type, slots, {"Output": f"{stem}.tmp_0"}, attrs, shape)

    @contextmanager
    def block(self) -> Iterator[int]:
        """Ops inside ``with`` go to a new block, whose index is given (for ``sub_block``)."""
        outer = self._at
        self._blocks.append(_Draft(outer))
        self._at = len(self._blocks) - 1
        try:
            yield self._at
        finally:
            self._at = outer

    def build(self, fetches: Sequence[str] = (), source: str = "builder") -> Program:
        """The program, with op ids counted block after block."""
        blocks: list[Block] = []
        count = 0
        for index, draft in enumerate(self._blocks):
            ops = tuple(replace(op, id=count + i) for i, op in enumerate(draft.ops))
            count += len(ops)
            blocks.append(Block(index, draft.parent, dict(draft.vars), ops))
        return Program(tuple(blocks), tuple(self._feeds), tuple(fetches), Origin(source))

    @property
    def _block(self) -> _Draft:
        return self._blocks[self._at]

    def _shape(self, name: str) -> tuple[int, ...]:
        var = self._block.vars.get(name) or self._blocks[0].vars[name]
        return var.shape or ()

    def _declared(self, name: str) -> bool:
        at = self._at
        while at >= 0:
            if name in self._blocks[at].vars:
                return True
            at = self._blocks[at].parent
        return False


def _slots(slots: Slots) -> dict[str, tuple[str, ...]]:
    return {k: (v,) if isinstance(v, str) else tuple(v) for k, v in slots.items()}
