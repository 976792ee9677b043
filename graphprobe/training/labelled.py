"""An exported program measured by labels: which of its outputs they are held against, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.config import TrainSection
from graphprobe.data.class_match import NoMatch, match_classes
from graphprobe.data.metrics.agreement_types import Kind, OutputKind
from graphprobe.data.sample import Dataset
from graphprobe.errors import TrainError
from graphprobe.training.evaluate import Evaluator, choose_metric
from graphprobe.training.feeding.feeding import eval_batches
from graphprobe.training.runtime.programs import keep_needed
from graphprobe.zoo import Built

# The kinds of outputs that each kind of labels is held against, the most telling first.
READ: dict[str, tuple[Kind, ...]] = {"classification": ("scores", "labels")}


@dataclass(frozen=True, slots=True)
class Answer:
    """An output that is held against labels.

    Args:
        output: what it is.
        classes: the number that each class of the data has in the program.
    """

    output: OutputKind
    classes: tuple[int, ...]


def find_answer(built: Built, outputs: Iterable[OutputKind], data: Dataset) -> Answer | str:
    """The output that labels are held against, or why there is none.

    Args:
        built: an exported program.
        outputs: what its outputs are.
        data: with labels or without.
    """
    if data.task not in READ:
        return "the data have no labels"
    kinds, every = READ[data.task], list(outputs)
    found = next((one for kind in kinds for one in every if one.kind == kind), None)
    if found is None:
        return f"no output of it is {' or '.join(kinds)}, which {data.task} is about"
    try:
        classes = match_classes(found.classes, built.meta["class_names"], data.class_names)
    except NoMatch as error:
        return error.message
    if not _one_answer(built, found):
        return f"{found.name} has more than one answer an image"
    return Answer(found, classes)


def _one_answer(built: Built, found: OutputKind) -> bool:
    """Whether scores are of whole images, and not of the letters of a text."""
    if found.kind not in ("scores", "labels"):
        return True
    shape = list(built.main.global_block().var(found.name).shape)
    if found.kind == "scores":
        shape.pop(found.axis)
    return all(side in (-1, 1) for side in shape)


class LabelledEvaluator(Evaluator):
    """Holds one output of an exported program against labels.

    Args:
        built: the program, built for evaluation.
        section: of the config.
        val: what to measure on.
        place: where it runs.
        answer: which output, and what its classes are.

    Raises:
        ConfigError: ``train.metric`` does not measure what the data have.
    """

    def __init__(
        self, built: Built, section: TrainSection, val: Dataset, place: Any, answer: Answer
    ) -> None:
        part = built_part(built, answer.output.names)
        if takes_one(built):
            section = section.model_copy(update={"batch_size": 1})
        metric = choose_metric(section, val.task)
        super().__init__(part, eval_batches(section, val, part), place, metric)
        self._answer = answer
        self._own = np.full(max(answer.classes) + 1, -1)  # class of the program -> of the data
        self._own[list(answer.classes)] = np.arange(len(answer.classes))

    @property
    def read(self) -> tuple[str, ...]:
        """The outputs that are read."""
        return self._answer.output.names

    def _best(self, found: list[NDArray[Any]]) -> NDArray[np.integer[Any]]:
        values = self._finite(found[0])
        if self._answer.output.kind == "labels":
            return self._of_data(values.reshape(len(values), 1))
        scores = values.reshape(len(values), values.shape[self._answer.output.axis])
        return self._of_data(np.argsort(-scores, axis=1, kind="stable"))

    def _of_data(self, numbers: NDArray[Any]) -> NDArray[np.integer[Any]]:
        """Classes of the data; -1 for those that it does not have."""
        inside = (numbers >= 0) & (numbers < len(self._own))
        return np.where(inside, self._own[np.where(inside, numbers, 0).astype(np.int64)], -1)

    def _finite(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise TrainError(
                "holds numbers that are not finite",
                where=self._answer.output.name,
                hint="the training has failed; lower the learning rate",
            )
        return values


def built_part(built: Built, names: Sequence[str]) -> Built:
    """The part of a network that computes some of its variables, which are its outputs then."""
    main = built.main.clone()
    keep_needed(main, names)
    return replace(built, main=main, outputs={name: name for name in names})


def takes_one(built: Built) -> bool:
    """Whether the program says that a batch has one image."""
    return any(shape[:1] == (1,) for _, shape, _ in built.feeds if len(shape) == 4)
