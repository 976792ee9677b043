"""What measures a network: its task's metric, labels that fit its outputs, or its teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphprobe.config import Config
from graphprobe.data.answer import Answer, find_answer
from graphprobe.data.metrics.names import AGREEMENT, LABELS
from graphprobe.data.sample import Dataset
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.agreement import FindOutputs, agreement_evaluator
from graphprobe.training.evaluate import Evaluator, make_evaluator
from graphprobe.training.feeding.inputs import cuts_images
from graphprobe.training.labelled import LabelledEvaluator
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.source import NetworkSource
from graphprobe.training.reporting.progress import Log, no_log
from graphprobe.zoo import EXPORTED, Built


def evaluator_of(
    config: Config,
    source: NetworkSource,
    built: Built,
    val: Dataset,
    place: Any,
    teacher: Network | None,
    find: FindOutputs | None,
    log: Log = no_log,
) -> Evaluator:
    """What measures a network on a data set.

    Args:
        config: of any kind.
        source: of the network.
        built: the network, built for evaluation.
        val: what to measure on.
        place: where it runs.
        teacher: with its weights; None where there is none.
        find: finds what the outputs of an exported program are; without it labels are left alone.
        log: takes a line with what labels measure, or why they do not.

    Raises:
        ConfigError: neither labels nor a teacher show how good an exported program is.
    """
    if built.task != EXPORTED:
        return make_evaluator(config.train, built, val, place)
    found = labelled_evaluator(config, source, built, val, place, find)
    log_measure(found, config, source, val, log)
    if isinstance(found, Evaluator):
        return found
    if teacher is None:
        text = f"names no teacher, and labels do not measure an exported program: {found}"
        raise ConfigError([Problem("kind", text)], hint="take the distill.yaml of the run")
    return agreement_evaluator(config, source, built, val, place, teacher, find)


def log_measure(
    found: LabelledEvaluator | str,
    config: Config,
    source: NetworkSource,
    val: Dataset,
    log: Log,
    labels: Mapping[str, str] = LABELS,
) -> None:
    """Log what labels measure, or why agreement takes their place; nothing where there are none.

    Args:
        found: from `labelled_evaluator`.
        config: of any kind.
        source: of the network.
        val: what is measured on.
        log: takes the line.
        labels: what the metrics are called.
    """
    if isinstance(found, Evaluator):
        log(f"measured by labels: {found.label} of {', '.join(found.read)}")
    elif val.task not in ("images", "arrays") and config.train.metric != AGREEMENT:
        log(f"labels do not measure {source.text}: {found}; {labels[AGREEMENT]} does")


def labelled_evaluator(
    config: Config,
    source: NetworkSource,
    built: Built,
    val: Dataset,
    place: Any,
    find: FindOutputs | None,
    keep: int = 0,
) -> LabelledEvaluator | str:
    """An evaluator of an exported program by labels, or why they do not measure it.

    `keep` is the bytes of batches that stay in memory, to be measured many times.
    """
    if find is None or source.exported is None:
        return "what its outputs are was not looked at"
    if config.train.metric == AGREEMENT:
        return "the config asks for agreement"
    program = source.exported.program
    answer = find_answer(program, built.meta["class_names"], find(program), val)
    if not isinstance(answer, Answer):
        return answer
    if val.task != "classification" and cuts_images(config.train, built):
        return "parts of images are cut away before it sees them"
    return LabelledEvaluator(built, config.train, val, place, answer, keep)
