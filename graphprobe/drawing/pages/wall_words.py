"""What a stage shows on the wall: contents, outcome, size, and the share of each prune status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphprobe.drawing.drawing import Side
from graphprobe.drawing.figures import kept_share, shares
from graphprobe.drawing.labels import summary
from graphprobe.drawing.layout.boxes import SMALL
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.text import width
from graphprobe.ops.kinds import is_convolution

NARROW = 126.0  # the narrowest boxes of the wall


def wall_words(side: Side, view: LayoutGraph) -> LayoutGraph:
    """The stages of a program with the words of the wall."""
    words = []
    for node, old in enumerate(view.words):
        if old.kind in ("input", "output"):
            words.append(replace(old, lines=(*old.lines, *_readers(view, node))))
            continue
        ops, items = view.ops[node], view.items[node]
        last = side.fold.graph.items[items[-1]].name
        lines = [last] if view.badges[node] or len(items) == 1 else []
        kinds = summary(side.fold, items)
        several = sum(1 for op in ops if is_convolution(op.type)) > 1
        lines += [kinds] if kinds != old.title and several else []
        figures = [t for t in (_outcome(side, items), side.figures.line(ops)) if t]
        together = " · ".join(figures)
        lines += [together] if width(together, SMALL) <= NARROW - 14 else figures
        lines += _compared(side, view, node)
        stays = kept_share(side.figures, ops)
        lines += [f"{stays:.0%} of channels stay"] if stays is not None and stays < 1 else []
        found = shares(side.figures, side.marks, ops)
        words.append(replace(old, lines=tuple(lines), shares=found))
    return replace(view, words=words)


def _compared(side: Side, view: LayoutGraph, node: int) -> Iterator[str]:
    """How a stage of a newer version differs from the same stage before."""
    version = side.version
    if version is None or version.side == 0:
        return
    twin = version.stages[node]
    if twin is None:
        return
    if twin != node:
        yield f"stage {twin + 1} before"
    partners, before = version.diff.partners[1], version.diff.graphs[0]
    ops = [
        op
        for item in view.items[node]
        if (at := partners[item]) is not None and (op := before.items[at].op) is not None
    ]
    from graphprobe.drawing.diff.marking import delta_line

    text = delta_line(side.figures, view.ops[node], version.other, ops)
    if text:
        yield text


def is_shared_input(view: LayoutGraph, node: int) -> bool:
    """Whether a node is an input that several stages read, as the boxes of a detector are."""
    return view.words[node].kind == "input" and len(view.dag.succ[node]) > 1


def _readers(view: LayoutGraph, node: int) -> list[str]:
    """Numbers instead of lines for an input that several stages read."""
    if not is_shared_input(view, node):
        return []
    return ["→ " + ", ".join(view.numbers[v] for v in view.dag.succ[node])]


def _outcome(side: Side, items: Sequence[int]) -> str:
    """What leaves a stage: ``-> 512 ch, 38x38``."""
    last = side.fold.graph.items[items[-1]]
    shape = side.program.shape(last.name, last.op.block if last.op is not None else 0)
    if shape is None or len(shape) < 2:
        return ""
    if len(shape) != 4:
        return "→ " + "×".join("?" if n < 0 else str(n) for n in shape[1:])
    size = f", {shape[2]}×{shape[3]}" if min(shape[2:]) > 0 else ""
    return f"→ {shape[1]} ch{size}" if shape[1] > 0 else ""
