"""Prove a config on one batch without training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from graphprobe.api.exported_runs import with_parts
from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table, count_text
from graphprobe.api.settings import (
    ConfigLike,
    Override,
    data_words,
    engine_words,
    open_config,
    override_words,
)
from graphprobe.errors import AnswerIsNo, Problem

if TYPE_CHECKING:
    from graphprobe.config import Config
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.proof import PruneReport
    from graphprobe.training.reporting.progress import Log
    from graphprobe.training.reporting.verdict import Verdict


@dataclass(frozen=True, repr=False)
class CheckResult(Result):
    """What a check found.

    Args:
        where: the config.
        verdict: the terms of a config that trains or distils; None for a pruning config.
        pruning: the groups of a pruning config; None for others.
    """

    where: str
    verdict: Verdict | None = None
    pruning: PruneReport | None = None

    @property
    def passed(self) -> bool:
        """Whether the config can be trained with."""
        return not self.problems

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every reason to fail; empty where it passes."""
        if self.pruning is not None:
            return self.pruning.problems
        if self.verdict is None:
            return ()
        terms = (problem for row in self.verdict.rows for problem in row.problems)
        return (*self.verdict.problems, *terms)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a look."""
        return self.verdict.warnings if self.verdict is not None else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing."""
        return self.pruning.notes if self.pruning is not None else ()

    def summary(self) -> str:
        """Whether it passed, and on how much."""
        if self.passed:
            _, rows = self.to_rows()
            return f"{self.where} passed: {count_text(len(rows), 'row')}"
        return f"{self.where} failed: {'; '.join(map(str, self.problems))}"

    def to_dict(self) -> dict[str, Any]:
        """``passed``, the terms or groups, ``problems`` and ``warnings``."""
        if self.pruning is not None:
            return _pruning(self.pruning)
        from graphprobe.training.reporting.verdict import as_document

        return {} if self.verdict is None else dict(as_document(self.verdict))

    def to_rows(self) -> Table:
        """A row a term, or a row a group."""
        if self.pruning is not None:
            return _GROUP_HEAD, list(_group_rows(self.pruning))
        head = ("term", "passed", "loss/task", "grad/task", "suggested")
        rows = self.verdict.rows if self.verdict is not None else ()
        return head, [
            (row.term, not row.problems, row.share, row.gradient_share, row.suggested)
            for row in rows
        ]


class CheckFailed(AnswerIsNo):
    """A config cannot be trained with.

    Args:
        result: what the check found.
    """

    def __init__(self, result: CheckResult) -> None:
        super().__init__("; ".join(map(str, result.problems)), where=result.where)
        self.result = result


def check(
    config: ConfigLike,
    *,
    data: str | None = None,
    override: Override = (),
    device: str = "auto",
    allow_code: bool = False,
    prove: bool = False,
    engine: str | None = None,
    progress: Log | None = None,
) -> CheckResult:
    """Run one batch and look at every term: does this config train?

    Args:
        config: a config or its file, of any kind, or a run's folder.
        data: in place of the config's, as ``voc:PATH``.
        override: what it sets in the config, as ``{"train.batch_size": 4}``.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        prove: of a pruning config: also compare each pruned group with the network whose channels
            are masked.
        engine: of a pruning config: who prunes, ``own`` or ``paddleslim`` (``prune.engine``).
        progress: takes each line about the work; by default they are logged.

    Raises:
        ConfigError: the config has problems, or is for another program.
        GraphprobeError: the programs, their weights or the data cannot be opened.

    Example:
        >>> graphprobe.check("distill.yaml", override={"train.batch_size": 4}).passed
        True
    """
    words = [*data_words(data), *engine_words(engine), *override_words(override)]
    settings, where = open_config(config, words, allow_code=allow_code)
    settings = with_parts(settings, data, override_words(override))
    return check_config(settings, where, device=device, prove=prove, progress=progress)


def check_config(
    settings: Config,
    where: str,
    *,
    device: str,
    prove: bool = False,
    progress: Log | None = None,
    networks: Networks | None = None,
) -> CheckResult:
    """Run the check that the kind of a config asks for.

    Args:
        settings: the config, overrides applied.
        where: what to call it.
        device: ``auto``, ``cpu`` or ``gpu``.
        prove: see `check`.
        progress: see `check`.
        networks: of the command; keeps what is built for a run that follows.

    Raises:
        GraphprobeError: the programs, their weights or the data cannot be opened.
    """
    from graphprobe.config import DistillConfig, PruneConfig
    from graphprobe.training.check import probe_distillation, probe_training
    from graphprobe.training.pruning.proof import check_prune
    from graphprobe.training.runtime.device import choose_place

    log = reporter(progress)
    place = choose_place(device, log)
    if isinstance(settings, PruneConfig):
        report = check_prune(settings, place, prove=prove, where=where, log=log, networks=networks)
        return CheckResult(where, pruning=report)
    if isinstance(settings, DistillConfig):
        verdict = probe_distillation(settings, place, where=where, log=log, networks=networks)
    else:
        verdict = probe_training(settings, place, where=where, log=log, networks=networks)
    return CheckResult(where, verdict=verdict)


_GROUP_HEAD = ("convolution", "together", "channels", "after", "difference")


def _group_rows(report: PruneReport) -> list[tuple[Any, ...]]:
    return [(row.conv, row.convs, row.before, row.after, row.difference) for row in report.groups]


def _pruning(report: PruneReport) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "engine": report.engine,
        "groups": [dict(zip(_GROUP_HEAD, row, strict=True)) for row in _group_rows(report)],
        "before": asdict(report.before),
        "after": asdict(report.after),
        "changed": report.changed,
        "outputs": report.outputs,
        "problems": [str(problem) for problem in report.problems],
    }
