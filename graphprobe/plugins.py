"""What the user's own installed packages add, found through their entry points.

A package declares in its pyproject.toml, for a loss::

    [project.entry-points."graphprobe.losses"]
    cosine = "my_package.cosine:LOSS"

Most environments hold no such package, and `importlib.metadata` takes 20 ms and more to import and
to read them all. So the files ``entry_points.txt`` on ``sys.path`` are searched for the word
``graphprobe.`` first (1.5 ms for 100 packages), and only those that hold it are read properly.
Packages inside zip files are not found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from graphprobe.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, PathDistribution

_INSTALLED = (".dist-info", ".egg-info")
_MENTION = b"[graphprobe."


class Plugin(NamedTuple):
    """One thing that an installed package adds.

    Args:
        group: as ``graphprobe.losses``.
        name: left of the ``=`` in the package's entry points.
        package: name and version of the package.
        entry: what to import.
    """

    group: str
    name: str
    package: str
    entry: EntryPoint

    def load(self, export: str, kind: type[Any]) -> Any:
        """Import it.

        Args:
            export: what a module calls it, where the entry point names only a module.
            kind: the type that it must have.

        Raises:
            PluginError: it cannot be imported, or is something else.
        """
        try:
            found = self.entry.load()
        except (Exception, SystemExit) as error:
            text = str(error).strip().splitlines()
            why = f"{type(error).__name__}{': ' + text[-1] if text else ''}"
            raise self.broken(f"cannot be imported ({why})") from error
        if isinstance(found, ModuleType):
            found = getattr(found, export, None)
        if not isinstance(found, kind):
            raise self.broken(f"must be a {kind.__name__}, not a {type(found).__name__}")
        return found

    def source(self) -> Path | None:
        """The file of its module, found without importing it where its package is imported."""
        from importlib.util import find_spec

        try:
            spec = find_spec(self.entry.module)
        except (Exception, SystemExit) as error:
            raise self.broken(f"cannot be found ({type(error).__name__}: {error})") from error
        return None if spec is None or spec.origin is None else Path(spec.origin)

    def broken(self, message: str) -> PluginError:
        """The error of what it adds: `message` goes on behind the entry point."""
        return PluginError(
            f"{self.name} = {self.entry.value} in [{self.group}] {message}",
            where=f"package {self.package}",
            hint="mend or uninstall the package",
        )

    def twice(self, name: str, other: str) -> PluginError:
        """The error of a name that is taken already."""
        return self.broken(f"is called {name!r}, as that of {other} is")


def plugins(group: str) -> tuple[Plugin, ...]:
    """What installed packages add to a group, sorted by name and package; nothing is imported."""
    return tuple(plugin for plugin in _all(tuple(sys.path)) if plugin.group == group)


@cache
def _all(path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Of a package that lies in two places, the first on sys.path counts, as for imports."""
    found: dict[str, list[Plugin]] = {}
    folders = [folder for entry in path for folder in _mentions(entry)]
    if not folders:
        return ()
    from importlib.metadata import PathDistribution

    for folder in folders:
        package = PathDistribution(folder)
        found.setdefault(_plain(package.name), list(_read(package)))
    every = (plugin for added in found.values() for plugin in added)
    return tuple(sorted(every, key=lambda p: (p.group, p.name, p.package)))


def _mentions(entry: str) -> Iterator[Path]:
    """The installed packages below one entry of sys.path whose entry points name graphprobe."""
    try:
        inside = sorted(item.path for item in os.scandir(entry or ".")
                        if item.name.endswith(_INSTALLED))  # fmt: skip
    except OSError:  # an entry of sys.path need not be there, or a folder
        return
    for folder in inside:
        try:
            text = (Path(folder) / "entry_points.txt").read_bytes()
        except OSError:  # most packages have none
            continue
        if _MENTION in text:
            yield Path(folder)


def _plain(name: str) -> str:
    """A package's name as the package index compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def _read(package: PathDistribution) -> Iterator[Plugin]:
    title = f"{package.name} {package.version}"
    for entry in package.entry_points:
        if entry.group.startswith("graphprobe."):
            yield Plugin(entry.group, entry.name, title, entry)
