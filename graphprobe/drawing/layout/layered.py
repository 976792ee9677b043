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
    pred, succ = dag.pred, dag.succ
    source = [not near and bool(to) for near, to in zip(pred, succ, strict=True)]
    mine: list[list[int]] = [[] for _ in pred]
    for node in range(len(pred)):
        if source[node]:
            mine[succ[node][0]].append(node)
    rows = Rows(max_width)
    layer = [0] * len(dag)
    for node, near in enumerate(pred):
        if source[node]:
            continue
        above = sum(widths[u] + gap for u in mine[node])
        least = 1 if any(source[u] for u in near) else 0
        at = max((layer[u] + 1 for u in near if not source[u]), default=0)
        layer[node] = rows.put(max(at, least), widths[node], gap, above)
    for node, near in enumerate(succ):
        if source[node]:
            layer[node] = min(layer[v] for v in near) - 1
    kept = {at: new for new, at in enumerate(sorted(set(layer)))}
    return [kept[at] for at in layer]


class Rows:
    """How full each row is, with the emptiest of each range of rows in a binary tree.

    Finding the first row with room takes logarithmic time, however many rows are full.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._size = 1
        self._least = [0.0, 0.0]  # of row r: self._least[self._size + r]

    def put(self, at: int, wide: float, gap: float, above: float) -> int:
        """Take the first row from `at` on with room for a box, and for its sources above it."""
        at = self._roomy(at, wide)
        while above and at > 0 and not self._fits(at - 1, above):
            at = self._roomy(at + 1, wide)
        self._add(at, wide + gap)
        if above:
            self._add(at - 1, above)
        return at

    def _fits(self, row: int, wide: float) -> bool:
        load = self._least[self._size + row] if row < self._size else 0.0
        return load == 0 or load + wide <= self._most

    def _roomy(self, at: int, wide: float) -> int:
        """The first row from `at` on that is empty or has room."""
        if at >= self._size:
            return at
        limit = max(0.0, self._most - wide)
        node = self._size + at
        while self._least[node] > limit:
            while node & 1:  # the last of its range: go up
                node >>= 1
            if node <= 1:
                return self._size
            node += 1
            if node & (node - 1) == 0:  # past the right edge of the tree
                return self._size
        while node < self._size:
            node = 2 * node if self._least[2 * node] <= limit else 2 * node + 1
        return node - self._size

    def _add(self, row: int, wide: float) -> None:
        while row >= self._size:
            self._double()
        node = self._size + row
        self._least[node] += wide
        while node > 1:
            node >>= 1
            self._least[node] = min(self._least[2 * node], self._least[2 * node + 1])

    def _double(self) -> None:
        loads = [*self._least[self._size :], *([0.0] * self._size)]
        self._size *= 2
        self._least = [0.0] * self._size + loads
        for node in range(self._size - 1, 0, -1):
            self._least[node] = min(self._least[2 * node], self._least[2 * node + 1])


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
        if all(len(row) == 1 for row in self.grid.layers):  # a chain: one below the other
            return self.x
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
