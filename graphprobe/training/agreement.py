"""How close a student is to its teacher on images that it was not trained on, without labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from graphprobe.config import Config, DistillConfig, TrainSection
from graphprobe.data.eval_batches import split_truth
from graphprobe.data.metrics.agreement import Agreement
from graphprobe.data.metrics.agreement_types import (
    FIGURES,
    OutputKind,
    OutputPair,
    headline_of,
    pair_outputs,
)
from graphprobe.data.metrics.names import AGREEMENT, LABELS, LABELS_OF_PRUNING
from graphprobe.data.sample import Dataset, Feed
from graphprobe.errors import ConfigError, Problem
from graphprobe.ir import Program
from graphprobe.training.evaluate import Evaluator, Score
from graphprobe.training.feeding.cached_dataset import CachedBatches
from graphprobe.training.feeding.feeding import eval_batches
from graphprobe.training.feeding.pixels import converter_of
from graphprobe.training.labelled import built_part, takes_one
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.source import NetworkSource
from graphprobe.training.teacher.inference import InferenceTeacher
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.waits import waiting_for
from graphprobe.zoo import Built


class AgreementEvaluator(Evaluator):
    """Compares outputs and inner tensors of student and teacher, over a data set.

    Args:
        built: the student, built for evaluation.
        section: of the config.
        val: what to measure on.
        place: where it runs.
        compared: what is compared as what.
        teacher: computes the teacher's.
        keep: bytes of batches that stay in memory, to be measured many times.
        pruning: whether it measures what pruning costs: the teacher is the student unpruned, and
            outputs that are equal for all images are a result.
    """

    def __init__(
        self,
        built: Built,
        section: TrainSection,
        val: Dataset,
        place: Any,
        compared: Sequence[OutputPair],
        teacher: InferenceTeacher,
        keep: int = 0,
        *,
        pruning: bool = False,
    ) -> None:
        part = built_part(built, [name for pair in compared for name in pair.student_names])
        if _one_by_one(built, compared):
            section = section.model_copy(update={"batch_size": 1})
        batches = eval_batches(section, val, part)
        kept = CachedBatches(batches, keep) if keep else batches
        super().__init__(part, kept, place, AGREEMENT)
        self._compared, self._teacher = list(compared), teacher
        self._theirs: dict[int, dict[str, Any]] = {}
        self._left = max(keep, KEPT_BYTES)
        self._pruning = pruning

    @property
    def label(self) -> str:
        """The metric with the figure that stands for it."""
        labels = LABELS_OF_PRUNING if self._pruning else LABELS
        return f"{labels[AGREEMENT]} ({FIGURES[headline_of(self._compared)]})"

    def run(self, scope: Any) -> Score:
        """Measure with the weights of a scope.

        Returns:
            the main figure of such outputs, and all figures beside it.

        Raises:
            TrainError: the student gives all images the same, or what is not finite.
        """
        with waiting_for("measuring how far the student agrees"):
            return self._run(scope)

    def _run(self, scope: Any) -> Score:
        found = Agreement(self._compared)
        for number, (batch, outputs) in enumerate(self.outputs(scope)):
            feed, _ = split_truth(batch)
            theirs = self._teacher_outputs(number, feed)
            mine = dict(zip(self._built.outputs, outputs, strict=True))
            named = {name.removeprefix(PREFIX): array for name, array in theirs.items()}
            found.add(mine, named, len(next(iter(feed.values()))))
        result = found.result(refuse_equal=not self._pruning)
        headline, value = result.headline
        rows = tuple((each.name, getattr(each, headline)) for each in result.outputs)
        more = tuple(
            (FIGURES[name], figure)
            for name in FIGURES
            if name != headline and (figure := result.figure(name)) is not None
        )
        return Score(AGREEMENT, value, rows, more, result)

    def _teacher_outputs(self, number: int, feed: Feed) -> dict[str, Any]:
        """What the teacher makes of a batch: the same each time, so it is kept."""
        if number in self._theirs:
            return self._theirs[number]
        found = self._teacher.outputs(feed)
        size = sum(array.nbytes for array in found.values())
        if size <= self._left:
            self._left -= size
            self._theirs[number] = found
        return found


# What a teacher makes of the validation data stays in memory up to so many bytes.
KEPT_BYTES = 256_000_000

# A program -> its outputs by kind; `graphprobe.pairing.output_kinds` finds them.
FindOutputs: TypeAlias = Callable[[Program], list[OutputKind]]


def _one_by_one(built: Built, compared: Sequence[OutputPair]) -> bool:
    """Whether a batch has one image: rows of boxes are not counted, or the program takes one."""
    uncounted = any(
        pair.kind == "boxes" and not (pair.student_count and pair.teacher_count)
        for pair in compared
    )
    return uncounted or takes_one(built)


def agreement_evaluator(
    config: Config,
    source: NetworkSource,
    built: Built,
    val: Dataset,
    place: Any,
    teacher: Network | None,
    find: FindOutputs | None,
) -> Evaluator:
    """An evaluator of what student and teacher give out, and of the pairs of one shape.

    Args:
        config: of kind distill.
        source: of the student.
        built: the student, built for evaluation.
        val: what to measure on.
        place: where both run.
        teacher: with its weights.
        find: finds the outputs that are compared; without it the pairs of the config alone are.

    Raises:
        ConfigError: there is no teacher, or nothing of both can be compared.
    """
    if teacher is None or not isinstance(config, DistillConfig):
        text = "it names no teacher, so there is nothing that an exported program agrees with"
        raise ConfigError([Problem("kind", text)], hint="take the distill.yaml of the run")
    compared = compared_tensors(config, source, teacher.source, find)
    if not compared:
        text = "every pair has an adapter, so agreement with the teacher cannot be measured"
        raise ConfigError([Problem("pairs", text)], hint="set train.data.val to null")
    whole = replace(teacher, built=teacher.source.pruned("eval", teacher.plan))
    wanted = [name for pair in compared for name in pair.teacher_names]
    convert = converter_of(config.train, built, teacher.built)
    engine = InferenceTeacher(whole, wanted, place, convert)
    return AgreementEvaluator(built, config.train, val, place, compared, engine)


def compared_tensors(
    config: DistillConfig,
    student: NetworkSource,
    teacher: NetworkSource,
    find: FindOutputs | None,
) -> list[OutputPair]:
    """The outputs of two exported programs by their kinds, then the tensors of the pairs.

    Pairs that go through an adapter are no measure: its weights are not in the student.
    """
    found: list[OutputPair] = []
    if find is not None and student.exported is not None and teacher.exported is not None:
        pairs = pair_outputs(find(student.exported.program), find(teacher.exported.program))
        found = [pair for pair in pairs if pair.kind != "values"]
    outputs = {(pair.student, pair.teacher) for pair in found}
    inner = dict.fromkeys((p.student, p.teacher) for p in config.pairs if p.adapter is None)
    return [*found, *(OutputPair(*names) for names in inner if names not in outputs)]
