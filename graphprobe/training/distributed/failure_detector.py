"""End all processes of a run when one of them ends before its time.

A process that waits for another inside a collective op waits for ever, or dies of an exception
that names a socket. So rank 0 keeps a connection to every other process. One that dies closes it,
and the kernel's keep-alive notices a machine that is gone; whoever notices logs it and ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

from graphprobe.compat.communicators import CONNECT_TIMEOUT_S, absent
from graphprobe.errors import GraphprobeError
from graphprobe.training.distributed.ranks import rank, world_size
from graphprobe.training.reporting.progress import Log, no_log

EXIT_MESSAGE_TIMEOUT_S = 5.0  # seconds that those of a process may take to arrive
DONE, WELCOME = b"done\n", b"welcome\n"
STATUS = 2
_MOST = 2000  # bytes of a last message


@contextlib.contextmanager
def watch(endpoint: str, log: Log = no_log) -> Iterator[None]:
    """A context in which this process ends, with one line, when another one has ended.

    Args:
        endpoint: where rank 0 waits for the others, as host:port.
        log: takes the line with the reason why this process ends.

    Raises:
        TrainError: not all processes came.
    """
    links = _accept(endpoint) if rank() == 0 else {0: _join(endpoint)}
    leaving = threading.Event()
    for number, link in links.items():
        _keep_alive(link)
        options = {"args": (number, links, leaving, log), "daemon": True}
        threading.Thread(target=_listen, **options).start()  # type: ignore[arg-type]
    last = f"process {rank()} of {world_size()} ended early\n".encode()
    try:
        yield
        last = DONE
    except GraphprobeError as error:
        last = f"process {rank()} of {world_size()} ended: {error}\n".encode(
            errors="backslashreplace"
        )
        raise
    finally:
        leaving.set()
        _send(links, last)


def _listen(
    number: int, links: dict[int, socket.socket], leaving: threading.Event, log: Log
) -> None:
    text = _read(links[number])
    if text == DONE or leaving.is_set():
        return
    leaving.set()
    why = text.decode(errors="replace").strip() or f"process {number} of {world_size()} is gone"
    _send(links, f"{why}\n".encode())
    _end(why, log)


def _read(link: socket.socket) -> bytes:
    """What the other side sends last; empty where it dies without a word."""
    text = b""
    with contextlib.suppress(OSError):
        while not text.endswith(b"\n") and len(text) < _MOST:
            part = link.recv(_MOST)
            if not part:
                break
            text += part
    return text


def _send(links: dict[int, socket.socket], text: bytes) -> None:
    for link in links.values():
        with contextlib.suppress(OSError):  # it may be the one that is gone
            link.sendall(text[:_MOST])


def _end(why: str, log: Log) -> NoReturn:
    """End from a thread: the main one may never come out of a collective op."""
    hint = "what was saved is whole; start all processes again with resume='auto'"
    log(f"error: {why}; {hint}")
    os._exit(STATUS)


def _accept(endpoint: str) -> dict[int, socket.socket]:
    host, _, port = endpoint.rpartition(":")
    links: dict[int, socket.socket] = {}
    end = time.monotonic() + CONNECT_TIMEOUT_S
    with socket.create_server((host, int(port)), backlog=world_size()) as server:
        while len(links) < world_size() - 1:
            server.settimeout(max(end - time.monotonic(), 0.001))
            try:
                link, _ = server.accept()
            except TimeoutError:
                missing = world_size() - 1 - len(links)
                raise absent(f"{missing} of {world_size()} processes") from None
            link.settimeout(5)
            name = _read(link).strip()
            if name.isdigit() and 0 < int(name) < world_size():
                links[int(name)] = link
    # Not before the address is free: in Paddle 3 the others come to it next for Paddle's server.
    _send(links, WELCOME)
    return links


def _join(endpoint: str) -> socket.socket:
    host, _, port = endpoint.rpartition(":")
    end = time.monotonic() + CONNECT_TIMEOUT_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            link = socket.create_connection((host, int(port)), timeout=5)
            link.sendall(f"{rank()}\n".encode())
            link.settimeout(max(end - time.monotonic(), 0.001))
            if _read(link) == WELCOME:  # rank 0 sends it when all have come
                return link
            link.close()
        time.sleep(0.05)
    raise absent("process 0", f" to {endpoint}")


def _keep_alive(link: socket.socket) -> None:
    """Wait without limit for a process, and 40 seconds for a machine."""
    link.settimeout(None)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
