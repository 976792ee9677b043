"""What a format must offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphprobe.drawing.drawing import Drawing


@dataclass(frozen=True, slots=True)
class Renderer:
    """One file format.

    Args:
        name: the suffix without its dot.
        render: a drawing -> the whole file. The same drawing gives the same bytes.
        engines: whether it takes the coordinates of any engine, so that one can be chosen.
    """

    name: str
    render: Callable[[Drawing], bytes]
    engines: bool = False
