"""Large blocks are mapped on their own, whatever was freed before."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# In a process of its own, whose heap has no gap into which a block could go. Bit 1 of the word
# before a block of glibc's malloc says that it was mapped; freeing a block of 30 MiB raises glibc's
# own threshold as high.
SCRIPT = """
import ctypes
from graphprobe.training.runtime.process import LARGE, give_large_blocks_back

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def is_mapped(size):
    return bool(ctypes.c_size_t.from_address(libc.malloc(size) - 8).value & 2)

libc.free(libc.malloc(30 << 20))
print(is_mapped(4 * LARGE))
give_large_blocks_back()
print(is_mapped(LARGE), is_mapped(4 * LARGE), is_mapped(LARGE // 4))
"""


def test_large_blocks_are_mapped_on_their_own() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("not glibc")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "True", "False"], done.stderr
