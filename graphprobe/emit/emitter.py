"""What an emitter is: findings in, the text that another trainer reads out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Program
from graphprobe.pairing.find import PairReport
from graphprobe.pruning.ratios import PruneChoice
from graphprobe.registry import discover

T = TypeVar("T")
# Files of an inference model, as Paddle's own loader knows them.
_MODELS = (".pdmodel", "__model__")
_PARAMS = ("__params__", "params", "model.pdiparams", "inference.pdiparams")


@dataclass(frozen=True, slots=True)
class PairEmitter:
    """Pairs in the words of another trainer.

    Args:
        name: what callers name it by.
        about: who reads the text.
        text: (report, student, teacher) -> the text; raises UsageError for what the trainer
            cannot take.
    """

    name: str
    about: str
    text: Callable[[PairReport, Program, Program], str]


@dataclass(frozen=True, slots=True)
class PruneEmitter:
    """Groups and ratios in the words of another tool.

    Args:
        name: what callers name it by.
        about: who reads the text.
        text: (choice, regex of the first filters of its groups) -> the text.
        one_ratio: the tool has one ratio for all filters, so those chosen by group are lost.
    """

    name: str
    about: str
    text: Callable[[PruneChoice, str], str]
    one_ratio: bool = False


def pair_emitters() -> dict[str, PairEmitter]:
    """Every emitter of pairs by its name."""
    return discover("graphprobe.emit.pair_emitters", "EMITTER", PairEmitter)


def prune_emitters() -> dict[str, PruneEmitter]:
    """Every emitter of prunable groups by its name."""
    return discover("graphprobe.emit.prune_emitters", "EMITTER", PruneEmitter)


def find_pair_emitter(name: str) -> PairEmitter:
    """The emitter of pairs of that name.

    Raises:
        UsageError: there is none.
    """
    return _find(name, pair_emitters())


def find_prune_emitter(name: str) -> PruneEmitter:
    """The emitter of prunable groups of that name.

    Raises:
        UsageError: there is none.
    """
    return _find(name, prune_emitters())


def _find(name: str, known: dict[str, T]) -> T:
    if name not in known:
        hint = did_you_mean(name, known) or f"use {', '.join(known)}"
        raise UsageError(f"nothing is written as {name!r}", where="emit", hint=hint)
    return known[name]


def model_files(source: str) -> tuple[str, str | None, str | None]:
    """Folder, name of the model file, and name of the parameters' file (None: one a parameter)."""
    path = Path(source)
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.name.endswith(_MODELS)]
        path = found[0] if len(found) == 1 else path / "__model__"
    return str(path.parent), path.name, _params(path)


def _params(model: Path) -> str | None:
    names = (model.with_suffix(".pdiparams").name, *_PARAMS)
    return next((name for name in names if (model.parent / name).is_file()), None)
