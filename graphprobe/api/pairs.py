"""Find which tensors of a student should resemble which of a teacher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphprobe.api.progress import reporter
from graphprobe.api.results import ConfigResult, Table, count_text
from graphprobe.api.run_programs import ref_of
from graphprobe.errors import UsageError
from graphprobe.ir import Pair
from graphprobe.pairing import find as pairing
from graphprobe.pairing.find import PairReport, Rejected
from graphprobe.programs import LoadedProgram, ProgramLike, load
from graphprobe.waits import waiting_for

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.config import DistillConfig, TaskSection, TrainSection
    from graphprobe.drawing.folding.fold import Level
    from graphprobe.training.reporting.progress import Log


@dataclass(frozen=True, repr=False)
class PairFindings(ConfigResult):
    """What `find_pairs` found.

    Args:
        student: the program that will be trained.
        teacher: the program that it should come to resemble.
        report: the pairs, the candidates that are none, and what is in doubt.
        train: the schedule that follows from the data; None where none were named.
        task: the loss that their labels give an exported student; None where they give none.
    """

    student: LoadedProgram
    teacher: LoadedProgram
    report: PairReport
    train: TrainSection | None = None
    task: TaskSection | None = None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs, from the coarsest stride to the finest."""
        return self.report.pairs

    @property
    def alternatives(self) -> tuple[Rejected, ...]:
        """Candidates that are no pair, each with the reason."""
        return self.report.alternatives

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is ambiguous, and why nothing was found where nothing was."""
        return self.report.warnings

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def summary(self) -> str:
        """How many pairs, by which rules."""
        rules = ", ".join(dict.fromkeys(pair.rule for pair in self.pairs))
        return f"{count_text(len(self), 'pair')}{' by ' + rules if rules else ''}"

    def to_dict(self) -> dict[str, Any]:
        """``pairs``, ``alternatives`` and ``warnings``."""
        return {
            "pairs": [_pair(pair) for pair in self.pairs],
            "alternatives": [_rejected(item) for item in self.alternatives],
            "warnings": list(self.warnings),
        }

    def to_rows(self) -> Table:
        """A row a pair."""
        head = ("student", "teacher", "role", "part", "loss", "weight", "score", "rule")
        return (*head, "adapter", "evidence"), [_row(pair) for pair in self.pairs]

    def to_networkx(self, level: Level = "op") -> nx.DiGraph[str]:
        """Both programs with their pairs, as `Picture.to_networkx` has it.

        Args:
            level: how far to fold: ``stage``, ``block``, ``unit`` or ``op``.

        Raises:
            MissingDependency: networkx is not installed.
            UsageError: there is no such level.
        """
        from graphprobe.api.draw import draw

        return draw(self.student, teacher=self.teacher, pairs=self).to_networkx(level)

    def to_config(self) -> DistillConfig:
        """The config that distils with these pairs.

        Raises:
            UsageError: there is no pair, or a program has no name that a config could give.
        """
        from graphprobe.emit import distill_config

        self._refuse_unnamed()
        config = distill_config(self.report, self.student.program, self.teacher.program)
        update: dict[str, Any] = {
            "student": ref_of(self.student),
            "teacher": ref_of(self.teacher),
        }
        if self.train is not None:
            update["train"] = self.train
        if self.task is not None:
            update["task"] = self.task
        return config.model_copy(update=update)

    def _config_notes(self) -> Mapping[str, Sequence[str]]:
        """The evidence of each pair, and the warnings, as the comments of that config."""
        from graphprobe.emit import distill_notes

        return distill_notes(self.report)

    def emit(self, emit: str) -> str:
        """The pairs in the words of another trainer.

        Args:
            emit: ``act`` (PaddleSlim's auto-compression), ``ppdet`` (PaddleDetection 2.x) or
                ``python`` (a script with PaddleSlim's merge and losses).

        Raises:
            UsageError: no such form, or it cannot express what the pairs need.
        """
        from graphprobe.emit import find_pair_emitter

        return find_pair_emitter(emit).text(self.report, self.student.program, self.teacher.program)

    def _refuse_unnamed(self) -> None:
        for side, loaded in (("student", self.student), ("teacher", self.teacher)):
            loaded.require_name(side)
        if not self.pairs:
            raise UsageError("there is no pair to write", hint="; ".join(self.warnings))


def find_pairs(
    student: ProgramLike,
    teacher: ProgramLike,
    *,
    data: str | None = None,
    rule: str | None = None,
    loss: str | None = None,
    progress: Log | None = None,
) -> PairFindings:
    """Match the outputs (or inner features) of two programs by what they are for.

    Args:
        student: the program that will be trained.
        teacher: the program that it should come to resemble.
        data: what will be trained on, as ``voc:PATH``: bundled models get an output for each of its
            classes, and the config its data, a schedule for their number and, of an exported
            student, what it learns from their labels.
        rule: use this rule alone; by default the highest-level one that covers the outputs.
        loss: give every pair this loss, with the weight that its references use.
        progress: takes each line about what follows from the data; by default they are logged.

    Raises:
        LoadError: a program cannot be read.
        UsageError: no rule or loss of that name, or the two do not go together.

    Example:
        >>> found = graphprobe.find_pairs("zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34")
        >>> found.pairs[0].student, found.pairs[0].teacher
        ('conv2d_20.tmp_1', 'conv2d_6.tmp_1')
        >>> found.write("distill.yaml")
        PosixPath('distill.yaml')
    """
    train = task = None
    if data is None:
        ours, theirs = load(student), load(teacher)
    else:
        from graphprobe.api.data_settings import settings_for_data
        from graphprobe.api.task_loss import task_of

        log = reporter(progress)
        (ours, theirs), train, opened = settings_for_data((student, teacher), data, log)
        task = task_of(ours, opened, log)
    with waiting_for("finding pairs"):
        report = pairing.find_pairs(ours.program, theirs.program, rule, loss)
    return PairFindings(ours, theirs, report, train, task)


def _pair(pair: Pair) -> dict[str, Any]:
    adapter = pair.adapter
    return {
        "student": pair.student,
        "teacher": pair.teacher,
        "student_shape": list(pair.student_shape),
        "teacher_shape": list(pair.teacher_shape),
        "role": pair.role,
        "part": pair.part,
        "stride": pair.stride,
        "loss": pair.loss,
        "weight": pair.weight,
        "score": pair.score,
        "rule": pair.rule,
        "evidence": list(pair.evidence),
        "adapter": None
        if adapter is None
        else {
            "in_channels": adapter.in_channels,
            "out_channels": adapter.out_channels,
            "resize": adapter.resize,
            "parameters": adapter.parameters,
        },
    }


def _rejected(item: Rejected) -> dict[str, Any]:
    return {
        "student": item.student,
        "teacher": item.teacher,
        "role": item.role,
        "rule": item.rule,
        "reason": item.reason,
    }


def _row(pair: Pair) -> tuple[Any, ...]:
    adapter = pair.adapter
    plan = f"{adapter.in_channels}->{adapter.out_channels}" if adapter is not None else ""
    head = (pair.student, pair.teacher, pair.role, pair.part, pair.loss, pair.weight, pair.score)
    return (*head, pair.rule, plan, "; ".join(pair.evidence))
