"""The words on a node: what it does, its parameters, what comes out, how it may be pruned."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphprobe.drawing.figures import channels_made
from graphprobe.drawing.folding.fold import Fold, Level
from graphprobe.drawing.folding.units import is_bias
from graphprobe.drawing.graph import Item, is_state
from graphprobe.drawing.marks import Marks, status
from graphprobe.ir import Op
from graphprobe.ops.facets import Kind
from graphprobe.ops.kinds import (
    is_convolution,
    is_depthwise,
    is_linear,
    is_transposed,
    kind_of,
    label_of,
)

# What Paddle calls parameters of layers without a name of their own (conv2d_12.w_0).
_AUTOMATIC = re.compile(r"(.+)_\d+\.([wb]_\d+|tmp_\d+|w_\d+_\w+)$")
_MAX_KINDS = 4


@dataclass(frozen=True, slots=True)
class Words:
    """The text of one node.

    Args:
        title: what it is.
        lines: details, most important first.
        statuses: the prune status of each convolution inside, in order.
        kind: ``input``, ``output``, ``conv`` or ``op``; decides the colour of the frame.
        shares: prune statuses with the share of channels that each has, where those are shown
            instead of counts.
        fill: a colour in place of that of the kind.
    """

    title: str
    lines: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    kind: str = "op"
    shares: tuple[tuple[str, float], ...] = ()
    fill: str | None = None


def describe(fold: Fold, level: Level, marks: Marks, parameters: bool = True) -> list[Words]:
    """The words of every node of a level.

    Args:
        fold: the folded program.
        level: which of its levels.
        marks: prune decisions and targets.
        parameters: whether units list their filters by name.
    """
    names = _Names(fold) if level in ("stage", "block") else None
    return [
        _node(fold, level, items, marks, names, parameters) for items in fold.levels[level].items
    ]


def _node(
    fold: Fold,
    level: Level,
    items: Sequence[int],
    marks: Marks,
    names: _Names | None,
    parameters: bool,
) -> Words:
    first = fold.graph.items[items[0]]
    if first.kind != "op" and len(items) == 1:
        return Words(f"{first.kind} {first.name}", tuple(_shape_line(fold, first)), (), first.kind)
    convs = list(convolutions(fold, items))
    known = marks.decisions or marks.targets
    statuses = tuple(status(marks, op.input("Filter")) for op in convs) if known else ()
    kind = "conv" if convs else "op"
    lines: list[str] = []
    if names is not None and len(items) > 1 and len(convs) != 1:
        title, kinds = names.title(items), summary(fold, items)
        lines = [kinds] if title else []
        title = title or kinds
    else:
        title = phrase(fold, items)
        lines = [p for op in convs if (p := op.input("Filter")) and parameters]
        lines += [p for i in items for p in _matrix_names(fold, fold.graph.items[i])]
    lines += _out_line(fold, level, items)
    return Words(title, (*lines, *_role_line(fold, items)), statuses, kind)


def convolutions(fold: Fold, items: Sequence[int]) -> Iterator[Op]:
    """The convolutions among items."""
    for item in items:
        op = fold.graph.items[item].op
        if op is not None and is_convolution(op.type):
            yield op


def phrase(fold: Fold, items: Sequence[int]) -> str:
    """Ops in a row, as ``conv 3x3 /2 · bn · relu``; equal neighbours are counted."""
    words: list[str] = []
    for item in items:
        op = fold.graph.items[item].op
        if op is not None and not (kind_of(op.type) == "source" and len(items) > 1):
            words.append(op_word(fold, op))
    counted = Counter(words)
    seen = dict.fromkeys(words)
    return " · ".join(w if counted[w] == 1 else f"{counted[w]}× {w}" for w in seen) or "constant"


def op_word(fold: Fold, op: Op) -> str:
    """One op in a word or two."""
    if is_bias(fold.graph, op):
        return "bias"
    word = label_of(op.type)
    if not is_convolution(op.type):
        return word
    shape = fold.graph.program.shape(op.input("Filter"), op.block) or ()
    size = "×".join(str(n) for n in shape[2:])
    depthwise = is_depthwise(op, fold.graph.program)
    parts = [_depthwise_word(op) if depthwise else word, size, _stride_word(op)]
    if not depthwise and op.get_int("groups", 1) > 1:
        parts.append(f"g{op.get_int('groups', 1)}")
    made = channels_made(op, shape)
    if made is not None:
        parts.append(f"→{made}")
    return " ".join(p for p in parts if p)


def _stride_word(op: Op) -> str:
    """As ``/2``, or ``/2×1`` where height and width differ; empty where each position counts."""
    strides = op.get_ints("strides", (1,)) or (1,)
    if max(strides) <= 1:
        return ""
    return f"/{'×'.join(map(str, strides if len(set(strides)) > 1 else strides[:1]))}"


def _depthwise_word(op: Op) -> str:
    return "dwdeconv" if is_transposed(op.type) else "dwconv"


def summary(fold: Fold, items: Sequence[int]) -> str:
    """How many of which ops: ``9 conv · 2 add · resize``, convolutions first."""
    kinds: Counter[str] = Counter()
    kind: dict[str, Kind | None] = {}
    for item in items:
        op = fold.graph.items[item].op
        if op is not None and not is_bias(fold.graph, op):
            kinds[label_of(op.type)] += 1
            kind[label_of(op.type)] = kind_of(op.type)
    for omitted in [k for k in kinds if kind[k] in ("norm", "source")]:
        if len(kinds) > 1:
            kinds.pop(omitted)
    ranked = sorted(kinds, key=lambda k: (kind[k] != "convolution", -kinds[k], k))
    words = [k if kinds[k] == 1 else f"{kinds[k]} {k}" for k in ranked[:_MAX_KINDS]]
    if len(ranked) > _MAX_KINDS:
        words.append(f"+{len(ranked) - _MAX_KINDS} kinds")
    return " · ".join(words)


def _matrix_names(fold: Fold, item: Item) -> Iterator[str]:
    if item.op is not None and is_linear(item.op.type):
        name = item.op.input("Y") or item.op.input("W")
        if name is not None and is_state(fold.graph.program, name, item.op.block):
            yield name


def shape_text(shape: tuple[int, ...] | None) -> str:
    """A shape as ``[N, 32, ?, ?]``-free text: ``[-1, 32, -1, -1]``; empty where unknown."""
    return "" if shape is None else f"[{', '.join(map(str, shape))}]"


def _shape_line(fold: Fold, item: Item) -> Iterator[str]:
    shape = fold.graph.program.shape(item.name, item.op.block if item.op else 0)
    if shape is not None:
        yield shape_text(shape)


def _out_line(fold: Fold, level: Level, items: Sequence[int]) -> list[str]:
    """Where a node ends: its stride and the name and shape of its last variable."""
    last = fold.graph.items[items[-1]]
    stride = fold.strides[items[-1]]
    parts = []
    if stride is not None and level in ("stage", "block"):
        parts.append(f"stride {stride}")
    parts.append(" ".join([last.name, *_shape_line(fold, last)]))
    return [" · ".join(parts)]


def _role_line(fold: Fold, items: Sequence[int]) -> Iterator[str]:
    """The mark of the gradients: how many backward and optimizer ops belong here."""
    ids = [op.id for i in items if (op := fold.graph.items[i].op) is not None]
    backward = sum(fold.owned.backward[i] for i in ids)
    optimizer = sum(fold.owned.optimizer[i] for i in ids)
    if backward or optimizer:
        yield f"∇ {backward} backward · {optimizer} optimizer"


class _Names:
    """Parameter-name prefixes as titles, where all that share the prefix lie in one node."""

    def __init__(self, fold: Fold) -> None:
        self._paths: dict[int, list[str]] = {}
        self._total: Counter[str] = Counter()
        for at, item in enumerate(fold.graph.items):
            if item.op is None or not (is_convolution(item.op.type) or is_linear(item.op.type)):
                continue
            name = item.op.input("Filter") or item.op.input("Y") or ""
            if not is_state(fold.graph.program, name, item.op.block) or _AUTOMATIC.match(name):
                continue
            self._paths[at] = _stems(name)
            self._total.update(self._paths[at])

    def title(self, items: Sequence[int]) -> str:
        """The longest prefix that names these items and no others, or the first and last."""
        paths = [self._paths[i] for i in items if i in self._paths]
        if not paths:
            return ""
        for stem in reversed(paths[0]):
            if all(stem in path for path in paths) and self._total[stem] == len(paths) > 1:
                return stem
        first, last = paths[0][-1], paths[-1][-1]
        return first if first == last else f"{first} … {last}"


def _stems(name: str) -> list[str]:
    """Prefixes of a parameter's name at its separators, the shortest first."""
    stem = re.sub(r"[._](conv[._])?(weights?|w_\d+)$", "", name)
    ends = [m.start() for m in re.finditer(r"[._/]|(?<=\d)(?=[a-z])", stem)]
    return [stem[:end] for end in ends if end] + [stem]
