"""Keep Paddle's own chatter out of what people read; set before paddle is imported."""

from __future__ import annotations

import os
import warnings


def hush_paddle() -> None:
    """Silence glog below errors and the warnings of the packages that paddleslim imports."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    for text in ("pkg_resources is deprecated", "Setuptools is replacing distutils"):
        warnings.filterwarnings("ignore", message=text)
