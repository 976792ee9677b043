"""Measure a trained student on its validation set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table
from graphprobe.api.settings import ConfigLike, Override, open_config

if TYPE_CHECKING:
    from graphprobe.training.evaluate import Score
    from graphprobe.training.reporting.progress import Log


@dataclass(frozen=True, repr=False)
class Evaluation(Result):
    """What a student is measured at.

    Args:
        score: the metric, each class's value, and what else belongs to it.
        label: the metric as people call it.
        weights: where the weights come from.
        samples: how many samples were measured on.
    """

    score: Score
    label: str
    weights: str
    samples: int

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.score.metric

    @property
    def value(self) -> float:
        """The metric, from 0 to 1."""
        return self.score.value

    @property
    def classes(self) -> dict[str, float | None]:
        """The value of each class; None where none of it was there to be found."""
        return dict(self.score.classes)

    def summary(self) -> str:
        """The metric, its value and what it was measured on."""
        return f"{self.label} {self.value:.4f} on {self.samples} samples, {self.weights}"

    def to_dict(self) -> dict[str, Any]:
        """``metric``, ``value``, ``classes``, ``more``, ``weights`` and ``samples``."""
        return {
            "weights": self.weights,
            "samples": self.samples,
            "metric": self.metric,
            "value": self.value,
            "classes": self.classes,
            "more": dict(self.score.more),
        }

    def to_rows(self) -> Table:
        """A row a class, then the mean and what else belongs to the metric."""
        rows = [*self.score.classes, ("mean", self.value), *self.score.more]
        return ("class", self.metric), list(rows)


def evaluate(
    config: ConfigLike,
    *,
    override: Override = (),
    resume: str = "auto",
    weights: str | None = None,
    device: str = "auto",
    allow_code: bool = False,
    progress: Log | None = None,
) -> Evaluation:
    """Measure a config's student on its validation set: mAP, AP or mIoU, and each class.

    Args:
        config: a config or its file, of any kind.
        override: what it sets in the config, as ``{"train.data.val": "voc:VOC2012?split=val"}``.
        resume: a checkpoint's folder, or ``auto``: the best of the config's run, else its newest.
        weights: weights (a path or an address) in place of a checkpoint.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        progress: takes each line about the work; by default they are logged.

    Raises:
        CheckpointError: there are no weights, they are damaged, or of another model.
        ConfigError: the config has problems, or is for another program.
        DataError: the data cannot be read.

    Example:
        >>> found = graphprobe.evaluate("distill.yaml")
        >>> print(found.metric, found.value, found.classes)
    """
    settings, where = open_config(config, override, allow_code=allow_code)
    from graphprobe.training.evaluate import make_evaluator
    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    place = choose_place(device, reporter(progress))
    trained = open_trained(settings, place, "eval", where=where, checkpoint=resume, weights=weights)
    data = open_validation(settings.train, trained.built)
    evaluator = make_evaluator(settings.train, trained.built, data, place)
    score = evaluator.run(trained.scope)
    return Evaluation(score, evaluator.label, trained.source, len(data))
