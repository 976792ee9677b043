from __future__ import annotations

import pytest

from graphprobe.training.schedule import Schedule


def test_warm_up_is_linear_and_decay_is_piecewise() -> None:
    schedule = Schedule(0.001, (55000, 62000), 0.1, 4000)
    assert schedule.at(0) == 0.0
    assert schedule.at(1000) == pytest.approx(0.00025)
    assert schedule.at(4000) == 0.001
    assert schedule.at(54999) == 0.001
    assert schedule.at(55000) == pytest.approx(0.0001)
    assert schedule.at(62000) == pytest.approx(0.00001)


def test_warm_up_starts_at_its_share() -> None:
    schedule = Schedule(1.0, warmup_steps=10, warmup_start=0.5)
    assert [schedule.at(i) for i in (0, 5, 10)] == [0.5, 0.75, 1.0]


def test_none_of_both_is_constant() -> None:
    assert {Schedule(0.1).at(i) for i in range(100)} == {0.1}


def test_polynomial_decay_ends_at_zero() -> None:
    schedule = Schedule(0.001, (10,), power=0.9, total=100)
    assert schedule.at(0) == 0.001
    assert schedule.at(50) == pytest.approx(0.001 * 0.5**0.9)
    assert schedule.at(100) == 0.0
