"""Import Paddle without its chatter, and with all the cores that may be used."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import warnings

from graphprobe.own_signals import own_sigterm
from graphprobe.training.runtime.threads import set_threads


def import_paddle() -> None:
    """Import paddle for the first time in this process.

    Paddle takes one thread unless OMP_NUM_THREADS says otherwise, and warns where it does; glog
    and the packages that paddleslim imports have more to say that helps nobody.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    set_threads()
    for text in ("pkg_resources is deprecated", "Setuptools is replacing distutils"):
        warnings.filterwarnings("ignore", message=text)
    importlib.import_module("numpy")  # before paddle: scipy after paddle alone crashes
    with own_sigterm(), contextlib.redirect_stderr(io.StringIO()):
        importlib.import_module("paddle")
