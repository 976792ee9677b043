"""Find what a package holds by its files: adding a rule, loss, loader or model is adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TypeVar

T = TypeVar("T")


@cache
def discover(package: str, export: str, kind: type[T]) -> dict[str, T]:
    """Import every module of a package and collect what each calls `export`.

    Modules whose name starts with an underscore are helpers and are left out.

    Args:
        package: dotted name of the package, as ``graphprobe.losses``.
        export: the name each module must define, as ``LOSS``.
        kind: the type of that export; it must have a ``name``.

    Returns:
        name -> export, sorted by name.

    Raises:
        TypeError: a module lacks the export, or two share a name (a defect, not a user's error).
    """
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        item = getattr(module, export, None)
        if not isinstance(item, kind):
            raise TypeError(f"{module.__name__} must define {export}: {kind.__name__}")
        name: str = item.name  # type: ignore[attr-defined]
        if name in found:
            raise TypeError(f"{module.__name__}: a second {export} is called {name}")
        found[name] = item
    return dict(sorted(found.items()))
