"""Measure a trained student on its validation set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table
from graphprobe.api.settings import ConfigLike, Override
from graphprobe.api.trained_run import is_program, no_data_named, open_trained_run

if TYPE_CHECKING:
    from graphprobe.data.metrics.agreement_types import AgreementResult
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
        data: the line of data that they are of.
        image_size: H and W that they were resized to, in pixels; None where it depends on each.
    """

    score: Score
    label: str
    weights: str
    samples: int
    data: str
    image_size: tuple[int, int] | None

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.score.metric

    @property
    def value(self) -> float:
        """The metric, from 0 to 1."""
        return self.score.value

    @property
    def agreement(self) -> AgreementResult | None:
        """All figures of each output, where the metric is agreement with a teacher."""
        return self.score.agreement

    @property
    def classes(self) -> dict[str, float | None]:
        """The value of each class; None where none of it was there to be found."""
        return dict(self.score.classes)

    @property
    def split(self) -> str | None:
        """The split of the data; None for data without splits."""
        from graphprobe.data.splits import split_of

        return split_of(self.data)

    @property
    def measured_on(self) -> str:
        """Data, split, number of images and their size, in a line."""
        from graphprobe.data.splits import data_text

        return data_text(self.data, self.samples, self.image_size)

    def summary(self) -> str:
        """The metric, its value and what it was measured on."""
        return f"{self.label} {self.value:.4f} on {self.measured_on}; {self.weights}"

    def to_dict(self) -> dict[str, Any]:
        """``metric``, ``value``, ``classes``, ``data``, ``split``, ``samples``, ..."""
        return {
            "weights": self.weights,
            "data": self.data,
            "split": self.split,
            "samples": self.samples,
            "image_size": _size(self.image_size),
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "metric": self.metric,
            "value": self.value,
            "classes": self.classes,
            "more": dict(self.score.more),
        }

    def to_rows(self) -> Table:
        """A row a class, then the mean and what else belongs to the metric; or a row an output."""
        if self.agreement is not None:
            head, rows = self.agreement.to_rows()
            return head, list(rows)
        every = [*self.score.classes, ("mean", self.value), *self.score.more]
        return ("class", self.metric), list(every)


def evaluate(
    config: ConfigLike,
    *,
    data: str | None = None,
    override: Override = (),
    resume: str = "auto",
    weights: str | None = None,
    device: str = "auto",
    allow_code: bool = False,
    progress: Log | None = None,
) -> Evaluation:
    """Measure a trained student: mAP, AP, mIoU or top-1, by class.

    It is measured on the data and at the size that it was evaluated with in training, unless
    `data` or `override` name others, whatever the config names by now.

    Args:
        config: a run's folder, a config or its file, of any kind; or, with `data`, an exported
            program, which is measured with the parameters beside it.
        data: what to measure on, as ``voc:PATH``: its validation split.
        override: what it sets in the config, as ``{"train.data.val": "voc:VOC2012?split=val"}``.
        resume: a checkpoint's folder, or ``auto``: the best of the config's run, else its newest.
        weights: weights (a path or an address) in place of a checkpoint.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        progress: takes each line about the work; by default they are logged.

    Raises:
        CheckpointError: there are no weights, they are damaged, or of another model.
        ConfigError: the config has problems, or is for another program.
        DataError: the data cannot be read, or their classes are not those of the training.
        UsageError: it is an exported program, and no data are named.

    Example:
        >>> found = graphprobe.evaluate("runs/student")
        >>> print(found.metric, found.value, found.classes)
    """
    log = reporter(progress)
    if data is None and weights is None and is_program(config):
        raise no_data_named(config)
    run = open_trained_run(
        config,
        override,
        resume=resume,
        weights=weights,
        data=data,
        allow_code=allow_code,
        log=log,
    )
    from graphprobe.pairing.output_kinds import output_kinds
    from graphprobe.training.assemble import open_teacher
    from graphprobe.training.measured_by import evaluator_of
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.student import prune_config
    from graphprobe.zoo import EXPORTED

    place, networks = choose_place(device, log), Networks()
    trained = run.network("eval", place, networks)
    found = run.validation(trained)
    settings, source, teacher = run.settings, trained.network, None
    if trained.built.task == EXPORTED:
        teacher = open_teacher(settings, place, where=run.where, log=log, networks=networks)
        if trained.plan is None and prune_config(settings, run.where) is not None:
            log(f"warning: {trained.source} is not pruned, so the whole network was measured")
    evaluator = evaluator_of(
        settings, source, trained.built, found, place, teacher, output_kinds, log
    )
    score, train = evaluator.run(trained.scope), settings.train
    data, size = str(train.data.val), evaluator.image_size
    return Evaluation(score, evaluator.label, trained.source, len(found), data, size)


def _size(size: tuple[int, int] | None) -> int | list[int] | None:
    """A square is named by its side."""
    return size if size is None else size[0] if size[0] == size[1] else list(size)
