"""Run every tools/bench_*.py and tools/shapes.py, one after the other, with their figures."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent


def cpu_name() -> str:
    """What /proc/cpuinfo calls the processor, or the architecture's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> int:
    chosen = sys.argv[1:]
    print(f"{cpu_name()}, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    worst = 0
    for script in sorted(TOOLS.glob("bench_*.py")):
        if chosen and script.stem.removeprefix("bench_") not in chosen:
            continue
        print(f"\n== {script.stem.removeprefix('bench_')} ==", flush=True)
        worst = max(worst, subprocess.run([sys.executable, str(script)]).returncode)
    if not chosen or "shapes" in chosen:
        print("\n== shapes ==", flush=True)
        worst = max(worst, subprocess.run([sys.executable, str(TOOLS / "shapes.py")]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
