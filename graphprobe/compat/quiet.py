"""What Paddle prints at import and while it builds that helps nobody."""

from __future__ import annotations

import os
import warnings

GLOG_LEVEL = "GLOG_minloglevel"

MESSAGES = (
    # pkg_resources, by what paddleslim imports
    "pkg_resources is deprecated",
    "Setuptools is replacing distutils",
    # Paddle 3: no C++ extension is compiled here
    "No ccache found",
    # Paddle 3: every layer of paddle.static.nn
    r"(?s).*paddle\.static\.nn\..* is deprecated",
)


def filter_warnings() -> None:
    """Drop these warnings, and glog's below errors."""
    os.environ.setdefault(GLOG_LEVEL, "2")
    for text in MESSAGES:
        warnings.filterwarnings("ignore", message=text)
