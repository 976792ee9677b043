"""Mutate files and see whether graphprobe ever does what it must not.

Three targets (tools/fuzz_targets.py): ``readers``, the loaders of both program formats;
``commands``, whole commands on programs whose ops, slots and attributes were changed; ``files``,
the readers of weights, archives, images, annotations and configs. Every input must be taken or
end in graphprobe's own error: no other exception, no crash of the process, none beyond 5 s of CPU
(a command: 20 s), none above 1 GB, nothing printed that acts. What fails is kept in .cache/fuzz.

    python tools/fuzz.py --target commands --inputs 20000
    python tools/fuzz.py --target commands FILE    # run an input again
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import mmap
import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from fuzz_edges import Edges  # noqa: E402
from fuzz_targets import TARGETS  # noqa: E402

ROOT = TOOLS.parent
FOUND = ROOT / ".cache" / "fuzz"
LIMIT_SECONDS = 5
LIMIT_BYTES = 2**30
# Of the clock, for what waits or is held in C code; others may use the machine too.
SILENT_SECONDS = 60
LARGEST_SEED = 300_000
LARGEST_INPUT = 2**20
# One input in so many starts from a real program: they are a hundred times slower.
REAL_SHARE = 100
# Before Python 3.12 following an input is slow (five times), so only one in so many is.
TRACED_SHARE = 8
POOL = 2000
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


class Hang(BaseException):
    """An input took longer than the limit."""


def real_programs() -> list[bytes]:
    """Programs nobody here wrote, where present: beside the project and in the test cache."""
    folders = (ROOT.parent / "shared" / "models", ROOT / ".cache" / "wheels")
    paths = [p for f in folders if f.is_dir() for p in sorted(f.rglob("*")) if p.is_file()]
    wanted = [p for p in paths if p.suffix in (".pdmodel", ".json") or p.name == "__model__"]
    return [p.read_bytes() for p in wanted if 0 < p.stat().st_size <= LARGEST_SEED]


@dataclass
class Stats:
    """What a worker tells its parent now and then."""

    inputs: int = 0
    programs: int = 0
    pool: int = 0
    edges: int = 0
    slowest: float = 0.0
    failures: list[tuple[str, bytes]] = field(default_factory=list)


class Worker:
    """Runs inputs one after the other, and keeps those that take new ways as seeds."""

    def __init__(self, seed: int, target: str = "readers", guided: bool = True):
        self.random = random.Random(seed)
        self.target = TARGETS[target]
        self.action = self.target.run
        self.guided = guided
        self.small = self.target.seeds()
        self.whole = len(self.small)
        self.real = real_programs() if self.target.real else []
        self.edges = Edges()
        self.stats = Stats()

    def next_input(self) -> bytes:
        """A mutated seed."""
        rng = self.random
        real = self.real and rng.randrange(REAL_SHARE) == 0
        # Kept inputs are damaged already; every other time start from a whole program.
        small = self.small if rng.getrandbits(1) else self.small[: self.whole]
        start = rng.choice(self.real if real else small)
        return self.target.mutate(start, rng.choice(self.small), rng)[:LARGEST_INPUT]

    def try_input(self, data: bytes) -> None:
        """Run one input and note what came of it."""
        traced = self.random.randrange(TRACED_SHARE) == 0
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
        try:
            self.stats.programs += self.edges.run(self.action, data, traced)
        except (Hang, Exception):  # noqa: BLE001 - finding these is what a fuzzer is for
            self.stats.failures.append((traceback.format_exc(), data))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        self.stats.slowest = max(self.stats.slowest, time.process_time() - began)
        self.stats.inputs += 1
        if self.edges.fresh and self.guided and len(self.small) < POOL and len(data) < 20_000:
            self.small.append(data)
        self.stats.pool, self.stats.edges = len(self.small), len(self.edges.seen)

    def take_stats(self) -> Stats:
        """The figures since the last call."""
        taken, self.stats = self.stats, Stats()
        return taken


def _on_alarm(*_: object) -> None:
    raise Hang(f"over {LIMIT_SECONDS} s of CPU")


def end_with_parent() -> None:
    """Let the system kill this process where its parent dies, also while it hangs in C code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        raise SystemExit(1)  # it died before


def work(
    pipe: Connection, current: mmap.mmap, inputs: int, seed: int, kind: str, guided: bool
) -> None:
    """The body of a worker process."""
    end_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGPROF, _on_alarm)
    worker = Worker(seed, kind, guided)
    told = time.monotonic()
    for _ in range(inputs):
        data = worker.next_input()
        current.seek(0)
        current.write(len(data).to_bytes(8, "little") + data)
        worker.try_input(data)
        if time.monotonic() - told > 1 or worker.stats.failures:
            pipe.send(worker.take_stats())
            told = time.monotonic()
    pipe.send(worker.take_stats())
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


class Child:
    """A worker process, watched from outside: C code cannot be interrupted from within."""

    def __init__(self, inputs: int, seed: int, kind: str, guided: bool) -> None:
        self.left, self.seed, self.kind, self.guided = inputs, seed, kind, guided
        self.start()

    def start(self) -> None:
        """Fork; the input at hand lies in shared memory, so it outlives the process."""
        context = multiprocessing.get_context("fork")
        self.pipe, other = context.Pipe()
        self.current = mmap.mmap(-1, LARGEST_INPUT + 8)
        arguments = (other, self.current, self.left, self.seed, self.kind, self.guided)
        self.process = context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        other.close()
        self.heard = time.monotonic()

    def input_at_hand(self) -> bytes:
        """What the process was working on."""
        size = int.from_bytes(self.current[:8], "little")
        return bytes(self.current[8 : 8 + size])

    def replace(self, reason: str) -> tuple[str, bytes]:
        """Kill and start anew with other inputs; returns the failure."""
        data = self.input_at_hand()
        self.process.kill()
        self.process.join()
        self.left = max(0, self.left - 1)
        self.seed += 1_000_003
        self.start()
        return reason, data


class Campaign:
    """All workers and what they found."""

    def __init__(self, inputs: int, workers: int, seed: int, kind: str, guided: bool) -> None:
        self.total = Stats()
        self.peak = 0
        self.kinds: set[str] = set()
        self.began = time.monotonic()
        self.wanted = inputs
        shares = [inputs // workers + (i < inputs % workers) for i in range(workers)]
        self.children = [Child(n, seed * 1000 + i, kind, guided) for i, n in enumerate(shares)]

    def run(self) -> int:
        """Run to the end; returns how many kinds of failure there were."""
        waiting = list(self.children)
        shown = 0.0
        while waiting:
            for pipe in wait([child.pipe for child in waiting], timeout=1):
                child = next(c for c in waiting if c.pipe is pipe)
                if self._hear(child):
                    waiting.remove(child)
            for child in waiting:
                if time.monotonic() - child.heard > SILENT_SECONDS:
                    self._fail(*child.replace(f"silent for {SILENT_SECONDS} s"))
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                sys.stderr.write(f"\r{self.line()}")
        sys.stderr.write("\r")
        print(self.line())
        return len(self.kinds)

    def _hear(self, child: Child) -> bool:
        """Take one message; True when the child is done."""
        try:
            message = child.pipe.recv()
        except (EOFError, OSError):
            child.process.join()
            self._fail(*child.replace(f"the process ended with {child.process.exitcode}"))
            return False
        child.heard = time.monotonic()
        if isinstance(message, int):
            self.peak = max(self.peak, message)
            child.process.join()
            return True
        child.left -= message.inputs
        self.total.inputs += message.inputs
        self.total.programs += message.programs
        self.total.slowest = max(self.total.slowest, message.slowest)
        self.total.pool = max(self.total.pool, message.pool)
        self.total.edges = max(self.total.edges, message.edges)
        for reason, data in message.failures:
            self._fail(reason, data)
        return False

    def _fail(self, reason: str, data: bytes) -> None:
        """Keep one input for each kind of failure: the kind is where it was raised."""
        places = [line for line in reason.splitlines() if line.startswith("  File")]
        kind = "".join(places[-1:]) + reason.splitlines()[-1][:60]
        if kind in self.kinds:
            return
        self.kinds.add(kind)
        FOUND.mkdir(parents=True, exist_ok=True)
        path = FOUND / f"failure-{hashlib.sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        sys.stderr.write(f"\n{reason}\nkept as {path}\n")

    def line(self) -> str:
        """Progress on one line."""
        seconds = time.monotonic() - self.began
        total = self.total
        return (
            f"{total.inputs}/{self.wanted} inputs, {total.inputs / seconds:.0f}/s, "
            f"{total.programs} taken, {total.edges} ways reached, {total.pool} seeds, "
            f"slowest {total.slowest:.2f} s, peak {self.peak / 2**20:.0f} MiB, "
            f"{len(self.kinds)} failures"
        )


def main() -> int:
    """Parse, run, and return 1 if anything failed."""
    global LIMIT_SECONDS, REAL_SHARE  # noqa: PLW0603 - before any worker starts
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=list(TARGETS), default="readers")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=REAL_SHARE, help="of so many, one is real")
    parser.add_argument("--unguided", action="store_true", help="do not keep inputs as seeds")
    parser.add_argument("files", nargs="*", type=Path, help="run these inputs instead")
    options = parser.parse_args()
    if options.files:
        for path in options.files:
            taken = TARGETS[options.target].run(path.read_bytes())
            print(path, "is taken" if taken else "is refused")
        return 0
    REAL_SHARE = options.real
    if options.target == "commands":
        LIMIT_SECONDS = 20
    campaign = Campaign(
        options.inputs, options.workers, options.seed, options.target, not options.unguided
    )
    return 1 if campaign.run() else 0


if __name__ == "__main__":
    sys.exit(main())
