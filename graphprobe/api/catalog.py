"""List what there is to name: models, losses, pair rules, data sets, operators, formats, ..."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprobe.api.arguments import refuse_no_text
from graphprobe.api.results import Result, Table, count_text
from graphprobe.errors import UsageError, did_you_mean

Entries = Iterator[tuple[str, str]]


@dataclass(frozen=True, repr=False)
class Catalog(Result):
    """What there is of one kind.

    Args:
        kind: as ``losses``.
        entries: name and a few words, by name; those of installed packages too.
    """

    kind: str
    entries: tuple[tuple[str, str], ...]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def summary(self) -> str:
        """How many there are."""
        return f"{self.kind}: {count_text(len(self), 'entry').replace('entrys', 'entries')}"

    def to_dict(self) -> dict[str, Any]:
        """The kind, and name and words of each entry."""
        found = [{"name": name, "about": about} for name, about in self.entries]
        return {"kind": self.kind, "entries": found}

    def to_rows(self) -> Table:
        """A row an entry."""
        return ("name", "about"), list(self.entries)


def list_names(kind: str) -> Catalog:
    """List the names that other functions take.

    Args:
        kind: ``zoo`` or ``models`` (bundled models), ``losses``, ``rules`` (of pairs), ``data``
            (data sets), ``ops`` or ``operators`` (those that are known), ``targets`` (what heads
            are trained on), ``emitters`` (texts for other tools), ``renderers`` (formats of
            drawings) or ``loaders`` (formats of programs).

    Raises:
        UsageError: no such kind.
        PluginError: an installed package adds something that cannot be used.

    Example:
        >>> "soft_label" in graphprobe.list_names("losses")
        True
    """
    refuse_no_text(kind, "kind", hint=f"use {', '.join(KINDS)}")
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        hint = did_you_mean(kind, (*KINDS, *ALIASES)) or f"use {', '.join(KINDS)}"
        raise UsageError(f"there is no list of {kind!r}", hint=hint)
    return Catalog(kind, tuple(sorted(KINDS[kind]())))


def _zoo() -> Entries:
    """The first line of each model's file: importing it would import paddle."""
    from graphprobe import zoo

    folder = Path(zoo.__file__).parent
    for name in zoo.zoo_names():
        file = folder / f"{name}.py"
        text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) if file.is_file() else None
        yield name, (text or "from an installed package").splitlines()[0].rstrip(".")


def _losses() -> Entries:
    from graphprobe.losses import all_losses

    for name, loss in all_losses().items():
        yield name, f"takes {', '.join(loss.inputs)}; weight {loss.default_weight:g}"


def _rules() -> Entries:
    from graphprobe.pairing.find import pair_rules

    return ((name, rule.about) for name, rule in pair_rules().items())


def _data() -> Entries:
    from graphprobe.data.open import formats

    return ((name, _words(found.open)) for name, found in formats().items())


def _words(function: object) -> str:
    """The first line of the docstring of a function's module."""
    import sys

    module = sys.modules.get(getattr(function, "__module__", ""))
    text = ((module.__doc__ or "") if module else "").strip().partition("\n")[0].rstrip(".")
    return text or "from an installed package"


def _ops() -> Entries:
    from graphprobe.ops import op_specs

    return ((name, f"{spec.kind}: {spec.label}") for name, spec in op_specs().items())


def _targets() -> Entries:
    from graphprobe.data.target_kinds import target_kinds

    return ((name, _words(found.make)) for name, found in target_kinds().items())


def _emitters() -> Entries:
    from graphprobe.emit.emitter import pair_emitters, prune_emitters

    for name, pairs in pair_emitters().items():
        yield name, f"pairs: {pairs.about}"
    for name, pruning in prune_emitters().items():
        yield name, f"prune-regex: {pruning.about}"


def _renderers() -> Entries:
    from graphprobe.drawing import formats

    return ((name, _words(found.render)) for name, found in formats().items())


def _loaders() -> Entries:
    from graphprobe.formats import loaders

    return ((name, _words(found.sniff)) for name, found in loaders().items())


# Other words for a kind.
ALIASES = {"models": "zoo", "operators": "ops"}
KINDS: dict[str, Callable[[], Entries]] = {
    "zoo": _zoo,
    "losses": _losses,
    "rules": _rules,
    "data": _data,
    "ops": _ops,
    "targets": _targets,
    "emitters": _emitters,
    "renderers": _renderers,
    "loaders": _loaders,
}
