"""How processes are connected in a Paddle without the collective ops of Paddle 2."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from graphprobe.compat import communicators

ENDPOINTS = ["10.0.0.1:6170", "10.0.0.2:6171", "10.0.0.2:6172"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is asked of Paddle 3."""
    made: list[tuple[Any, ...]] = []

    def note(name: str) -> Any:
        return lambda *given: made.append((name, *given)) or name

    manager = {
        name: note(name)
        for name in ("create_gloo_comm_context", "create_nccl_comm_context", "set_device_id")
    }
    core = SimpleNamespace(TCPStore=note("TCPStore"), CommContextManager=SimpleNamespace(**manager))
    monkeypatch.setattr(communicators, "_core", lambda: core)
    monkeypatch.setattr(communicators, "has_old_ops", lambda: False)
    return made


@pytest.mark.parametrize("rank", [0, 2])
def test_gloo_connects_over_a_store_at_the_first_endpoint(
    rank: int, calls: list[tuple[Any, ...]]
) -> None:
    communicators.connect_cpus(rank, ENDPOINTS)
    assert calls == [
        ("TCPStore", "10.0.0.1", 6170, rank == 0, 3, communicators.CONNECT_TIMEOUT_S),
        ("create_gloo_comm_context", "TCPStore", "0", rank, 3),
    ]


def test_nccl_connects_on_the_card_of_the_process(calls: list[tuple[Any, ...]]) -> None:
    place = SimpleNamespace(get_device_id=lambda: 1)
    for rank in (0, 2):
        communicators.connect_gpus(place, rank, ENDPOINTS)
    first, second = calls[:3], calls[3:]
    assert first[0] == ("TCPStore", "10.0.0.1", 6170, True, 3, communicators.CONNECT_TIMEOUT_S)
    assert first[1] == second[1] == ("set_device_id", 1)
    *one, key = first[2]
    *other, other_key = second[2]
    assert one == ["create_nccl_comm_context", "TCPStore", "0", 0, 3]
    assert other == ["create_nccl_comm_context", "TCPStore", "0", 2, 3]
    assert key == other_key and len(key) == 64
