"""A schedule is scaled to the samples that a step really has."""

from __future__ import annotations

from typing import Any

import pytest

from graphprobe.config import TrainSection, scale_schedule
from graphprobe.errors import UsageError


def section(**values: Any) -> TrainSection:
    return TrainSection.model_validate({"reference_batch": 64, "eval_iter": 2000, **values})


@pytest.mark.parametrize(("batch", "devices"), [(32, 1), (16, 2), (8, 4)])
def test_half_of_the_batch_as_the_published_page_does_it(batch: int, devices: int) -> None:
    """PaddleDetection's pruning page for half of the cards: half the rate, twice all iterations."""
    made = section(
        batch_size=batch,
        learning_rate={"base": 0.01, "warmup_steps": 1000, "milestones": [55000, 62000]},
        augment={"mixup_until": 100},
    )
    scaled, lines = scale_schedule(made, devices)
    rate = scaled.learning_rate
    assert rate.base == pytest.approx(0.005)
    assert rate.milestones == (110000, 124000) and rate.warmup_steps == 2000
    assert (scaled.max_iters, scaled.snapshot_iter, scaled.eval_iter) == (140000, 4000, 4000)
    assert scaled.augment.mixup_until == 200
    assert len(lines) == 8 and "  train.max_iters: 70000 -> 140000" in lines
    assert lines[0].startswith(f"schedule made for 64 samples a step, this run has {batch}")


def test_a_scaled_section_is_scaled_once() -> None:
    once, _ = scale_schedule(section(batch_size=4), 2)
    assert once.reference_batch == 8
    assert scale_schedule(once, 2) == (once, [])


def test_what_fits_or_is_switched_off_stays() -> None:
    assert scale_schedule(section(batch_size=64), 1) == (section(batch_size=64), [])
    off = TrainSection(batch_size=3)
    assert scale_schedule(off, 5) == (off, [])


def test_nothing_becomes_zero_and_zero_stays() -> None:
    made = section(batch_size=64, learning_rate={"warmup_steps": 0, "milestones": [1]})
    scaled, _ = scale_schedule(made, 100)
    assert scaled.learning_rate.warmup_steps == 0 and scaled.learning_rate.milestones == (1,)


def test_what_an_override_names_is_taken_as_it_is() -> None:
    made = section(batch_size=32, max_iters=200, learning_rate={"base": 0.5})
    scaled, lines = scale_schedule(
        made, 1, ["train.max_iters=200", "train.learning_rate={base: 0.5}"]
    )
    assert scaled.max_iters == 200 and scaled.learning_rate == made.learning_rate
    assert not any("max_iters" in line or "learning_rate" in line for line in lines)
    assert scaled.snapshot_iter == 4000


def test_a_run_of_another_length_keeps_the_shares_of_its_schedule() -> None:
    made = section(batch_size=8, max_iters=700)
    scaled, _ = scale_schedule(made, 1, ["train.max_iters=700"], made_for=70000)
    assert scaled.max_iters == 700
    assert scaled.learning_rate.milestones == (550, 620)
    assert scaled.learning_rate.warmup_steps == 10
    assert (scaled.snapshot_iter, scaled.eval_iter) == (20, 20)


@pytest.mark.parametrize("reference", [0, 8])
def test_it_keeps_them_at_its_own_batch_too(reference: int) -> None:
    made = section(batch_size=8, max_iters=700, reference_batch=reference)
    scaled, lines = scale_schedule(made, 1, ["train.max_iters=700"], made_for=70000)
    assert scaled.learning_rate.milestones == (550, 620) and scaled.max_iters == 700
    assert scaled.learning_rate.base == made.learning_rate.base
    assert (scaled.snapshot_iter, scaled.reference_batch) == (20, reference)
    assert lines[0] == "schedule: keeps its shares of 700 iterations"


def test_an_override_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"key\.path=value"):
        scale_schedule(section(batch_size=8), 1, ["train.max_iters"])
