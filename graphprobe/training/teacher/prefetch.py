"""Batches in order, with the teacher's part of the next one made while the present one is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from graphprobe.data.sample import Feed


class TeacherPrefetcher:
    """Takes batches one ahead and has a thread of its own extend them.

    Paddle's engines leave Python to other threads while they compute, so the cores that one of
    them leaves idle serve the other.

    Args:
        batches: feeds in order.
        extend: adds a teacher's variables to one; None where there are none to add.
    """

    def __init__(self, batches: Iterator[Feed], extend: Callable[[Feed], Feed] | None) -> None:
        self._batches, self._extend = batches, extend
        self._pool = ThreadPoolExecutor(1, "teacher")
        self._coming: Future[Feed] | None = None

    def __enter__(self) -> TeacherPrefetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def next(self) -> tuple[Feed | None, float]:
        """The next batch, extended, and the seconds spent waiting for data; None at the end.

        Raises:
            GraphprobeError: the batch, or the one after it, cannot be read.
        """
        begin = time.perf_counter()
        if self._extend is None:
            return next(self._batches, None), time.perf_counter() - begin
        if self._coming is None:
            self._coming = self._begin(self._extend)
        ready = self._coming
        self._coming = self._begin(self._extend)
        waited = time.perf_counter() - begin
        return None if ready is None else ready.result(), waited

    def _begin(self, extend: Callable[[Feed], Feed]) -> Future[Feed] | None:
        feed = next(self._batches, None)
        return None if feed is None else self._pool.submit(extend, feed)
