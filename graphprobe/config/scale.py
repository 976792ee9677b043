"""Scale a schedule to the number of samples that a step really has.

The learning rate is scaled with the samples a step, what counts iterations against it, so that a
run sees as many samples as the published one (Goyal et al. 2017, arXiv 1706.02677, section 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.config.length import LEAST_BETWEEN_CHECKS, iterations_between_checks
from graphprobe.config.overrides import is_named
from graphprobe.config.train_section import TrainSection

RATE = ("learning_rate", "base")
SCHEDULE = (
    ("max_iters",),
    ("learning_rate", "warmup_steps"),
    ("learning_rate", "milestones"),
    ("augment", "mixup_until"),
)
CHECKS = (("snapshot_iter",), ("eval_iter",))


def scale_schedule(
    section: TrainSection,
    devices: int,
    overrides: Sequence[str] = (),
    *,
    made_for: int | None = None,
) -> tuple[TrainSection, list[str]]:
    """Scale what `reference_batch` was made for to ``batch_size * devices`` samples a step.

    Args:
        section: the section ``train`` as a file has it.
        devices: processes that train together.
        overrides: of the command line, as ``train.max_iters=200``; what they name is taken as it
            is.
        made_for: the iterations that warm-up and milestones belong to, where that is known: if
            an override names another number, they keep their shares of the run, and it is
            evaluated and saved at least 20 times, but not more often than every 10 iterations.

    Returns:
        the section whose `reference_batch` is the batch that it now fits (so that scaling it
        again changes nothing), and a line for each value that changed.
    """
    total, wanted = section.batch_size * devices, section.reference_batch
    more = total / wanted if wanted else 1.0
    longer = checks = 1 / more
    most = least = 0
    if made_for is not None and is_named("train.max_iters", overrides):
        longer = section.max_iters / made_for
        checks, most = longer, iterations_between_checks(section.max_iters)
        least = min(LEAST_BETWEEN_CHECKS, section.max_iters)
    factors: dict[tuple[str, ...], float] = {RATE: more}
    factors |= dict.fromkeys(SCHEDULE, longer) | dict.fromkeys(CHECKS, checks)
    document = section.model_dump()
    lines = []
    for path, factor in factors.items():
        name = ".".join(("train", *path))
        if not is_named(name, overrides):
            old, new = _scale(document, path, factor)
            if path in CHECKS and most and new:
                new = document[path[0]] = min(max(new, least), most)
            lines += [f"  {name}: {_text(old)} -> {_text(new)}"] if new != old else []
    if not lines:
        return section, []
    document["reference_batch"] = total if wanted else 0
    return TrainSection.model_validate(document), [_head(section, devices, more), *lines]


def _scale(document: dict[str, Any], path: tuple[str, ...], factor: float) -> tuple[Any, Any]:
    """Scale a value in place; returns the old and the new one."""
    at = document
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    at[path[-1]] = old * factor if path == RATE else _times(old, factor)
    return old, at[path[-1]]


def _head(section: TrainSection, devices: int, more: float) -> str:
    if more == 1.0:
        return f"schedule: keeps its shares of {section.max_iters} iterations"
    many = f" on each of {devices} devices" if devices > 1 else ""
    return (
        f"schedule made for {section.reference_batch} samples a step, this run has "
        f"{section.batch_size}{many}: scaled (train.reference_batch=0: not)"
    )


def _times(value: Any, ratio: float) -> Any:
    """Iterations, longer or shorter; 0 stays 0, and nothing else becomes 0."""
    if isinstance(value, tuple):
        return tuple(_times(item, ratio) for item in value)
    return max(1, round(value * ratio)) if value else 0


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
