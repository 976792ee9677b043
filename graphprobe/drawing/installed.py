"""The packages that some formats and graphs need: imported on first use, missed in one line.

Their import takes long (networkx 0.2 s), and most drawings do without.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from graphprobe.errors import MissingDependency


def networkx() -> Any:
    """The module networkx.

    Raises:
        MissingDependency: it is not installed.
    """
    return _installed("networkx", "graphs for other tools and the surroundings of a focus need it")


def graphviz() -> Any:
    """The module graphviz.

    Raises:
        MissingDependency: it is not installed.
    """
    return _installed("graphviz", "DOT files and layouts by dot need it")


def _installed(name: str, why: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingDependency(
            f"the package {name} cannot be imported ({error}); {why}", hint=f"pip install {name}"
        ) from error
