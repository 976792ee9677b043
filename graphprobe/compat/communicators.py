"""How the processes of a run get the communicator that ops of ring 0 send over.

Paddle 3.1 removed the collective ops of Paddle 2, and their successors ask for a communicator of
the kind that ``paddle.distributed.init_parallel_env`` makes in a static program; that function
trusts the environment for the backend and takes no other. Until then gloo is started by a
function of its own, and NCCL by ops of a startup program.

Where a process never comes, Paddle would wait for an hour, or for ever; here nothing waits for the
first endpoint longer than `CONNECT_TIMEOUT_S`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import multiprocessing
import os
import re
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graphprobe.compat.collectives import RING, has_old_ops
from graphprobe.errors import TrainError

CONNECT_TIMEOUT_S = 300  # in which all processes must have come
_RETRY_S = 0.1
# Paddle's own end of a wait comes first, where it has one.
_GRACE_S = 10
_RUN_S = 9_999_999  # of one operation; Paddle's own value
# What gloo's store of Paddle 2, and the store of Paddle 3, report when their time is over.
_TIME_IS_OVER = re.compile(r"Wait timeout for key|elapsed > _timeout")


def connect_cpus(rank: int, endpoints: Sequence[str]) -> None:
    """Let gloo connect the processes, over a server that rank 0 opens at the first endpoint.

    Args:
        rank: of this process.
        endpoints: host:port of every process, in order of ranks.

    Raises:
        TrainError: not all processes came.
    """
    if not has_old_ops():
        core = _core()
        store = _open_store(rank, endpoints)
        core.CommContextManager.create_gloo_comm_context(store, str(RING), rank, len(endpoints))
        return
    here = Path.cwd()
    # Paddle's server writes a file http.log into the working folder, and prints to stdout.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        try:
            with _time_is_over(len(endpoints)):
                _connect_with_old_gloo(rank, endpoints)
        finally:
            os.chdir(here)


def connect_gpus(place: Any, rank: int, endpoints: Sequence[str]) -> None:
    """Let NCCL connect the processes.

    Args:
        place: the card of this process.
        rank: of this process.
        endpoints: host:port of every process, in order of ranks.

    Raises:
        TrainError: not all processes came; with Paddle 2 its own wait decides.
    """
    if not has_old_ops():
        core = _core()
        store = _open_store(rank, endpoints)
        core.CommContextManager.set_device_id(place.get_device_id())
        # Separates the communicators of one ring of several jobs.
        key = hashlib.sha256(" ".join([*endpoints, str(RING)]).encode()).hexdigest()
        core.CommContextManager.create_nccl_comm_context(
            store, str(RING), rank, len(endpoints), key
        )
        return
    import paddle

    program = paddle.static.Program()
    block = program.global_block()
    raw = paddle.base.core.VarDesc.VarType.RAW
    token = block.create_var(name="nccl_id", persistable=True, type=raw)
    own = endpoints[rank]
    here = {"rank": rank, "ring_id": RING}
    others = {"endpoint": own, "other_endpoints": [e for e in endpoints if e != own]}
    block.append_op(type="c_gen_nccl_id", outputs={"Out": token}, attrs={**here, **others})
    size = {"nranks": len(endpoints), "endpoints": ",".join(endpoints)}
    block.append_op(type="c_comm_init", inputs={"X": token}, attrs={**here, **size})
    paddle.static.Executor(place).run(program)


def absent(who: str, where: str = "") -> TrainError:
    """The error of a process that others of its run did not come to.

    Args:
        who: did not come.
        where: to what address, as `` to host:port``.
    """
    hint = "see the logs of the others"
    return TrainError(f"{who} did not come within {CONNECT_TIMEOUT_S} s{where}", hint=hint)


def _open_store(rank: int, endpoints: Sequence[str]) -> Any:
    """Where the processes exchange their addresses; rank 0 serves it."""
    host, _, port = endpoints[0].rpartition(":")
    serves = rank == 0
    if not serves:
        _wait_for_server(endpoints[:1])  # a store that is no server heeds no timeout
    with _time_is_over(len(endpoints)):
        return _core().TCPStore(host, int(port), serves, len(endpoints), CONNECT_TIMEOUT_S)


def _connect_with_old_gloo(rank: int, endpoints: Sequence[str]) -> None:
    """What ``gloo_init_parallel_env`` of Paddle 2 does, with an end for every wait and helper.

    That function forks two helpers in rank 0, which go on for ever where rank 0 is killed.
    """
    from paddle.distributed import parallel_with_gloo as gloo

    host, _, port = endpoints[0].rpartition(":")
    with _serve_keys(int(port), len(endpoints)) if rank == 0 else contextlib.nullcontext():
        _wait_for_server(endpoints[:1])
        strategy = gloo.core.GlooParallelStrategy()
        strategy.rank, strategy.rank_num = rank, len(endpoints)
        strategy.ip_address, strategy.ip_port = host, int(port)
        strategy.init_seconds, strategy.run_seconds = CONNECT_TIMEOUT_S, _RUN_S
        # Where Paddle keeps it, so that it outlives this call.
        gloo._global_gloo_ctx = gloo.core.GlooParallelContext(strategy)
        with _no_longer_than(CONNECT_TIMEOUT_S + _GRACE_S, len(endpoints)):
            gloo._global_gloo_ctx.init()


@contextlib.contextmanager
def _serve_keys(port: int, count: int) -> Iterator[None]:
    """A context in which processes find each other over a server, which ends when all have.

    The server is a process: gloo's own start holds the interpreter until it is through.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    helper = context.Process(target=_serve, args=(port, count, theirs, ours), daemon=True)
    helper.start()
    theirs.close()
    try:
        yield
        helper.join(CONNECT_TIMEOUT_S)
    finally:
        ours.close()
        helper.join()


def _serve(port: int, count: int, parent: Connection, ours: Connection) -> None:
    """The body of the helper: serves until all have deleted their keys or its parent is gone."""
    from paddle.distributed.fleet.utils.http_server import KVServer

    ours.close()  # the parent's end, which closes when the parent dies
    server = KVServer(port, size={"_worker": count})
    server.start()
    while not server.should_stop() and not parent.poll(_RETRY_S):
        pass
    server.stop()


@contextlib.contextmanager
def _no_longer_than(seconds: float, count: int) -> Iterator[None]:
    """A context that a process of `count` does not outlive where it takes longer.

    Where another is killed while they exchange addresses, gloo asks for ever for what never comes,
    and holds the interpreter meanwhile: only another process can end this one.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    args = (os.getpid(), seconds, count, theirs, ours)
    helper = context.Process(target=_end_later, args=args, daemon=True)
    helper.start()
    theirs.close()
    try:
        yield
    finally:
        ours.close()
        helper.join()


def _end_later(pid: int, seconds: float, count: int, parent: Connection, ours: Connection) -> None:
    """The body of the helper: ends a process unless it is through, or gone, before its time."""
    ours.close()
    if not parent.poll(seconds):
        # Before it: whoever waits for the process reads the reason.
        os.write(2, f"error: {absent(f'at least one of {count} processes')}\n".encode())
        os.kill(pid, signal.SIGKILL)


def _wait_for_server(endpoints: Sequence[str]) -> None:
    """Wait until rank 0 serves at the one endpoint."""
    (endpoint,) = endpoints
    host, _, port = endpoint.rpartition(":")
    end = time.monotonic() + CONNECT_TIMEOUT_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection((host, int(port)), timeout=2).close()
            return
        time.sleep(_RETRY_S)
    raise absent("process 0", f" to {endpoint}")


@contextlib.contextmanager
def _time_is_over(count: int) -> Iterator[None]:
    """A context in which Paddle's own words for it become the error of a process that is absent."""
    try:
        yield
    except (RuntimeError, SystemError) as error:
        if not _TIME_IS_OVER.search(str(error)):
            raise
        raise absent(f"at least one of {count} processes") from error


def _core() -> Any:
    import paddle

    return paddle.base.core
