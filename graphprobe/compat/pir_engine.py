"""Paddle 3's inference engine on a program of the new form (PIR), beside programs of the old form.

While the flag of `ir_mode` is 0 the engine takes a PIR json for a program of the old form too, and
the process dies of a segmentation fault when it runs. With oneDNN, its default, it dies on some PIR
programs whatever the flag is (Paddle#79749).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read_as_pir(settings: Any, model: Path) -> None:
    """Let an engine's settings state that its program is PIR, where it is.

    Args:
        settings: a ``paddle.inference.Config`` of this program.
        model: the program's file; PIR is written as ``.json``.
    """
    if model.suffix != ".json":
        return
    settings.enable_new_ir(True)
    settings.enable_new_executor(True)
    settings.disable_mkldnn()
