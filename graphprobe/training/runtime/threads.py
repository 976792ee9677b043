"""How many threads Paddle computes with on a CPU."""

from __future__ import annotations

import os

from graphprobe.training.distributed.ranks import neighbours


def set_threads() -> int:
    """Say in the environment, before paddle is imported, how many threads it is to compute with.

    OMP_NUM_THREADS counts if it is given; otherwise it is this process's share of the cores.
    """
    threads = str(thread_count())
    os.environ["OMP_NUM_THREADS"] = threads
    # An inference engine sets MKL's threads of the whole process while another thread trains, and
    # sums differ with their number. What is set for BLAS holds against that.
    os.environ["MKL_DOMAIN_NUM_THREADS"] = f"MKL_DOMAIN_BLAS={threads}"
    return int(threads)


def thread_count() -> int:
    """The first number of OMP_NUM_THREADS, which may be a list for nested regions."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else _share()


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share() -> int:
    """The part of them that is left to each of the processes that train on this machine."""
    return max(_cores() // neighbours(), 1)
