"""What was measured of each group, as text, csv and a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphprobe.data.metrics.names import LABELS
from graphprobe.drawing.pages.heatmap import HeatMap, HeatRow, percent

from ._output import Rows
from ._var_table import printable

if TYPE_CHECKING:
    from graphprobe.config.sensitivity import Sensitivity, SensitivityGroup

# Columns of the table: all, a ratio's, those of number, channels and FLOPs, the least of a name.
_WIDTH, _CELL, _FIXED, _LEAST_NAME = 80, 6, 19, 20


def rows(found: Sensitivity) -> Rows:
    """Head and lines for csv: a line a measurement."""
    head = ("group", "filter", "channels", "ratio", "kept", found.measured.metric, "loss", "flops")
    return head, [
        (g.group, g.convs[0], g.channels, p.ratio, p.kept, p.value, p.loss, p.flops)
        for g in found.groups
        for p in g.points
    ]


def tables(found: Sensitivity) -> Iterator[str]:
    """What people read: a line a group, a column a ratio, 80 columns wide."""
    for note in _notes(found):
        yield from textwrap.wrap(note, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    ratios = _shown(found.ratios)
    room = _WIDTH - _FIXED - _CELL * len(ratios)
    head = "".join(f"{ratio:>{_CELL}g}" for ratio in ratios)
    yield f"\n{'':>3}  {'filter':<{room}} {'from':>5}{head}  -FLOPs"
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
        "\nLoss of the metric when the group alone is cut at the ratio, before fine-tuning.\n"
        "from: its channels; -FLOPs: multiply-adds that its largest ratio takes away."
    )


def heatmap(found: Sensitivity) -> HeatMap:
    """The same as a picture."""
    lines = []
    for group in found.groups:
        losses = {point.ratio: point.loss for point in group.points}
        cells = tuple(losses.get(ratio) for ratio in found.ratios)
        lines.append(HeatRow(group.convs[0], str(group.channels), cells, _most(group)))
    return HeatMap(
        f"Sensitivity of {found.measured.program}",
        (*_notes(found), "loss of the metric when the group alone is cut, by ratio"),
        tuple(f"{ratio:g}" for ratio in found.ratios),
        tuple(lines),
        "multiply-adds saved",
    )


def _notes(found: Sensitivity) -> tuple[str, str]:
    """What was measured, and how."""
    bound = found.measured
    metric = LABELS.get(bound.metric, bound.metric)
    return (
        f"{metric} uncut {found.baseline:.4f} on {bound.samples} pictures of "
        f"{printable(bound.data)}, {bound.image} pixels",
        f"policy {bound.policy}, channels ranked by {bound.criterion}",
    )


def _shown(ratios: list[float]) -> list[float]:
    """As many ratios as fit, spread over all, the last one among them."""
    most = (_WIDTH - _FIXED - _LEAST_NAME) // _CELL
    if len(ratios) <= most:
        return ratios
    return [ratios[round(i * (len(ratios) - 1) / (most - 1))] for i in range(most)]


def _most(group: SensitivityGroup) -> float:
    return max((point.flops for point in group.points), default=0.0)
