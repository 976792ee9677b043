"""How the processes of a run get the communicator that ops of ring 0 send over.

Paddle 3.1 removed the collective ops of Paddle 2, and their successors ask for a communicator of
the kind that ``paddle.distributed.init_parallel_env`` makes in a static program; that function
trusts the environment for the backend and cannot be told which. Until then gloo is started by a
function of its own, and NCCL by ops of a startup program.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphprobe.compat.collectives import RING, has_old_ops

CONNECT_TIMEOUT_S = 120


def connect_cpus(rank: int, endpoints: Sequence[str]) -> None:
    """Let gloo connect the processes, over a server that rank 0 opens at the first endpoint.

    Args:
        rank: of this process.
        endpoints: host:port of every process, in order of ranks.
    """
    if not has_old_ops():
        core = _core()
        store = _open_store(rank, endpoints)
        core.CommContextManager.create_gloo_comm_context(store, str(RING), rank, len(endpoints))
        return
    import paddle

    here = Path.cwd()
    # It writes a file http.log into the working folder, and prints to stdout.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        try:
            paddle.distributed.gloo_init_parallel_env(rank, len(endpoints), endpoints[0])
        finally:
            os.chdir(here)


def connect_gpus(place: Any, rank: int, endpoints: Sequence[str]) -> None:
    """Let NCCL connect the processes.

    Args:
        place: the card of this process.
        rank: of this process.
        endpoints: host:port of every process, in order of ranks.
    """
    if not has_old_ops():
        core = _core()
        store = _open_store(rank, endpoints)
        core.CommContextManager.set_device_id(place.get_device_id())
        # Tells the communicators of one ring of several jobs apart.
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


def _open_store(rank: int, endpoints: Sequence[str]) -> Any:
    """Where the processes tell each other their addresses; rank 0 serves it."""
    host, _, port = endpoints[0].rpartition(":")
    serves = rank == 0
    return _core().TCPStore(host, int(port), serves, len(endpoints), CONNECT_TIMEOUT_S)


def _core() -> Any:
    import paddle

    return paddle.base.core
