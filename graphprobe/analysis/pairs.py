"""Find the pairs of student and teacher tensors that a distillation loss should join."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from graphprobe.analysis._features import Feature
from graphprobe.analysis._matching import Matches, Rejected, match
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._view import View
from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Pair, Program
from graphprobe.registry import discover

__all__ = ["PairReport", "Rejected", "find_pairs", "pair_rules"]


@dataclass(frozen=True, slots=True)
class PairReport:
    """What was found.

    Args:
        pairs: in the order of the student's heads, from the coarsest stride to the finest.
        alternatives: candidates that are no pair, with the reason.
        warnings: what is ambiguous, and why nothing was found where nothing was.
    """

    pairs: tuple[Pair, ...] = ()
    alternatives: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()


def pair_rules() -> dict[str, PairRule]:
    """Every rule by its name."""
    return discover("graphprobe.analysis.pair_rules", "RULE", PairRule)


def find_pairs(
    student: Program, teacher: Program, rule: str | None = None, loss: str | None = None
) -> PairReport:
    """Match the outputs (or inner features) of two programs by what they are for.

    Args:
        student: the program that will be trained.
        teacher: the program that it should come to resemble.
        rule: use this rule alone; by default the highest-level one that covers the outputs.
        loss: give every pair this loss, with weight 1.0.

    Raises:
        UsageError: no rule of that name.
    """
    views = View(student), View(teacher)
    with _no_collection():
        report = _one(_named(rule), views) if rule is not None else _best(views)
    if loss is None:
        return report
    return replace(report, pairs=tuple(replace(p, loss=loss, weight=1.0) for p in report.pairs))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing dies while views grow, so a garbage collector would only scan them again and again.

    On 100,000 ops it takes 40% of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _named(name: str) -> PairRule:
    rules = pair_rules()
    if name not in rules:
        hint = did_you_mean(name, rules) or f"the rules are {', '.join(rules)}"
        raise UsageError(f"no pair rule is called {name}", where="--rule", hint=hint)
    return rules[name]


def _one(rule: PairRule, views: tuple[View, View]) -> PairReport:
    ours, theirs = rule.find(*views), rule.find(views[1], views[0])
    found = match(rule, ours, theirs)
    if not found.pairs and not found.warnings:
        found.warnings.append(f"{_nothing(ours, theirs)} by rule {rule.name}")
    return _report(found)


def _best(views: tuple[View, View]) -> PairReport:
    """The highest rule with pairs; inner features only where both have outputs of one kind."""
    refused = Matches()
    seen: tuple[list[Feature], list[Feature]] = ([], [])
    related = False
    for rule in sorted(pair_rules().values(), key=lambda r: -r.level):
        if not rule.heads and not related:
            continue
        ours, theirs = rule.find(*views), rule.find(views[1], views[0])
        found = match(rule, ours, theirs)
        if rule.heads:
            seen = (seen[0] or ours, seen[1] or theirs)
            related |= bool({f.kind for f in ours} & {f.kind for f in theirs})
        if found.pairs:
            if not rule.heads:
                refused.warnings.append(
                    f"no outputs could be paired; these are pairs of {rule.about}"
                )
            return _report(_joined(refused, found))
        if found.warnings or rule.heads:
            refused = _joined(refused, found)
    if not refused.warnings:
        refused.warnings.append(_nothing(*seen))
    return _report(refused)


def _joined(first: Matches, second: Matches) -> Matches:
    return Matches(
        [*first.pairs, *second.pairs],
        [*first.rejected, *second.rejected],
        [*first.warnings, *second.warnings],
    )


def _report(found: Matches) -> PairReport:
    return PairReport(
        tuple(found.pairs),
        tuple({(r.student, r.teacher, r.reason): r for r in found.rejected}.values()),
        tuple(dict.fromkeys(found.warnings)),
    )


def _nothing(ours: list[Feature], theirs: list[Feature]) -> str:
    """Why nothing matched, in one sentence."""
    return (
        f"nothing matched: the student has {_inventory(ours)}, the teacher has {_inventory(theirs)}"
    )


def _inventory(features: list[Feature]) -> str:
    counts = Counter(f.kind for f in features)
    if not counts:
        return "no output that a rule knows"
    return ", ".join(
        f"{n} {kind}{'s' if n > 1 and kind[-1] != 's' else ''}"
        for kind, n in sorted(counts.items())
    )
