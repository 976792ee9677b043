"""Dominators of an acyclic graph in one pass, with jump pointers for the common ancestor.

`networkx.immediate_dominators` walks the tree node by node to the common ancestor: on a chain of
5,000 ops whose last value is read by 5,000 others that also read the first, it takes 5.6 s, this
module 0.06 s, and doubling costs it four times as much.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.drawing.dag import Dag

ROOT = -1


class _Tree:
    """A tree that grows leaf by leaf; nearest common ancestors take logarithmic time."""

    def __init__(self, size: int) -> None:
        self.parent = [ROOT] * size
        self._depth = [1] * size
        self._jump = [ROOT] * size

    def depth(self, node: int) -> int:
        return 0 if node == ROOT else self._depth[node]

    def add(self, node: int, parent: int) -> None:
        """Hang `node` under `parent` (the root or a node added before)."""
        self.parent[node] = parent
        self._depth[node] = self.depth(parent) + 1
        jump = self._jump_of(parent)
        same = self.depth(parent) - self.depth(jump) == self.depth(jump) - self.depth(
            self._jump_of(jump)
        )
        self._jump[node] = self._jump_of(jump) if same and parent != ROOT else parent

    def _jump_of(self, node: int) -> int:
        return ROOT if node == ROOT else self._jump[node]

    def meet(self, a: int, b: int) -> int:
        """The nearest common ancestor of two nodes."""
        if self.depth(a) < self.depth(b):
            a, b = b, a
        while self.depth(a) > self.depth(b):
            far = self._jump[a]
            a = far if self.depth(far) >= self.depth(b) else self.parent[a]
        while a != b:
            far_a, far_b = self._jump_of(a), self._jump_of(b)
            a, b = (far_a, far_b) if far_a != far_b else (self.parent[a], self.parent[b])
        return a


def dominators(dag: Dag, ignore: Sequence[bool]) -> list[int]:
    """The immediate dominator of each node; `ROOT` where there is none.

    Args:
        dag: the graph.
        ignore: nodes whose outgoing edges do not count (constants), unless a node has no other
            predecessor.
    """
    tree = _Tree(len(dag))
    for node, near in enumerate(dag.pred):
        counted = [u for u in near if not ignore[u]] or near
        at = counted[0] if counted else ROOT
        for other in counted[1:]:
            at = tree.meet(at, other)
        tree.add(node, at)
    return tree.parent
