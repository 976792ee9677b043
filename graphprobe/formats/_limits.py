"""Bounds on time and memory for untrusted files, and the errors for files beyond them."""

from __future__ import annotations

from graphprobe.errors import LoadError

MAX_BYTES = 256 * 2**20
# One op or variable of a ProgramDesc; decoding can take a hundred times as much memory.
MAX_ITEM_BYTES = 16 * 2**20
MAX_BLOCKS = 10_000
MAX_DEPTH = 64
MAX_OPS = 300_000
MAX_VARS = 1_000_000


def check_tree(parents: list[int], source: str) -> None:
    """Refuse blocks whose parents form no tree of modest depth.

    Args:
        parents: the parent of each block; every one but block 0 must have an earlier one.
        source: what the user typed.

    Raises:
        LoadError: a parent that is not an earlier block, or nesting too deep.
    """
    depth = [0] * len(parents)
    for index, parent in enumerate(parents[1:], start=1):
        if not 0 <= parent < index:
            raise damaged(f"block {index} names block {parent} as its parent", source)
        depth[index] = depth[parent] + 1
        if depth[index] > MAX_DEPTH:
            raise damaged(f"its blocks are nested deeper than {MAX_DEPTH}", source)


def damaged(what: str, source: str) -> LoadError:
    """The error for a file of a known format that cannot be right."""
    return LoadError(
        f"the program is damaged: {what}",
        where=source,
        hint="save the model again or name another file",
    )
