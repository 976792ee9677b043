"""What pruning each group costs: every group alone, at every ratio, measured on a data set.

Nothing is rebuilt for a measurement: one evaluation program with masked weights (masking.py) serves
all of them, and the images are decoded once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import paddle
from typing_extensions import Self

from graphprobe.config import GroupConfig, PruneConfig, PruneSection
from graphprobe.config.sensitivity import (
    Measured,
    Sensitivity,
    SensitivityGroup,
    SensitivityPoint,
    read_sensitivity,
)
from graphprobe.data.metrics.agreement_types import OutputPair
from graphprobe.data.metrics.names import LABELS_OF_PRUNING
from graphprobe.data.sample import Dataset
from graphprobe.data.subset import spread_subset
from graphprobe.errors import TrainError, UsageError
from graphprobe.files import write_whole
from graphprobe.ir import Program
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.training.agreement import AgreementEvaluator, FindOutputs
from graphprobe.training.evaluate import Evaluator, choose_metric
from graphprobe.training.feeding.cached_dataset import CachedBatches
from graphprobe.training.feeding.feeding import eval_batches, open_validation
from graphprobe.training.measured_by import labelled_evaluator, log_measure
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.source import Networks
from graphprobe.training.pruning.masking import Subject, masked_value, open_subject
from graphprobe.training.pruning.ranking import make_plan
from graphprobe.training.reporting.progress import Log, duration_text, no_log
from graphprobe.training.run_record import compare_class_names
from graphprobe.training.runtime.programs import set_values
from graphprobe.training.teacher.inference import InferenceTeacher
from graphprobe.training.weights.checkpoint import arrays_sha256
from graphprobe.zoo import EXPORTED

# Batches that are kept in memory between measurements, in bytes.
KEPT_BYTES = 2_000_000_000
# A metric below this is chance more than skill.
WEAK = 0.02
# The share of the time that goes into writing the record at most.
_WRITING = 0.05
# Seconds between lines of progress.
_PAUSE = 2.0


def measure_sensitivity(
    config: PruneConfig,
    program: Program,
    ratios: Sequence[float],
    record: Path,
    place: Any,
    *,
    samples: int | None = None,
    log: Log = no_log,
    networks: Networks | None = None,
    compared: Sequence[OutputPair] = (),
    find: FindOutputs | None = None,
) -> Sensitivity:
    """Measure each group of a config alone at each ratio; go on where the record stops.

    Args:
        config: the groups (their ratios do not count), the weights and the validation data.
        program: the config's program.
        ratios: above 0 and below 1, ascending.
        record: a json file, written whole again and again, and at every end but a killed one.
        place: where the network runs.
        samples: measure on so many images, spread evenly over the data; None: on all.
        log: takes each line for people.
        networks: of the command.
        compared: tensors of an exported program that are held against those of the unpruned one
            where labels do not measure it.
        find: finds what its outputs are; without it labels are left alone.

    Returns:
        all that the record holds: what was there, and what was measured now.

    Raises:
        CheckpointError: the weights cannot be read, are of another network, or were pruned before.
        DataError: the data cannot be read or does not fit the network.
        UsageError: the record was measured with something else.
        TrainError: the unpruned network finds nothing, so nothing can be lost.
    """
    networks = networks if networks is not None else Networks()
    subject = open_subject(config, program, place, networks.source(config.student.program))
    data = spread_subset(open_validation(config.train, subject.built), samples)
    evaluator = _evaluator(config, subject, data, networks, compared, find, log)
    names = compare_class_names(
        subject.class_names,
        data.class_names,
        spec=config.train.data.val or "",
        source=config.student.weights or "",
    )
    for line in names:
        log(line)
    bound = _bound(config, program, subject, evaluator, len(data))
    found = _begin(record, bound, config.prune, evaluator, subject, log)
    todo = list(_todo(found, config.prune, ratios))
    progress = _Progress(len(todo), log)
    with _Writer(record, found) as writer:
        for group, ratio in todo:
            point = _measure(found, subject, evaluator, config.prune, group, ratio)
            found = found.with_point(group.convs[0], point)
            writer.put(found)
            of = f"{group.convs[0]} at {ratio:g}"
            progress.add(f"{of}: {point.value:.4f}, loss {point.loss:+.1%}")
    return found


def _evaluator(
    config: PruneConfig,
    subject: Subject,
    data: Dataset,
    networks: Networks,
    compared: Sequence[OutputPair],
    find: FindOutputs | None,
    log: Log,
) -> Evaluator:
    """Measures the task's metric: of an exported program by labels where they fit its outputs, else
    by how far it agrees with itself unpruned."""
    section, place = config.train, subject.place
    if subject.built.task != EXPORTED:
        batches = CachedBatches(eval_batches(section, data, subject.built), KEPT_BYTES)
        metric = choose_metric(section, subject.built.task)
        return Evaluator(subject.built, batches, place, metric)
    source = networks.source(config.student.program)
    by_labels = labelled_evaluator(config, source, subject.built, data, place, find, KEPT_BYTES)
    log_measure(by_labels, config, source, data, log, LABELS_OF_PRUNING)
    if isinstance(by_labels, Evaluator):
        return by_labels
    scope = paddle.static.Scope()
    set_values(scope, place, subject.values)
    whole = Network("teacher", config.student, source, source.build("eval"), scope)
    wanted = [name for pair in compared for name in pair.teacher_names]
    engine = InferenceTeacher(whole, wanted, place)
    given = (subject.built, section, data, place, compared, engine)
    return AgreementEvaluator(*given, KEPT_BYTES, pruning=True)


def _bound(
    config: PruneConfig, program: Program, subject: Subject, evaluator: Evaluator, samples: int
) -> Measured:
    return Measured(
        program=config.student.program,
        fingerprint=fingerprint(program),
        weights=config.student.weights or config.student.program,
        weights_sha256=arrays_sha256(subject.values),
        data=config.train.data.val or "",
        samples=samples,
        image=config.train.image_size,
        policy=config.prune.policy,
        criterion=config.prune.criterion,
        metric=evaluator.metric,
    )


def _begin(
    record: Path,
    bound: Measured,
    section: PruneSection,
    evaluator: Evaluator,
    subject: Subject,
    log: Log,
) -> Sensitivity:
    """What the record holds, or a new one with the metric of the unpruned network."""
    if record.exists():
        found = read_sensitivity(record)
        differences = found.measured.differences(bound)
        if differences:
            hint = "name another output file, or measure with the same"
            raise UsageError("; ".join(differences), where=str(record), hint=hint)
        log(f"{record}: going on")
    else:
        value = evaluator.run(subject.scope).value
        if not value > 0:
            hint = "train it first, or measure on other data"
            message = f"{evaluator.label} is {value:g} before any pruning, so nothing can be lost"
            raise TrainError(message, where=bound.program, hint=hint)
        log(f"unpruned: {evaluator.label} {value:.4f} on {bound.samples} images")
        found = Sensitivity(version=1, kind="sensitivity", measured=bound, baseline=value)
    if found.baseline < WEAK:
        log(
            f"warning: {evaluator.label} is {found.baseline:.4f} before any pruning: of so little, "
            "what each group loses is chance; train longer, or measure on the data that the "
            "weights were trained for"
        )
    return found.model_copy(update={"groups": _groups(found, section)})


def _groups(found: Sensitivity, section: PruneSection) -> tuple[SensitivityGroup, ...]:
    """The record's groups and those of a section that it has not got, in program order."""
    known = {group.convs[0]: group for group in found.groups}
    for group in section.groups:
        channels = sum(part.channels for part in group.parts)
        new = SensitivityGroup(group=group.group, convs=group.convs, channels=channels)
        known.setdefault(group.convs[0], new)
    return tuple(sorted(known.values(), key=lambda group: group.group))


def _todo(
    found: Sensitivity, section: PruneSection, ratios: Sequence[float]
) -> Iterator[tuple[GroupConfig, float]]:
    done = {(g.convs[0], point.ratio) for g in found.groups for point in g.points}
    for group in section.groups:
        for ratio in ratios:
            if (group.convs[0], ratio) not in done:
                yield group, ratio


def _measure(
    found: Sensitivity,
    subject: Subject,
    evaluator: Evaluator,
    section: PruneSection,
    group: GroupConfig,
    ratio: float,
) -> SensitivityPoint:
    """One point; what keeps as many channels as another point of the group is that point."""
    alone = section.model_copy(update={"groups": (group.model_copy(update={"ratio": ratio}),)})
    kept = sum(after for _, after in alone.plan().channels.values())
    mine = next(g for g in found.groups if g.convs[0] == group.convs[0])
    if kept == mine.channels:
        return SensitivityPoint(ratio=ratio, kept=kept, value=found.baseline, loss=0.0, flops=0.0)
    for point in mine.points:
        if point.kept == kept:
            return point.model_copy(update={"ratio": ratio})
    shapes = {name: value.shape for name, value in subject.values.items()}
    plan = make_plan(alone, shapes, subject.values.__getitem__)
    value = masked_value(subject, evaluator, plan)
    loss = (found.baseline - value) / found.baseline
    flops = subject.removed_flops(plan)
    return SensitivityPoint(ratio=ratio, kept=kept, value=value, loss=loss, flops=flops)


class _Writer:
    """Writes the record as it grows, and at the end whatever the reason.

    It holds all measurements, so writing it after each would cost their square: it is left out
    until a share of the time has gone into measuring.
    """

    def __init__(self, path: Path, found: Sensitivity) -> None:
        self._path, self._found = path, found

    def __enter__(self) -> Self:
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def put(self, found: Sensitivity) -> None:
        """What is known by now."""
        self._found = found
        if (time.monotonic() - self._ended) * _WRITING >= self._took:
            self._write()

    def _write(self) -> None:
        begin = time.monotonic()
        write_whole(self._path, self._found.text())
        self._ended = time.monotonic()
        self._took = self._ended - begin


class _Progress:
    """A line every few seconds: how far, how long yet, and the last figure."""

    def __init__(self, total: int, log: Log) -> None:
        self._total, self._log = total, log
        self._done = 0
        self._begin = self._last = time.monotonic()

    def add(self, text: str) -> None:
        """One more measurement is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._last < _PAUSE and self._done < self._total:
            return
        self._last = now
        left = (now - self._begin) / self._done * (self._total - self._done)
        self._log(f"{self._done}/{self._total}  eta {duration_text(left)}  {text}")
