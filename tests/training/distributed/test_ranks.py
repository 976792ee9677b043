"""Which process of how many this is."""

from __future__ import annotations

import pytest

from graphprobe.errors import UsageError
from graphprobe.training.distributed.ranks import local_world_size, rank, world_size


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PADDLE_TRAINER_ID", raising=False)
    monkeypatch.delenv("PADDLE_TRAINERS_NUM", raising=False)


def test_alone_without_a_launcher() -> None:
    assert (rank(), world_size()) == (0, 1)


def test_as_the_launcher_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "2")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "4")
    assert (rank(), world_size()) == (2, 4)


@pytest.mark.parametrize(("number", "count"), [("2", "2"), ("x", "2"), ("0", "two"), ("-1", "2")])
def test_what_no_launcher_says_is_refused(
    monkeypatch: pytest.MonkeyPatch, number: str, count: str
) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", number)
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", count)
    with pytest.raises(UsageError, match="PADDLE_TRAINER"):
        rank()


def test_neighbours_are_the_processes_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PADDLE_CURRENT_ENDPOINT", "PADDLE_TRAINER_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    assert local_world_size() == 1
    monkeypatch.setenv("PADDLE_CURRENT_ENDPOINT", "10.0.0.2:6071")
    monkeypatch.setenv("PADDLE_TRAINER_ENDPOINTS", "10.0.0.1:1,10.0.0.2:6070,10.0.0.2:6071")
    assert local_world_size() == 2
