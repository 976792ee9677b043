"""Programs of the old form (ProgramDesc), which graphprobe reads, changes and trains.

Paddle 3 builds the new form, PIR, by default. Its ops have no names to find, no append by type and
no merge, and it is not faster.
"""

from __future__ import annotations

import os
from typing import Any

from graphprobe.errors import MissingDependency

FLAG = "FLAGS_enable_pir_api"


def ask_for_old_form() -> None:
    """Set the flag that Paddle 3 reads when it is imported; Paddle 2 reads none of that name."""
    os.environ[FLAG] = "0"


def refuse_new_form(paddle: Any) -> None:
    """Check that the paddle of this process builds programs of the old form.

    Raises:
        MissingDependency: it was imported before the flag was set.
    """
    # Paddle 2.6 has the function and always answers no.
    if getattr(paddle.base.framework.global_var, "_use_pir_api_", False):
        raise MissingDependency(
            f"paddle {paddle.__version__} was imported with its new form of programs (PIR)",
            hint=f'set os.environ["{FLAG}"] = "0" before the first import of paddle',
        )
