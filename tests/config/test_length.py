"""Lengths that follow the data, and what is said of them."""

from __future__ import annotations

import pytest

from graphprobe.config import TrainSection
from graphprobe.config.length import (
    default_epochs,
    default_iterations,
    iterations_between_checks,
    iterations_of,
    length_text,
    length_warning,
)


@pytest.mark.parametrize(
    ("samples", "epochs"),
    [(1, 300), (100, 300), (292, 176), (1000, 95), (5000, 42), (16551, 23), (118287, 12)],
)
def test_the_fewer_samples_the_more_epochs(samples: int, epochs: int) -> None:
    assert default_epochs(samples) == epochs


def test_iterations_of_epochs() -> None:
    assert iterations_of(1, 292, 8) == 37  # the last batch is whole
    assert iterations_of(0.5, 292, 8) == 19
    assert iterations_of(0.001, 3, 8) == 1


def test_never_longer_than_published() -> None:
    published = TrainSection(max_iters=100, reference_batch=64)
    assert default_iterations(292, 8, published) == 800  # 6,400 samples
    assert default_iterations(292, 8, TrainSection(reference_batch=64)) == 6424
    assert default_iterations(10, 8, TrainSection(max_iters=100)) == 100


@pytest.mark.parametrize("total", [1, 2, 10, 11, 199, 200, 201, 399, 6424])
def test_a_run_is_checked_twenty_times(total: int) -> None:
    every = iterations_between_checks(total)
    assert 1 <= every <= total
    assert total // every >= (20 if total >= 200 else min(total // 10, 20))


def test_the_schedule_in_one_line() -> None:
    rate = {"warmup_steps": 92, "milestones": [5047, 5690, 9999]}
    section = TrainSection.model_validate(
        {"max_iters": 6424, "learning_rate": rate, "snapshot_iter": 184, "eval_iter": 321}
    )
    assert length_text(section, 292, 1) == (
        "schedule: 6,424 iterations of 8 samples = 176 epochs of 292; warm-up to 92 (epoch 2.52); "
        "rate x 0.1 at 5,047 (epoch 138) and 5,690 (epoch 156); evaluated every 321; "
        "saved every 184"
    )
    poly = {"warmup_steps": 0, "poly_power": 0.9}
    section = TrainSection.model_validate({"max_iters": 100, "learning_rate": poly})
    assert length_text(section, 400, 2) == (
        "schedule: 100 iterations of 16 samples = 4 epochs of 400; polynomial decay; "
        "saved every 2,000"
    )


def test_a_thousand_epochs_are_warned_of() -> None:
    assert length_warning(TrainSection(max_iters=36500), 292, 1) is None
    assert length_warning(TrainSection(max_iters=560000), 292, 1) == (
        "560,000 iterations are 15,342 epochs of 292 samples; epochs=176 or minutes=60 make the "
        "run shorter"
    )
