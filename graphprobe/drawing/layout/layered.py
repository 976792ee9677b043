"""A layered layout: longest-path layers, barycentre order, least-squares columns.

Everything is linear in nodes and edges times a small number of sweeps. An edge gets a way point
in each layer that it spans; one that spans more than `max_span` layers gets none and is left to
the painter (a pair of tags), since way points of long edges are what makes layouts explode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphprobe.drawing.dag import Dag
from graphprobe.drawing.layout.columns import fit

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
    dag: Dag,
    widths: Sequence[float],
    gap: float,
    max_width: float,
    max_span: int,
    *,
    strict: bool = False,
) -> Layout:
    """Lay out a graph from top to bottom.

    Args:
        dag: the graph.
        widths: of each node.
        gap: between neighbours in a layer.
        max_width: a layer that would become wider is continued in the next one.
        max_span: edges over more layers get no way points.
        strict: keep layers from drifting apart over more than `max_width`, where they fit it.
    """
    layer = _layers(dag, widths, gap, max_width)
    grid = _grid(dag, layer, max_span)
    _order(grid)
    size = [*widths, *([_WAY_WIDTH] * (len(grid.up) - len(widths)))]
    window = max_width if strict else math.inf
    x = _Columns(grid, size, gap, len(widths), window).place()
    left = min((x[n] - size[n] / 2 for n in range(len(size))), default=0.0)
    right = max((x[n] + size[n] / 2 for n in range(len(size))), default=0.0)
    return Layout(grid, [place - left for place in x], right - left)


def _layers(dag: Dag, widths: Sequence[float], gap: float, max_width: float) -> list[int]:
    """Longest-path layers of bounded width; sources stand right above their first consumer.

    A layer that would become wider than `max_width` is continued in the next one, and so is one
    whose sources would not fit above it.
    """
    mine = _own_sources(dag)
    load: list[float] = []
    layer = [0] * len(dag)
    for node, near in enumerate(dag.pred):
        if not near and dag.succ[node]:
            continue
        above = sum(widths[u] + gap for u in mine[node])
        least = 1 if any(not dag.pred[u] for u in near) else 0
        at = max((layer[u] + 1 for u in near if dag.pred[u]), default=0)
        at = _roomy(load, max(at, least), widths[node], above, max_width)
        load.extend([0.0] * (at + 1 - len(load)))
        load[at] += widths[node] + gap
        if above:
            load[at - 1] += above
        layer[node] = at
    for node, near in enumerate(dag.pred):
        if not near and dag.succ[node]:
            layer[node] = min(layer[v] for v in dag.succ[node]) - 1
    kept = {at: new for new, at in enumerate(sorted(set(layer)))}
    return [kept[at] for at in layer]


def _own_sources(dag: Dag) -> list[list[int]]:
    """For each node, the sources that it is the first to read."""
    mine: list[list[int]] = [[] for _ in range(len(dag))]
    for node, near in enumerate(dag.pred):
        if not near and dag.succ[node]:
            mine[dag.succ[node][0]].append(node)
    return mine


def _roomy(load: Sequence[float], at: int, wide: float, above: float, most: float) -> int:
    """The first layer from `at` on that has room for a node, and for its sources above it."""
    while at < len(load) and (load[at] and load[at] + wide > most):
        at += 1
    while above and 0 < at <= len(load) and load[at - 1] and load[at - 1] + above > most:
        at += 1
        while at < len(load) and load[at] + wide > most:
            at += 1
    return at


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


@dataclass(slots=True)
class _Columns:
    """Gives every node and way point its x."""

    grid: Grid
    size: Sequence[float]
    gap: float
    nodes: int
    window: float
    x: list[float] = field(default_factory=list)

    def place(self) -> list[float]:
        """Start with centred rows, then pull each row towards its neighbours, down and up."""
        self.x = [0.0] * len(self.size)
        for row in self.grid.layers:
            at = 0.0
            for node in row:
                self.x[node] = at + self.size[node] / 2
                at += self.size[node] + self.gap
            for node in row:
                self.x[node] -= at / 2
        for sweep in range(_POLISH):
            down = sweep % 2 == 0
            for row in self.grid.layers if down else reversed(self.grid.layers):
                self._settle(row, down)
        return self.x

    def _settle(self, row: list[int], down: bool) -> None:
        near, other = self.grid.up, self.grid.down
        if not down:
            near, other = other, near
        wanted, weight = [], []
        for node in row:
            around = near[node] or other[node]
            wanted.append(_mean([self.x[m] for m in around], self.x[node]))
            # Way points insist: a long edge should be straight.
            weight.append(4.0 if node >= self.nodes else 1.0 + len(near[node]))
        room = [0.0]
        for left, right in zip(row, row[1:], strict=False):
            room.append((self.size[left] + self.size[right]) / 2 + self.gap)
        low = -self.window / 2 + self.size[row[0]] / 2
        high = self.window / 2 - self.size[row[-1]] / 2
        for node, place in zip(row, fit(wanted, room, weight, low, high), strict=True):
            self.x[node] = round(place, 3)
