"""Batches that are extended in a thread of their own, one ahead."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from graphprobe.errors import DataError

pytestmark = pytest.mark.paddle


def drain(feeds: list[dict[str, Any]], extend: Any) -> list[dict[str, Any]]:
    from graphprobe.training.teacher.prefetch import TeacherPrefetcher

    found = []
    with TeacherPrefetcher(iter(feeds), extend) as ahead:
        while (feed := ahead.next()[0]) is not None:
            found.append(feed)
        assert ahead.next()[0] is None
    return found


def test_batches_come_in_order_extended_by_one_other_thread() -> None:
    threads = set()

    def extend(feed: dict[str, Any]) -> dict[str, Any]:
        threads.add(threading.get_ident())
        return {**feed, "more": feed["n"] * 10}

    found = drain([{"n": n} for n in range(5)], extend)
    assert found == [{"n": n, "more": n * 10} for n in range(5)]
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert drain([{"n": 1}], None) == [{"n": 1}]
    assert drain([], extend) == []


def test_the_next_batch_is_extended_while_the_present_one_is_used() -> None:
    from graphprobe.training.teacher.prefetch import TeacherPrefetcher

    begun = threading.Semaphore(0)

    def extend(feed: dict[str, Any]) -> dict[str, Any]:
        begun.release()
        return feed

    with TeacherPrefetcher(iter([{"n": 0}, {"n": 1}, {"n": 2}]), extend) as ahead:
        assert ahead.next()[0] == {"n": 0}
        assert begun.acquire(timeout=60)
        assert begun.acquire(timeout=60), "batch 1 was begun before it was asked for"


def test_what_fails_is_raised_where_the_batch_is_asked_for() -> None:
    def refuse(_feed: dict[str, Any]) -> dict[str, Any]:
        raise DataError("cannot be read", where="sample 3")

    with pytest.raises(DataError, match="sample 3"):
        drain([{"n": 0}, {"n": 1}], refuse)
