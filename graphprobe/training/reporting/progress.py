"""Lines of progress for what takes long, not more often than people read."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds to the first line, and between lines.
EVERY = 2.0


def now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    """A function that passes a line on where the last one (or the start) is `EVERY` seconds ago."""
    last = time.perf_counter()

    def tell(line: str) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= EVERY:
            say(line)
            last = now

    return tell
