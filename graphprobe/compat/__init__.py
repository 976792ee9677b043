"""Where Paddle's versions differ: one file a difference.

- ir_mode: Paddle 3 builds programs in a new form unless a flag is set before it is imported.
- functions: public functions of Paddle 3.2 and later that refuse a variable of the old form.
- collectives: ops that pass tensors between processes.
- communicators: what those ops send over.
- library: the compiled library that is imported, and how much its glog prints.
- names: how what is added to a program is named.
- paddle_import: the warnings and the signal handler that importing Paddle adds.
- pir_engine: the inference engine on a program of the new form.
- pir_form: a program in the new form, written.
- zlib_order: Paddle 2 imported before Python's zlib.

`import_paddle` is the one way in. What calls Paddle's modules otherwise runs behind it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys

from graphprobe.compat.ir_mode import ask_for_old_form, refuse_new_form
from graphprobe.compat.paddle_import import filter_warnings, own_sigterm
from graphprobe.waits import waiting_for


def before_import() -> None:
    """Set what Paddle reads while it is imported; cheap, and without effect afterwards."""
    ask_for_old_form()
    filter_warnings()


def after_import() -> None:
    """Where Paddle is imported, by whomever, mend what its version needs.

    Raises:
        MissingDependency: it was imported in its new form of programs.
    """
    paddle = sys.modules.get("paddle")
    if paddle is None:
        return
    # commands without Paddle need none of it
    from graphprobe.compat.functions import emit_old_ops
    from graphprobe.compat.library import quiet_glog

    refuse_new_form(paddle)
    quiet_glog()
    emit_old_ops(paddle)


def import_paddle() -> None:
    """Import paddle, or make ready the one that is imported.

    Raises:
        ImportError: it is not installed, or is broken.
        MissingDependency: it was imported in its new form of programs.
    """
    if sys.modules.get("paddle") is None:
        before_import()
        importlib.import_module("numpy")  # before paddle: scipy after paddle alone crashes
        quiet = contextlib.redirect_stderr(io.StringIO())
        with waiting_for("importing Paddle"), own_sigterm(), quiet:
            importlib.import_module("paddle")
    after_import()
