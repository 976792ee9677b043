"""A layered layout: longest-path layers, barycentre order, least-squares columns.

Everything is linear in nodes and edges times a small number of sweeps. An edge gets a way point
in each layer that it spans; one that spans more than `max_span` layers gets none and is left to
the painter (a pair of tags), since way points of long edges are what makes layouts explode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphprobe.render._columns import fit
from graphprobe.render._dag import Dag

_SWEEPS = 4
_POLISH = 6
_WAY_WIDTH = 8.0


@dataclass(slots=True)
class Grid:
    """Nodes and way points in layers; way points are numbered after the nodes.

    Args:
        layers: the numbers in each layer, from left to right.
        up: for each number, its neighbours in the layer above.
        down: for each number, its neighbours in the layer below.
        routes: edge -> its way points, from top to bottom.
        long: edges without a route.
        row_of: for each number, its layer.
    """

    layers: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    routes: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    long: list[tuple[int, int]] = field(default_factory=list)
    row_of: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """Where everything stands; x is a centre, in points.

    Args:
        grid: layers and routes.
        x: of each node and way point.
        width: of the whole.
    """

    grid: Grid
    x: list[float]
    width: float


def layered(
    dag: Dag, widths: Sequence[float], gap: float, max_width: float, max_span: int
) -> Layout:
    """Lay out a graph from top to bottom.

    Args:
        dag: the graph.
        widths: of each node.
        gap: between neighbours in a layer.
        max_width: a layer that would become wider is continued in the next one.
        max_span: edges over more layers get no way points.
    """
    layer = _layers(dag, widths, gap, max_width)
    grid = _grid(dag, layer, max_span)
    _order(grid)
    size = [*widths, *([_WAY_WIDTH] * (len(grid.up) - len(widths)))]
    x = _place(grid, size, gap, len(widths))
    left = min((x[n] - size[n] / 2 for n in range(len(size))), default=0.0)
    right = max((x[n] + size[n] / 2 for n in range(len(size))), default=0.0)
    return Layout(grid, [place - left for place in x], right - left)


def _layers(dag: Dag, widths: Sequence[float], gap: float, max_width: float) -> list[int]:
    """Longest-path layers of bounded width; sources move down to their first consumer."""
    layer: list[int] = []
    used: list[float] = []
    for node, near in enumerate(dag.pred):
        at = 1 + max((layer[u] for u in near), default=-1)
        while at < len(used) and used[at] + widths[node] > max_width:
            at += 1
        used.extend([0.0] * (at + 1 - len(used)))
        used[at] += widths[node] + gap
        layer.append(at)
    for node, near in enumerate(dag.pred):
        if not near and dag.succ[node]:
            target = min(layer[v] for v in dag.succ[node]) - 1
            if target > layer[node] and used[target] + widths[node] <= max_width:
                used[layer[node]] -= widths[node] + gap
                used[target] += widths[node] + gap
                layer[node] = target
    kept = {at: new for new, at in enumerate(sorted(set(layer)))}
    return [kept[at] for at in layer]


def _grid(dag: Dag, layer: Sequence[int], max_span: int) -> Grid:
    count = max(layer, default=-1) + 1
    grid = Grid([[] for _ in range(count)], [[] for _ in layer], [[] for _ in layer])
    grid.row_of = list(layer)
    for node, at in enumerate(layer):
        grid.layers[at].append(node)
    for u, near in enumerate(dag.succ):
        for v in near:
            if layer[v] - layer[u] > max_span:
                grid.long.append((u, v))
                continue
            last = u
            grid.routes[u, v] = []
            for at in range(layer[u] + 1, layer[v]):
                point = len(grid.up)
                grid.up.append([])
                grid.down.append([])
                grid.row_of.append(at)
                grid.layers[at].append(point)
                grid.routes[u, v].append(point)
                _connect(grid, last, point)
                last = point
            _connect(grid, last, v)
    return grid


def _connect(grid: Grid, above: int, below: int) -> None:
    grid.down[above].append(below)
    grid.up[below].append(above)


def _order(grid: Grid) -> None:
    """Barycentre sweeps, down and up; ties keep their order."""
    place = [0.0] * len(grid.up)
    for row in grid.layers:
        _number(row, place)
    for sweep in range(_SWEEPS):
        near = grid.up if sweep % 2 == 0 else grid.down
        for row in grid.layers if sweep % 2 == 0 else reversed(grid.layers):
            keys = {n: _mean([place[m] for m in near[n]], place[n]) for n in row}
            row.sort(key=keys.__getitem__)
            _number(row, place)


def _number(row: list[int], place: list[float]) -> None:
    """Positions in a row, from 0 to 1 so that rows of unlike length compare."""
    for at, node in enumerate(row):
        place[node] = (at + 0.5) / len(row)


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _place(grid: Grid, size: Sequence[float], gap: float, nodes: int) -> list[float]:
    x = [0.0] * len(size)
    for row in grid.layers:
        at = 0.0
        for node in row:
            x[node] = at + size[node] / 2
            at += size[node] + gap
        for node in row:
            x[node] -= at / 2
    for sweep in range(_POLISH):
        down = sweep % 2 == 0
        for row in grid.layers if down else reversed(grid.layers):
            _settle(grid, row, x, size, gap, nodes, down)
    return x


def _settle(
    grid: Grid,
    row: list[int],
    x: list[float],
    size: Sequence[float],
    gap: float,
    nodes: int,
    down: bool,
) -> None:
    near = grid.up if down else grid.down
    wanted, weight = [], []
    for node in row:
        others = near[node] or (grid.down if down else grid.up)[node]
        wanted.append(_mean([x[m] for m in others], x[node]))
        # Way points insist: a long edge should be straight.
        weight.append(4.0 if node >= nodes else 1.0 + len(near[node]))
    room = [0.0]
    for left, right in zip(row, row[1:], strict=False):
        room.append((size[left] + size[right]) / 2 + gap)
    for node, place in zip(row, fit(wanted, room, weight), strict=True):
        x[node] = round(place, 3)
