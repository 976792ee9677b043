"""How long a run is: by the data, in epochs, with the rest of the schedule in its shares."""

from __future__ import annotations

from math import ceil, sqrt

from graphprobe.config.train_section import TrainSection

# Epochs where the length follows the data: 176 for 292 images, 42 for 5,000, 12 from 62,500 on.
MOST_EPOCHS, LEAST_EPOCHS, _EPOCHS_OF_ONE = 300, 12, 3000
# A run of this many iterations or more is evaluated and saved at least so often.
CHECKS, _LONG = 20, 200
# No run whose length was asked for is evaluated or saved more often than this.
LEAST_BETWEEN_CHECKS = _LONG // CHECKS
# An epoch count beyond this is reported as long.
LONG_RUN = 1000


def default_epochs(samples: int) -> int:
    """Epochs for a data set of this size: the fewer samples, the more often each is seen."""
    wanted = round(_EPOCHS_OF_ONE / sqrt(max(samples, 1)))
    return min(max(wanted, LEAST_EPOCHS), MOST_EPOCHS)


def iterations_of(epochs: float, samples: int, batch: int) -> int:
    """Iterations that see `samples` samples so often, `batch` at a time over all devices."""
    return max(1, ceil(epochs * samples / max(batch, 1)))


def default_iterations(samples: int, batch: int, published: TrainSection) -> int:
    """The length by the data, and never more samples than the published schedule sees."""
    reference = published.reference_batch or batch
    most = max(1, published.max_iters * reference // max(batch, 1))
    return min(iterations_of(default_epochs(samples), samples, batch), most)


def iterations_between_checks(total: int) -> int:
    """Iterations between two evaluations or snapshots of a run, so that there are 20 or more.

    A run of less than 200 iterations has them every 10.
    """
    return total // CHECKS if total >= _LONG else min(total, LEAST_BETWEEN_CHECKS)


def length_text(section: TrainSection, samples: int, devices: int) -> str:
    """A schedule in one line, in iterations and in epochs.

    Args:
        section: as it will be run.
        samples: of the training data.
        devices: processes that train together.
    """
    batch = section.batch_size * devices
    per_epoch = samples / batch
    rate = section.learning_rate

    def at(iteration: int) -> str:
        return f"{iteration:,} (epoch {iteration / per_epoch:.3g})"

    parts = [
        f"schedule: {section.max_iters:,} iterations of {batch} samples = "
        f"{section.max_iters / per_epoch:.3g} epochs of {samples:,}"
    ]
    if rate.warmup_steps:
        parts.append(f"warm-up to {at(rate.warmup_steps)}")
    if rate.poly_power:
        parts.append("polynomial decay")
    else:
        drops = [step for step in rate.milestones if step < section.max_iters]
        if drops:
            parts.append(f"rate x {rate.gamma:g} at {' and '.join(map(at, drops))}")
    if section.eval_iter:
        parts.append(f"evaluated every {section.eval_iter:,}")
    parts.append(f"saved every {section.snapshot_iter:,}")
    return "; ".join(parts)


def length_warning(section: TrainSection, samples: int, devices: int) -> str | None:
    """A line where a run would see its data more than a thousand times."""
    epochs = section.max_iters * section.batch_size * devices / max(samples, 1)
    if epochs <= LONG_RUN:
        return None
    return (
        f"{section.max_iters:,} iterations are {epochs:,.0f} epochs of {samples:,} samples; "
        f"epochs={default_epochs(samples)} or minutes=60 make the run shorter"
    )
