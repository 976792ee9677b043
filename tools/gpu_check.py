"""Prove on a machine with a card that graphprobe trains there, and print a block for an issue.

A small detector learns from a teacher on scenes of digits. What is tried: that the first loss is
that of a CPU; that a stopped run goes on as if it had not been stopped; that `eval`, `infer` and
`export` of the run work; that two cards train as one with the whole batch; how long a step takes.
Data and networks are part of graphprobe: nothing is fetched.

    python tools/gpu_check.py                 # a card
    python tools/gpu_check.py --device cpu    # the same parts, smaller, to try the tool itself

Exit status: 0 no part failed, 1 a part failed, 2 there is no card that this Paddle can use.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from graphprobe.api.doctor import Diagnosis, diagnose

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from gpu_parts import PLANS, Check, Part, Plan  # noqa: E402

FAILED, NO_CARD = 1, 2
# What is asked in a process of its own: one that fails with a card may die of it.
TRY = """
import sys
from graphprobe.errors import GraphprobeError
from graphprobe.training.runtime.process import import_paddle
try:
    import_paddle()
    from graphprobe.training.runtime.device import choose_place
    choose_place("gpu")
except GraphprobeError as error:
    sys.exit(str(error))
"""


def why_no_card() -> str:
    """Why no card can be used here, in one line; empty where one can."""
    done = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"trying one ends with status {done.returncode}"


def block(plan: Plan, found: Diagnosis, parts: Sequence[Part]) -> str:
    """What to paste into an issue."""
    build, versions = found.paddle, found.versions
    paddle = f"Paddle {build.version}" if build else "no Paddle"
    if build:
        paddle += f" with CUDA {build.cuda}" if build.cuda else " for CPUs"
    words = {True: "passed", False: "FAILED", None: "not tried"}
    width = max(len(part.name) for part in parts)
    lines = [
        f"gpu_check --device {plan.device}: graphprobe {versions['graphprobe']}, {paddle}, "
        f"Python {versions['python']}, numpy {versions['numpy']}",
        f"{versions['platform']}, {found.cores} cores, {found.threads} threads",
    ]
    lines += [f"{c.name}, capability {c.capability}, driver {c.driver}" for c in found.cards]
    lines += [f"{p.name:{width}}  {words[p.passed]:9}  {p.note}" for p in parts]
    return "\n".join(["```text", *lines, "```"])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=tuple(PLANS), default="gpu")
    parser.add_argument("--keep", type=Path, help="a new folder for the runs, else they are lost")
    given = parser.parse_args()
    if given.keep is not None and given.keep.exists():
        parser.error(f"--keep {given.keep}: exists; name a new folder")
    if given.device == "gpu" and (why := why_no_card()):
        print(f"error: {why}", file=sys.stderr)
        return NO_CARD
    plan, found = PLANS[given.device], diagnose()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if given.keep is None else given.keep.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        parts = list(Check(plan, folder, len(found.cards)).parts())
    print(block(plan, found, parts))
    return FAILED if any(part.passed is False for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
