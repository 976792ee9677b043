"""Find the pairs of student and teacher tensors that a distillation loss should join."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphprobe.collector import collector_paused
from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Pair, Program
from graphprobe.losses import Loss, find_loss
from graphprobe.ops.kinds import unknown_ops_text
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature
from graphprobe.pairing.inputs import InputComparison, compare_inputs
from graphprobe.pairing.matching import Matches, Rejected, match
from graphprobe.pairing.roles import CLASSES
from graphprobe.pairing.rule import PairRule
from graphprobe.registry import discover

__all__ = ["PairReport", "Rejected", "find_pairs", "pair_rules"]


@dataclass(frozen=True, slots=True, repr=False)
class PairReport:
    """What was found.

    Args:
        pairs: in the order of the student's heads, from the coarsest stride to the finest.
        alternatives: candidates that are no pair, with the reason.
        warnings: what is ambiguous, and why nothing was found where nothing was.
        loss: the one that all pairs were to have; None where each got that of its role.
    """

    pairs: tuple[Pair, ...] = ()
    alternatives: tuple[Rejected, ...] = ()
    warnings: tuple[str, ...] = ()
    loss: str | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        pairs, others = len(self.pairs), len(self.alternatives)
        return f"<PairReport: {pairs} pairs, {others} alternatives, {len(self.warnings)} warnings>"


def pair_rules() -> dict[str, PairRule]:
    """Every rule by its name."""
    return discover("graphprobe.pairing.rules", "RULE", PairRule)


def find_pairs(
    student: Program, teacher: Program, rule: str | None = None, loss: str | None = None
) -> PairReport:
    """Match the outputs (or inner features) of two programs by what they are for.

    Args:
        student: the program that will be trained.
        teacher: the program that it should come to resemble.
        rule: use this rule alone; by default the one of the highest priority that finds pairs.
        loss: give every pair this loss, with the weight that its references use. A loss of
            several inputs takes only rules that find these parts.

    Raises:
        UsageError: no rule or loss of that name, or the two do not go together.
    """
    wanted = find_loss(loss) if loss is not None else None
    with collector_paused():
        analyses = ProgramAnalysis(student), ProgramAnalysis(teacher)
        report = _best(analyses, wanted) if rule is None else _one(_named(rule, wanted), analyses)
        report = _with_inputs(report, compare_inputs(*analyses))
        report = _with_unknown(report, student, teacher)
    return report if wanted is None else _with_loss(report, wanted)


def _with_unknown(report: PairReport, student: Program, teacher: Program) -> PairReport:
    """Warn of operators that the table lacks: what lies behind them is judged by shapes alone."""
    warnings = []
    for role, program in (("student", student), ("teacher", teacher)):
        unknown = unknown_ops_text(program)
        if unknown:
            warnings.append(
                f"the {role} has operators that are not known: {unknown}; "
                f"strides and outputs behind them are in doubt"
            )
    return replace(report, warnings=(*report.warnings, *warnings))


def _with_inputs(report: PairReport, found: InputComparison) -> PairReport:
    """Warn of inputs that differ; pairs of programs that cannot be fed the same are in doubt."""
    warnings = tuple(text for text in (found.differ, found.sizes) if text)
    if not report.pairs or not warnings:
        return report
    pairs = report.pairs
    if found.differ:
        doubt = "in doubt: the inputs differ in kind"
        pairs = tuple(
            replace(p, score=round(p.score * 0.5, 4), evidence=(*p.evidence, doubt)) for p in pairs
        )
    return replace(report, pairs=pairs, warnings=(*warnings, *report.warnings))


def _with_loss(report: PairReport, loss: Loss) -> PairReport:
    """Give all pairs one loss.

    Raises:
        UsageError: the loss is always 0 on one of them.
    """
    warnings = list(report.warnings)
    for pair in report.pairs:
        wrong = loss.check((pair.student_shape,), (pair.student_shape,)) if _is_plain(loss) else []
        if wrong:
            raise UsageError(f"{pair.student} ({pair.role}): {wrong[0]}", hint="use l2")
        if loss.name == "soft_label" and pair.role.partition(",")[0] not in CLASSES:
            warnings.append(
                f"soft_label takes the channels of {pair.student} ({pair.role}) for classes"
            )
    pairs = tuple(
        pair
        if pair.loss == loss.name
        else replace(pair, loss=loss.name, weight=loss.default_weight)
        for pair in report.pairs
    )
    return replace(report, pairs=pairs, warnings=tuple(dict.fromkeys(warnings)), loss=loss.name)


def _is_plain(loss: Loss) -> bool:
    """Whether a loss compares one tensor with one, and asks nothing beside."""
    return len(loss.inputs) == 1 and not loss.levels


def _goes_with(rule: PairRule, loss: Loss | None) -> bool:
    """Whether a rule finds what a loss takes."""
    if loss is None:
        return True
    if loss.levels:
        return rule.scope in ("levels", "dense_levels")
    return len(loss.inputs) == 1 or rule.parts == loss.inputs


def _named(name: str, loss: Loss | None) -> PairRule:
    rules = pair_rules()
    if name not in rules:
        hint = did_you_mean(name, rules) or f"the rules are {', '.join(rules)}"
        raise UsageError(f"no pair rule is called {name!r}", where="rule", hint=hint)
    if loss is not None and not _goes_with(rules[name], loss):
        fit = [r.name for r in rules.values() if _goes_with(r, loss)]
        raise UsageError(
            f"loss {loss.name} takes {', '.join(loss.inputs)}, which rule {name} does not find",
            where="loss",
            hint="use " + " or ".join(f"rule={name!r}" for name in fit),
        )
    return rules[name]


def _one(rule: PairRule, analyses: tuple[ProgramAnalysis, ProgramAnalysis]) -> PairReport:
    ours, theirs = rule.find(*analyses), rule.find(analyses[1], analyses[0])
    found = match(rule, ours, theirs)
    if not found.pairs and not found.warnings:
        found.warnings.append(f"{_nothing(ours, theirs)} by rule {rule.name}")
    return _report(found)


def _best(analyses: tuple[ProgramAnalysis, ProgramAnalysis], loss: Loss | None) -> PairReport:
    """The highest rule with pairs; inner features only where both have outputs of one kind."""
    refused = Matches()
    seen: tuple[list[Feature], list[Feature]] = ([], [])
    unmatched: list[Rejected] = []
    related = False
    for rule in sorted(pair_rules().values(), key=lambda r: -r.priority):
        asked = loss is not None and (loss.levels or rule.parts == loss.inputs)
        outputs = rule.scope == "outputs"
        alone = rule.scope == "dense_levels"
        eligible = outputs or related or asked or (alone and loss is None)
        if not _goes_with(rule, loss) or not eligible:
            continue
        ours, theirs = rule.find(*analyses), rule.find(analyses[1], analyses[0])
        found = match(rule, ours, theirs)
        if outputs:
            seen = (seen[0] or ours, seen[1] or theirs)
            related |= bool({f.kind for f in ours} & {f.kind for f in theirs})
        if found.pairs:
            if not (outputs or alone or asked):
                refused.warnings.append(
                    f"no outputs could be paired; these are pairs of {rule.about}"
                )
            return _report(_joined(refused, found))
        if found.warnings:
            refused = _joined(refused, found)
        unmatched += found.rejected if outputs else []
    if not refused.warnings:
        refused.warnings.append(_nothing(*seen))
    return _report(_joined(refused, Matches(rejected=unmatched)))


def _joined(first: Matches, second: Matches) -> Matches:
    return Matches(
        [*first.pairs, *second.pairs],
        [*first.rejected, *second.rejected],
        [*first.warnings, *second.warnings],
    )


def _report(found: Matches) -> PairReport:
    once = {(r.student, r.teacher, r.reason): r for r in found.rejected}
    return PairReport(
        tuple(found.pairs),
        tuple(_refused_first(once.values())),
        tuple(dict.fromkeys(found.warnings)),
    )


def _refused_first(rejected: Iterable[Rejected]) -> list[Rejected]:
    """What was compared and refused comes before what has no counterpart."""
    return sorted(rejected, key=lambda item: None in (item.student, item.teacher))


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
