"""The statistics of batch norms after pruning, moved by what pruning changes of them on images.

Pruning takes channels out of what later layers sum up, so their means and deviations are no longer
those that the norms hold. Exported programs keep these as they are while they are trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.config import Config
from graphprobe.data.sample import Feed
from graphprobe.training.assemble import Assembly
from graphprobe.training.feeding.feeding import DataSets, train_batches
from graphprobe.training.networks.build import fill
from graphprobe.training.pruning.ranking import prune_array
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.programs import get_values, keep_needed, read_names, set_values
from graphprobe.training.student import prune_config
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.zoo import EXPORTED

# Images that statistics are measured on, and those that both versions are compared on.
_IMAGES, _COMPARED = 200, 32
# Added to variances, as norms do it.
_LEAST = 1e-5


def is_pruned_export(config: Config, parts: Assembly, where: str) -> bool:
    """Whether the student is an exported program that the run has pruned itself."""
    return parts.student.built.task == EXPORTED and prune_config(config, where) is not None


def renew_statistics(config: Config, parts: Assembly, sets: DataSets, log: Log) -> None:
    """Move the statistics of the student's norms by what pruning changes of them.

    The loss may be higher at first: where many norms follow each other, statistics that no longer
    fit let features die out, which gives a moderate loss and nothing to learn from. Nothing
    happens where the student has no batch norm between its input and its losses.

    Args:
        config: of the run.
        parts: of the run, before its first step; the statistics in the student's scope change.
        sets: the run's.
        log: takes a line about what was found.
    """
    loss = parts.engine.loss_vars["total"]
    forward = parts.student.main.clone()
    keep_needed(forward, [loss])
    names = statistics_of(forward)
    if not names:
        return
    batches = train_batches(config.train, sets.train, parts.student.built)
    count = min(len(sets.train), _IMAGES) // config.train.batch_size or 1
    compared = min(count, -(-_COMPARED // config.train.batch_size))
    extend = parts.engine.extend or dict
    feeds = [extend(batches.batch(number)) for number in range(compared)]
    scope, place = parts.student.scope, parts.place
    old = get_values(scope, [name for pair in names for name in pair])
    before = _loss(forward, loss, feeds, scope, place)

    rest = (extend(batches.batch(number)) for number in range(compared, count))
    pruned = measured_statistics(forward, names, chain(feeds, rest), scope, place)
    images = (batches.batch(number) for number in range(count))
    new = moved_statistics(names, old, pruned, _of_the_whole(config, parts, names, images))
    set_values(scope, place, new)
    after = _loss(forward, loss, feeds, scope, place)
    log(
        f"norms: statistics of {len(names)} moved by what pruning changes on "
        f"{count * config.train.batch_size} images: loss {before:.4g} -> {after:.4g}"
    )


def _of_the_whole(
    config: Config,
    parts: Assembly,
    names: Sequence[tuple[str, str]],
    feeds: Iterable[Feed],
) -> dict[str, NDArray[np.float32]]:
    """What the unpruned student's norms see of the same images, of the channels that are left."""
    student, plan = parts.student, parts.student.plan
    assert plan is not None  # noqa: S101 - the run has pruned it
    unpruned = replace(student, plan=None, scope=paddle.static.Scope())
    whole = fill(unpruned, parts.place, config.train.seed)
    means = {mean for mean, _ in names}
    main = whole.main.clone()
    norms = [op for op in main.global_block().ops if _takes_statistics(op)]
    keep_needed(main, [op.output("Y")[0] for op in norms if op.input("Mean")[0] in means])
    read = read_names(main)
    given = ({name: feed[name] for name in feed if name in read} for feed in feeds)
    found = measured_statistics(main, names, given, whole.scope, parts.place)
    return {name: prune_array(plan, name, value) for name, value in found.items()}


def moved_statistics(
    names: Sequence[tuple[str, str]],
    old: Mapping[str, NDArray[Any]],
    pruned: Mapping[str, NDArray[Any]],
    whole: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[np.float32]]:
    """Statistics moved by what pruning changes, as measured on the same images before and after.

    What the norms hold was measured on all images of a training; those at hand are few and may be
    of another kind, so what they alone change is left out.

    Args:
        names: from `statistics_of`.
        old: what the norms hold.
        pruned: measured on the pruned network.
        whole: the same of the unpruned one, for the channels that are left.
    """
    found = {}
    for mean, variance in names:
        ratio = (pruned[variance] + _LEAST) / (whole[variance] + _LEAST)
        scale = np.sqrt((old[variance] + _LEAST) / (whole[variance] + _LEAST))
        found[mean] = (old[mean] + (pruned[mean] - whole[mean]) * scale).astype(np.float32)
        found[variance] = (old[variance] * ratio).astype(np.float32)
    return found


def statistics_of(program: Any) -> list[tuple[str, str]]:
    """The (mean, variance) of each batch norm of a student's program, without its teacher's."""
    return list(
        dict.fromkeys(
            (op.input("Mean")[0], op.input("Variance")[0])
            for op in program.global_block().ops
            if _takes_statistics(op) and not op.input("Mean")[0].startswith(PREFIX)
        )
    )


def measured_statistics(
    program: Any,
    names: Sequence[tuple[str, str]],
    feeds: Iterable[Mapping[str, Any] | Feed],
    scope: Any,
    place: Any,
) -> dict[str, NDArray[np.float32]]:
    """The means and variances of what comes into norms, over all images of some batches.

    Norms normalise by each batch while they are measured, as in a training of their own.

    Args:
        program: a forward program; it is left as it is.
        names: from `statistics_of`.
        feeds: batches of one size.
        scope: its values; those of `names` are overwritten.
        place: where it runs.
    """
    wanted = {mean for mean, _ in names}
    measuring = program.clone()
    for op in measuring.global_block().ops:
        if _takes_statistics(op) and op.input("Mean")[0] in wanted:
            op._set_attr("use_global_stats", False)
            op._set_attr("is_test", False)
            op._set_attr("momentum", 0.0)  # what is written is the batch's alone
    executor = paddle.static.Executor(place)
    flat = [name for pair in names for name in pair]
    sums = {name: np.zeros(1) for name in flat}
    squares = {mean: np.zeros(1) for mean, _ in names}
    count = 0
    for feed in feeds:
        executor.run(measuring, feed=dict(feed), scope=scope)
        found = {n: value.astype(np.float64) for n, value in get_values(scope, flat).items()}
        for name, value in found.items():
            sums[name] = sums[name] + value
        for mean, _ in names:
            squares[mean] = squares[mean] + found[mean] ** 2
        count += 1
    result = {}
    for mean, variance in names:
        middle = sums[mean] / count
        # the variance of all is the mean of the batches' own and that of their means
        whole = sums[variance] / count + squares[mean] / count - middle**2
        result[mean] = middle.astype(np.float32)
        result[variance] = np.maximum(whole, 0).astype(np.float32)
    return result


def _takes_statistics(op: Any) -> bool:
    inputs, outputs = set(op.input_names), set(op.output_names)
    return {"Mean", "Variance"} <= inputs and "MeanOut" in outputs and bool(op.input("Mean"))


def _loss(
    program: Any, loss: str, feeds: Sequence[Mapping[str, Any] | Feed], scope: Any, place: Any
) -> float:
    executor = paddle.static.Executor(place)
    values = [
        executor.run(program, feed=dict(feed), fetch_list=[loss], scope=scope)[0] for feed in feeds
    ]
    return float(np.mean([np.asarray(value).reshape(-1)[0] for value in values]))
