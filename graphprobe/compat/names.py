"""Names for what is added to a program that was read.

Paddle 2 takes them from one generator of the process, which a guard gives a prefix. Paddle 3 takes
them from a generator of each program. That of a program read from bytes starts at zero, so what is
added would take names that the program has, and write into its variables.
"""

from __future__ import annotations

import re
from typing import Any

# as many digits as a generator ever counts to; a name that has more is none of its own
_COUNT = re.compile("[0-9]{1,9}")


def keep_names(program: Any) -> None:
    """Have Paddle 3 name what is added to a program unlike anything that it has.

    Args:
        program: of paddle, read from bytes; its generator of names is changed.
    """
    generator = getattr(program, "_name_generator", None)
    if generator is None:  # Paddle 2: callers guard what they add
        return
    ids = generator.ids
    for block in program.blocks:
        for name in block.vars:
            # a layer's count, and the count of its own variables: relu_0.tmp_0
            for part in {name, name.partition(".")[0]}:
                key, _, number = part.rpartition("_")
                if _COUNT.fullmatch(number):
                    ids[key] = max(ids[key], int(number) + 1)
