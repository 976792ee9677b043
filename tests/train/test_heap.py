"""Large blocks are mapped on their own, whatever was freed before."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pytest

from graphprobe.train.heap import LARGE, give_large_blocks_back

MAPPED = 2  # of the word before a block of glibc's malloc
ENOUGH = 30 << 20  # bytes; once freed, glibc's own threshold is as high


@pytest.fixture
def is_mapped() -> Iterator[Callable[[int], bool]]:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        pytest.skip("not glibc")
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    held: list[int] = []

    def look(size: int) -> bool:
        held.append(libc.malloc(size))
        return bool(ctypes.c_size_t.from_address(held[-1] - 8).value & MAPPED)

    yield look
    for block in held:
        libc.free(block)


def test_large_blocks_are_mapped_on_their_own(is_mapped: Callable[[int], bool]) -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    libc.free(libc.malloc(ENOUGH))
    give_large_blocks_back()
    assert is_mapped(LARGE)
    assert is_mapped(8 * LARGE)
    assert not is_mapped(LARGE // 4)
