"""Find what a package holds by its files: adding a rule, loss, loader or model is adding a file.

The user's own installed packages add to the same sets through entry points (`GROUPS`).
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any, TypeVar

from graphprobe.plugins import Plugin, plugins

T = TypeVar("T")

# Package -> the group of entry points that adds to it.
GROUPS = {
    "graphprobe.data.formats": "graphprobe.data",
    "graphprobe.data.target_kinds": "graphprobe.targets",
    "graphprobe.drawing.renderers": "graphprobe.renderers",
    "graphprobe.emit.pair_emitters": "graphprobe.pair_emitters",
    "graphprobe.emit.prune_emitters": "graphprobe.prune_emitters",
    "graphprobe.formats": "graphprobe.loaders",
    "graphprobe.losses": "graphprobe.losses",
    "graphprobe.ops.families": "graphprobe.operators",
    "graphprobe.pairing.rules": "graphprobe.pair_rules",
    "graphprobe.zoo": "graphprobe.zoo",
}


def discover(package: str, export: str, kind: type[T]) -> dict[str, T]:
    """Import every module of a package and collect what each calls `export`.

    Modules whose name starts with an underscore are helpers and are left out. What installed
    packages add through the entry points of `GROUPS` comes after what the package holds itself.

    Args:
        package: dotted name of the package, as ``graphprobe.losses``.
        export: the name each module must define, as ``LOSS``.
        kind: the type of that export; it must have a ``name``.

    Returns:
        name -> export: the package's own, sorted by name, then the others, sorted by name.

    Raises:
        PluginError: an installed package adds something that cannot be used.
        TypeError: a module lacks the export, or two share a name (a defect, not a user's error).
    """
    key = (package, tuple(sys.path))
    if key not in _FOUND:
        _FOUND[key] = _discover(package, export, kind)
    return _FOUND[key]


def plugin_of(package: str, name: str) -> Plugin | None:
    """What installed package adds a name that `discover` found; None: the package's own."""
    return _PLUGINS.get((package, name))


# (package, sys.path) -> what `discover` found.
_FOUND: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
# (package, name) -> what adds it.
_PLUGINS: dict[tuple[str, str], Plugin] = {}


def _discover(package: str, export: str, kind: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for module_name in modules(package):
        module = importlib.import_module(f"{package}.{module_name}")
        item = getattr(module, export, None)
        if not isinstance(item, kind):
            raise TypeError(f"{module.__name__} must define {export}: {kind.__name__}")
        name = _name(item)
        if name in found:
            raise TypeError(f"{module.__name__}: a second {export} is called {name}")
        found[name] = item
    return {**dict(sorted(found.items())), **_added(package, export, kind, found)}


def modules(package: str) -> tuple[str, ...]:
    """The names of a package's modules that are no helpers, sorted; none is imported."""
    infos = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return tuple(sorted(info.name for info in infos if not info.name.startswith("_")))


def _added(package: str, export: str, kind: type[T], own: dict[str, T]) -> dict[str, T]:
    """What installed packages add, sorted by name."""
    found: dict[str, T] = {}
    owners = dict.fromkeys(own, "graphprobe")
    for plugin in plugins(GROUPS.get(package, "")):
        item: T = plugin.load(export, kind)
        name = _name(item)
        if not isinstance(name, str) or not name:
            raise plugin.broken(f"must have a text as its name, not {name!r}")
        if name in owners:
            raise plugin.twice(name, owners[name])
        found[name], owners[name] = item, plugin.package
        _PLUGINS[package, name] = plugin
    return dict(sorted(found.items()))


def _name(item: object) -> str:
    name: str = item.name  # type: ignore[attr-defined]
    return name
