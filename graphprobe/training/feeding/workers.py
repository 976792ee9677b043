"""Batches made ahead by worker processes, in order.

`paddle.io.DataLoader` runs the workers; what a worker cannot read arrives here as an error that
names the sample.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import numpy as np
import paddle

from graphprobe.data.sample import Arrays
from graphprobe.errors import DataError, GraphprobeError

Item = dict[str, Any]

_ERROR = "error"
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
_LOOK_TIMEOUT_S = 5.0  # seconds between two looks at the workers


class Batches(Protocol):
    """Batches by number, as `TrainBatches` and `EvalBatches`."""

    def batch(self, number: int) -> Arrays:
        """The arrays of one batch; raises DataError."""


def load_batches(
    batches: Batches,
    start: int,
    stop: int,
    *,
    workers: int = 0,
    ahead: int = 2,
) -> Iterator[Arrays]:
    """The batches start, start + 1, ..., stop - 1; the same for any number of workers.

    Args:
        batches: made in the workers, which hold a copy.
        workers: processes that make batches; with 0 each is made when it is asked for.
        ahead: batches that each worker makes before they are asked for.

    Yields:
        dictionaries of numpy arrays. The workers end with the iterator.

    Raises:
        DataError: a sample cannot be read, or a worker died.
    """
    if workers <= 0:
        return (batches.batch(number) for number in range(start, stop))
    return _load_ahead(batches, start, stop, workers, ahead)


class _Numbered(paddle.io.Dataset):  # type: ignore[misc]  # paddle has no types
    """Whole batches as the items of a data set; what fails becomes an item too."""

    def __init__(self, batches: Batches, start: int, stop: int) -> None:
        super().__init__()
        self._batches = batches
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, place: int) -> Arrays:
        try:
            return self._batches.batch(self._start + place)
        except GraphprobeError as error:
            # Paddle rebuilds an exception from its traceback's text; the arrays keep it whole.
            text = json.dumps((error.message, error.where, error.hint))
            return {_ERROR: np.frombuffer(text.encode(), np.uint8).copy()}


def _load_ahead(
    batches: Batches, start: int, stop: int, workers: int, ahead: int
) -> Iterator[Arrays]:
    if start >= stop:
        return
    loader = paddle.io.DataLoader(
        _Numbered(batches, start, stop),
        places=[paddle.CPUPlace()],
        batch_size=None,
        return_list=True,
        num_workers=min(workers, stop - start),
        use_shared_memory=False,  # what a killed run had in /dev/shm would stay until a reboot
        use_buffer_reader=False,
        prefetch_factor=ahead,
        worker_init_fn=_settle_worker,
        collate_fn=_keep,
    )
    others = set(multiprocessing.active_children())
    items = _start(loader)
    made = set(multiprocessing.active_children()) - others
    try:
        while (item := _next(items, made)) is not None:
            yield _to_arrays(item)
    finally:
        _end(items, made)


def _end(items: Any, workers: Collection[BaseProcess]) -> None:
    """End the workers, whatever they are at.

    Paddle ends them when its iterator is deleted, but a thread of its own keeps that iterator, so
    a process that trains several times would gather them. It also reads the rest of what they
    hand over first, and waits for ever where one of them was killed meanwhile.
    """
    items._exit_thread_expectedly()
    items._shutdown = True  # nothing is left for Paddle to end
    paddle.base.core._erase_process_pids(id(items))
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join()


def _next(items: Iterator[Item], workers: Collection[BaseProcess]) -> Item | None:
    """The next item; None after the last.

    Paddle waits for ever for the rest of what a worker was writing when it was killed, so another
    thread waits, and this one looks at the workers.

    Raises:
        DataError: a worker died.
    """
    found: queue.SimpleQueue[Item | None | Exception] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(items, found), daemon=True).start()
    alive = True
    while True:
        try:
            item = found.get(timeout=_LOOK_TIMEOUT_S)
        except queue.Empty:
            if not alive:
                raise _died() from None
            alive = all(worker.is_alive() for worker in workers)
            continue
        if isinstance(item, SystemError | RuntimeError):
            raise _died() from item
        if isinstance(item, Exception):
            raise item
        return item


def _take(items: Iterator[Item], found: queue.SimpleQueue[Item | None | Exception]) -> None:
    try:
        found.put(next(items, None))
    except Exception as error:  # noqa: BLE001 - raised again by whoever waits for it
        found.put(error)


def _died() -> DataError:
    return DataError(
        "a data worker died", where="data", hint="is the memory full? try fewer workers, or 0"
    )


def _start(loader: Iterable[Item]) -> Iterator[Item]:
    """Start the workers without the signal handler that Paddle sets for their death.

    It would raise wherever the main process happens to be; the next batch raises the error as well.
    """
    if threading.current_thread() is not threading.main_thread():
        return iter(loader)
    before = signal.getsignal(signal.SIGCHLD)
    items = iter(loader)
    signal.signal(signal.SIGCHLD, before)
    return items


def _keep(item: Arrays) -> Arrays:
    return item


def _to_arrays(item: Item) -> Arrays:
    feed = {name: np.array(tensor) for name, tensor in item.items()}
    if _ERROR in feed:
        message, where, hint = json.loads(feed[_ERROR].tobytes())
        raise DataError(message, where=where, hint=hint)
    return feed


def _settle_worker(_number: int) -> None:
    """Leave signals to the main process, and end with it even when it is killed.

    A terminal and `paddle.distributed.launch` signal whole groups of processes. A worker is not in
    the main one's, so that this can still make its step and save.
    """
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)


def _leave(_signal: int, _frame: object) -> None:
    os._exit(0)
