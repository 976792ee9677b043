"""What reads an output, and what it is found to be."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Reader: TypeAlias = Literal["class", "binary", "box", "any", "output"]
"""What reads a tensor: a loss over classes, a loss over scores that are each on their own, a
regression loss, a loss that leaves it open, or the caller of the program."""


# What both maps and vectors may be judged to be.
OWN_SCORES = "a sigmoid makes each entry a score of its own"
STRETCHED = "what its sigmoid gives is stretched: a measure, and no score"


class Verdict(NamedTuple):
    """What an output is.

    Args:
        kind: one of `graphprobe.pairing.roles`.
        use: what the program does with it, in words; empty if that is the kind itself.
        doubt: what is open; empty where nothing is.
    """

    kind: str
    use: str = ""
    doubt: str = ""
