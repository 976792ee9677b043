"""Run every command under each Paddle that is installed here: the table of docs/compat.md.

Small networks, images of 32 to 65 pixels and a few iterations: that a command ends well, writes
what it should, and shows no warning of Paddle; not how good a network gets. The environments are
`.venv`, `.venv-2.6.2` and `.venv-3.3.1`, the first of each Paddle (`make install PADDLE=3.3.1`
makes one). Prints a Markdown table; exit status 1 where a command failed.

python tools/compat_matrix.py                               # about 15 minutes for each
python tools/compat_matrix.py --only export --only sensitivity
python tools/compat_matrix.py --demo                        # make demo too, 5 minutes for each
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from bench_versions import ROOT, environments  # noqa: E402
from compat_rows import DEMO, ROWS, Row  # noqa: E402

# What Paddle and its packages warn of, which no user is to see.
NOISE = re.compile(
    r"[Dd]eprecat|ccache|[A-Z]\w*Warning\b|warnings\.warn|pkg_resources|^[IWE]\d{4} |Traceback",
    re.MULTILINE,
)
LIMIT = 1800  # seconds for a command


class Failed(Exception):
    """A command did not do what it should; the text is a cell of the table."""


def run_row(row: Row, python: Path, folder: Path) -> str:
    """What the table says of a row in one environment."""
    try:
        for words in row.commands:
            run(words, python, folder)
        for name in row.writes:
            if not list(folder.glob(name)):
                raise Failed(f"{name} is not written")
    except Failed as reason:
        return f"no: {reason}"
    return "yes"


def run(words: str, python: Path, folder: Path) -> None:
    """Run one command; ``graphprobe`` and ``python`` are those of the environment.

    Raises:
        Failed: its status is not 0, or a warning of Paddle is shown.
    """
    command, *rest = words.split()
    beside = python.with_name(command)
    # the launcher takes a path of what it starts
    rest = [str(python.with_name(word)) if word == "graphprobe" else word for word in rest]
    rest = [str(ROOT / word) if word.startswith("tools/") else word for word in rest]
    try:
        done = subprocess.run(
            [str(beside), *rest], cwd=folder, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"`{words}` takes more than {LIMIT} s") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise Failed(f"`{words}` ends with {done.returncode}: {' '.join(last)}")
    if found := NOISE.search(done.stdout + done.stderr):
        raise Failed(f"`{words}` shows {found.group()!r}")


def describe(version: str, python: Path) -> str:
    """The head of a column."""
    short = subprocess.run(
        [str(python), "-c", "import platform; print(platform.python_version())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    sites = [str(path) for path in python.parents[1].glob("lib/python*/site-packages")]
    numpy = next(iter(distributions(name="numpy", path=sites))).version
    return f"Paddle {version}, Python {short}, numpy {numpy}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--paddle", action="append", help="these versions alone; repeatable")
    parser.add_argument(
        "--only", action="append", help="rows with this word; what they need runs too"
    )
    parser.add_argument("--demo", action="store_true", help="make demo too")
    parser.add_argument("--folder", type=Path, help="keep what is written here")
    return parser.parse_args()


def chosen(rows: tuple[Row, ...], only: list[str] | None) -> list[Row]:
    """The rows that some words name, and those that they need, in order."""
    if not only:
        return list(rows)
    names = {row.name for row in rows if any(word in row.name for word in only)}
    for row in reversed(rows):
        if row.name in names:
            names |= set(row.needs)
    return [row for row in rows if row.name in names]


def column(version: str, python: Path, rows: list[Row], folder: Path) -> dict[str, str]:
    """A row's name -> its cell, for one environment."""
    folder.mkdir(parents=True)
    cells: dict[str, str] = {}
    for row in rows:
        missing = [name for name in row.needs if not cells[name].startswith("yes")]
        if version in row.refused:
            cells[row.name] = row.refused[version]
        elif missing:
            cells[row.name] = f"not run: needs {missing[0]}"
        else:
            clock = time.perf_counter()
            cells[row.name] = run_row(row, python, folder)
            seconds = time.perf_counter() - clock
            print(
                f"{version}: {row.name}: {cells[row.name]} ({seconds:.0f} s)",
                file=sys.stderr,
                flush=True,
            )
    return cells


def main() -> int:
    options = arguments()
    found = {v: env / "bin" / "python" for v, env in environments().items()}
    found = {v: python for v, python in found.items() if not options.paddle or v in options.paddle}
    if not found:
        print("needs an environment with Paddle: make install, or make install PADDLE=3.3.1")
        return 1
    rows = chosen((*ROWS, DEMO) if options.demo else ROWS, options.only)
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        columns = {v: column(v, python, rows, folder / v) for v, python in found.items()}
    heads = [describe(version, python) for version, python in found.items()]
    print(f"| Command | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for row in rows:
        cells = [cells[row.name].replace("|", "\\|") for cells in columns.values()]
        print(f"| {row.name} | {' | '.join(cells)} |")
    return int(any(cell.startswith("no") for cells in columns.values() for cell in cells.values()))


if __name__ == "__main__":
    sys.exit(main())
