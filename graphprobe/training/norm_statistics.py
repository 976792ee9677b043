"""The statistics of batch norms after pruning, measured anew on images.

Pruning takes channels out of what later layers sum up, so their means and deviations are no longer
those that the norms hold. Exported programs keep these as they are while they are trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.config import Config
from graphprobe.data.sample import Feed
from graphprobe.training.assemble import Assembly
from graphprobe.training.feeding.feeding import DataSets, train_batches
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.programs import get_values, keep_needed, set_values
from graphprobe.training.student import prune_config
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.zoo import EXPORTED

# Images that statistics are measured on, and those that both versions are compared on.
_IMAGES, _COMPARED = 200, 32


def is_pruned_export(config: Config, parts: Assembly, where: str) -> bool:
    """Whether the student is an exported program that the run has pruned itself."""
    return parts.student.built.task == EXPORTED and prune_config(config, where) is not None


def renew_statistics(config: Config, parts: Assembly, sets: DataSets, log: Log) -> None:
    """Measure the statistics of the student's norms on training images; keep the better ones.

    Better is what has the lower loss on some of these images. Nothing happens where the student
    has no batch norm between its input and its losses.

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
    others = (extend(batches.batch(number)) for number in range(compared, count))
    new = measured_statistics(forward, names, chain(feeds, others), scope, place)
    set_values(scope, place, new)
    after = _loss(forward, loss, feeds, scope, place)
    if not after < before:
        set_values(scope, place, old)
    images = count * config.train.batch_size
    remark = "" if after < before else ", so the old ones stay"
    log(
        f"norms: statistics of {len(names)} measured anew on {images} images: "
        f"loss {before:.4g} -> {after:.4g}{remark}"
    )


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
