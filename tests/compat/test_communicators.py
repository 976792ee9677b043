"""How processes are connected in a Paddle without the collective ops of Paddle 2."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graphprobe.compat import communicators
from graphprobe.errors import TrainError

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


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank 0 serves at its address."""
    monkeypatch.setattr(communicators, "_wait_for_server", lambda endpoints: None)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("rank", [0, 2])
def test_gloo_connects_over_a_store_at_the_first_endpoint(
    rank: int, calls: list[tuple[Any, ...]]
) -> None:
    communicators.connect_cpus(rank, ENDPOINTS)
    assert calls == [
        ("TCPStore", "10.0.0.1", 6170, rank == 0, 3, communicators.CONNECT_TIMEOUT_S),
        ("create_gloo_comm_context", "TCPStore", "0", rank, 3),
    ]


@pytest.mark.usefixtures("served")
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_first_process_that_never_serves_is_not_waited_for_longer(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(communicators, "CONNECT_TIMEOUT_S", 1)
    endpoints = [f"127.0.0.1:{free_port()}", "127.0.0.1:1"]
    for connect in (
        lambda: communicators.connect_cpus(1, endpoints),
        lambda: communicators.connect_gpus(None, 1, endpoints),
    ):
        with pytest.raises(TrainError) as caught:
            connect()
        line = f"process 0 did not come within 1 s to {endpoints[0]}; see the logs of the others"
        assert str(caught.value) == line
    assert calls == []


def test_only_a_wait_that_is_over_is_told_as_one(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        "(Fatal) _timeout:300 elapsed:301 (elapsed > _timeout)=1": TrainError,
        "(Fatal) bind failed: address in use": SystemError,
    }
    for text, expected in texts.items():

        def fail(*given: Any, text: str = text) -> None:
            raise SystemError(text)

        monkeypatch.setattr(communicators._core(), "TCPStore", fail)
        with pytest.raises(expected):
            communicators.connect_cpus(0, ENDPOINTS)


@pytest.mark.paddle
@pytest.mark.parametrize(("rank", "absent"), [(0, "at least one of 2 processes"), (1, "process 0")])
def test_a_process_that_is_left_alone_ends_in_one_line(
    rank: int, absent: str, tmp_path: Path
) -> None:
    endpoints = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    code = f"""
from graphprobe.compat import communicators, import_paddle
from graphprobe.errors import TrainError
import_paddle()
communicators.CONNECT_TIMEOUT_S = 2
try:
    communicators.connect_cpus({rank}, {endpoints!r})
except TrainError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    where = f" to {endpoints[0]}" if rank else ""
    assert list(tmp_path.iterdir()) == []  # Paddle's server of keys would leave an http.log
    assert done.stdout == f"{absent} did not come within 2 s{where}; see the logs of the others\n"


@pytest.mark.paddle
def test_nothing_of_a_killed_process_stays_behind(tmp_path: Path) -> None:
    """Whatever process 0 starts holds its stdout too, so this ends only when all of them have."""
    from graphprobe.compat.collectives import has_old_ops

    if not has_old_ops():
        pytest.skip("the store of Paddle 3 serves from a thread of process 0, and starts nothing")
    endpoints = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    code = f"""
import sys
from graphprobe.compat import communicators, import_paddle
import_paddle()
wait = communicators._wait_for_server
def tell(endpoints):
    wait(endpoints)
    print("serves", file=sys.__stdout__, flush=True)
communicators._wait_for_server = tell
communicators.connect_cpus(0, {endpoints!r})
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serves\n"
        process.kill()
        assert process.communicate(timeout=60) == ("", None)
    with socket.create_server(("127.0.0.1", int(endpoints[0].rpartition(":")[2]))):
        pass  # nor is its address taken


@pytest.mark.paddle
def test_a_process_ends_where_the_first_is_killed_while_they_find_each_other(
    tmp_path: Path,
) -> None:
    from graphprobe.compat.collectives import has_old_ops

    if not has_old_ops():
        pytest.skip("the store of Paddle 3 ends its own waits")
    code = """
import sys
from graphprobe.compat import communicators, import_paddle
import_paddle()
communicators.CONNECT_TIMEOUT_S = communicators._GRACE_S = 1
communicators.connect_cpus(1, sys.argv[1:])
"""
    # It serves until the other has found it, as a process does that is killed right then.
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoints = [f"127.0.0.1:{server.getsockname()[1]}", f"127.0.0.1:{free_port()}"]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *endpoints], cwd=tmp_path,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        server.accept()[0].close()
    _, told = process.communicate(timeout=100)
    line = "at least one of 2 processes did not come within 1 s; see the logs of the others"
    assert told == f"error: {line}\n"
    assert process.returncode == -signal.SIGKILL
