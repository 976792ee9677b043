"""The longest common subsequence of two sequences, with bounded work for each element.

Exact where the table of both has at most `_MOST_CELLS` cells. Longer sequences are walked with a
window: of the longest common subsequence inside it, the first half is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

_MOST_CELLS = 250_000
_WINDOW = 100
_STRETCH = 4  # how many times longer the window on the longer sequence may be


def common_pairs(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Positions of equal elements, ascending in both sequences, as many as can be found."""
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
            continue
        left_a, left_b = len(a) - i, len(b) - j
        if left_a * left_b <= _MOST_CELLS:
            return found + [(i + x, j + y) for x, y in _longest(a[i:], b[j:])]
        wide_a, wide_b = _window(left_a, left_b), _window(left_b, left_a)
        pairs = _longest(a[i : i + wide_a], b[j : j + wide_b])
        kept = [(x, y) for x, y in pairs if x < wide_a // 2 and y < wide_b // 2]
        found += [(i + x, j + y) for x, y in kept]
        step = (kept[-1][0] + 1, kept[-1][1] + 1) if kept else (wide_a // 2, wide_b // 2)
        i, j = i + step[0], j + step[1]
    return found


def _window(mine: int, other: int) -> int:
    return min(mine, _WINDOW * min(_STRETCH, max(1, mine // max(1, other))))


def _longest(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The exact answer, in time and memory of the product of the lengths."""
    rows = [[0] * (len(b) + 1)]  # rows[x][y]: of the last x of `a` and the last y of `b`
    for element in reversed(a):
        last, row = rows[-1], [0]
        for y, other in enumerate(reversed(b)):
            row.append(last[y] + 1 if element == other else max(last[y + 1], row[y]))
        rows.append(row)
    found = []
    x, y = len(a), len(b)
    while x and y:
        i, j = len(a) - x, len(b) - y
        if a[i] == b[j]:
            found.append((i, j))
            x, y = x - 1, y - 1
        elif rows[x - 1][y] >= rows[x][y - 1]:
            x -= 1
        else:
            y -= 1
    return found
