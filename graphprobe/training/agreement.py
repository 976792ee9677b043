"""How close a student is to its teacher on images that it was not trained on, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphprobe.config import Config, DistillConfig, TrainSection
from graphprobe.data.eval_batches import split_truth
from graphprobe.data.metrics.agreement import Agreement
from graphprobe.data.metrics.agreement_types import OutputPair
from graphprobe.data.metrics.names import AGREEMENT
from graphprobe.data.sample import Dataset
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.assemble import Assembly
from graphprobe.training.evaluate import Evaluator, Score, make_evaluator
from graphprobe.training.feeding.feeding import eval_batches
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.trainable import IMAGE
from graphprobe.training.runtime.programs import keep_needed
from graphprobe.training.teacher.inference import InferenceTeacher
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.zoo import EXPORTED, Built


class AgreementEvaluator(Evaluator):
    """Compares what the pairs of a config join, over a data set.

    Args:
        built: the student, built for evaluation.
        section: of the config.
        val: what to measure on.
        place: where it runs.
        pairs: (student, teacher) variables of one shape.
        teacher: computes the teacher's.
    """

    def __init__(
        self,
        built: Built,
        section: TrainSection,
        val: Dataset,
        place: Any,
        pairs: Sequence[tuple[str, str]],
        teacher: InferenceTeacher,
    ) -> None:
        names = [student for student, _ in pairs]
        main = built.main.clone()
        keep_needed(main, names)
        part = replace(built, main=main, outputs={name: name for name in names})
        super().__init__(part, eval_batches(section, val, part), place, AGREEMENT)
        self._pairs, self._teacher = list(pairs), teacher

    def run(self, scope: Any) -> Score:
        """Measure with the weights of a scope.

        Returns:
            the cosine over all images, its mean over the pairs and that of each; beside it the
            relative l2 distance.

        Raises:
            TrainError: the student gives all images the same, or what is not finite.
        """
        found = Agreement([OutputPair(student, teacher) for student, teacher in self._pairs])
        for batch, outputs in self.outputs(scope):
            feed, _ = split_truth(batch)
            theirs = self._teacher.outputs(feed)
            mine = dict(zip(self._built.outputs, outputs, strict=True))
            named = {name: theirs[PREFIX + name] for _, name in self._pairs}
            found.add(mine, named, len(feed[IMAGE]))
        result = found.result()
        _, value = result.headline
        more = (("relative l2", result.figure("relative_l2")),)
        return Score(AGREEMENT, value, tuple((o.name, o.cosine) for o in result.outputs), more)


def evaluator_of(config: Config, parts: Assembly, val: Dataset) -> Evaluator:
    """What measures the student of a run: its task's metric, or agreement with its teacher."""
    built = parts.student.source.pruned("eval", parts.student.plan)
    if built.task != EXPORTED or parts.teacher is None:
        return make_evaluator(config.train, built, val, parts.place)
    return agreement_evaluator(
        config, built, val, parts.place, parts.teacher, parts.inference_teacher
    )


def agreement_evaluator(
    config: Config,
    built: Built,
    val: Dataset,
    place: Any,
    teacher: Network | None,
    engine: InferenceTeacher | None = None,
) -> Evaluator:
    """An evaluator of the pairs of a config whose two sides have one shape.

    Args:
        config: of kind distill.
        built: the student, built for evaluation.
        val: what to measure on.
        place: where both run.
        teacher: with its weights, unless `engine` has them.
        engine: computes the teacher's variables of all pairs, where it is there already.

    Raises:
        ConfigError: there is no teacher, or every pair goes through an adapter.
    """
    found = config.pairs if isinstance(config, DistillConfig) else ()
    pairs = list(dict.fromkeys((p.student, p.teacher) for p in found if p.adapter is None))
    if teacher is None:
        text = "it names no teacher, so there is nothing that an exported program agrees with"
        raise ConfigError([Problem("kind", text)], hint="take the distill.yaml of the run")
    if not pairs:
        text = "every pair has an adapter, so agreement with the teacher cannot be measured"
        raise ConfigError([Problem("pairs", text)], hint="set train.data.val to null")
    engine = engine or InferenceTeacher(teacher, [name for _, name in pairs], place)
    return AgreementEvaluator(built, config.train, val, place, pairs, engine)
