"""What was measured of each group, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphprobe.api.sensitivity import SensitivityResult

from ._escape import printable

if TYPE_CHECKING:
    from graphprobe.config.sensitivity import SensitivityGroup

# Columns of the table: all, a ratio's, the other columns', the least of a name.
_WIDTH, _CELL, _FIXED, _LEAST_NAME = 80, 6, 19, 20


def tables(result: SensitivityResult) -> Iterator[str]:
    """What people read: a line a group, a column a ratio, 80 columns wide."""
    from graphprobe.drawing.pages.heatmap import percent

    found = result.record
    for note in map(printable, result.about()):
        yield from textwrap.wrap(note, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    ratios = _shown(found.ratios)
    room = _WIDTH - _FIXED - _CELL * len(ratios)
    head = "".join(f"{ratio:>{_CELL}g}" for ratio in ratios)
    yield f"\n{'':>3}  {'filter':<{room}} {'from':>5}{head}   -MACs"
    for group in found.groups:
        name = printable(group.convs[0])
        if len(name) > room:
            yield f"{group.group:>3}  {name}"
        start = f"{group.group:>3}  {name:<{room}}" if len(name) <= room else " " * (5 + room)
        losses = {point.ratio: point.loss for point in group.points}
        cells = "".join(f"{percent(losses.get(ratio)):>{_CELL}}" for ratio in ratios)
        yield f"{start} {group.channels:>5}{cells} {percent(_most(group)):>7}"
    if len(ratios) < len(found.ratios):
        yield f"{len(found.ratios) - len(ratios)} more ratios are in the json and csv"
    yield (
        "\nLoss of the metric when the group alone is pruned at the ratio, not trained.\n"
        "from: its channels; -MACs: multiply-adds that its largest ratio takes away."
    )


def _shown(ratios: list[float]) -> list[float]:
    """As many ratios as fit, spread over all, the last one among them."""
    most = (_WIDTH - _FIXED - _LEAST_NAME) // _CELL
    if len(ratios) <= most:
        return ratios
    return [ratios[round(i * (len(ratios) - 1) / (most - 1))] for i in range(most)]


def _most(group: SensitivityGroup) -> float:
    return max((point.flops for point in group.points), default=0.0)
