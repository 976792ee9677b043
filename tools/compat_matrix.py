"""Run every command under each Paddle that is installed here: the table of docs/compat.md.

Small networks, images of 32 to 65 pixels and a few iterations: that a command ends well, writes
what it should, and shows no warning of Paddle; not how good a network gets. A column is an
environment, `.venv` or `.venv-*`, that has a Paddle, the first of each Paddle and Python
(`make install PADDLE=3.3.1`, or `PADDLE=2.6.2-3.10` with that Python, makes one). Prints a Markdown
table; exit status 1 where a command failed.

python tools/compat_matrix.py                               # about 15 minutes for each
python tools/compat_matrix.py --only export --only sensitivity
python tools/compat_matrix.py --demo                        # the demo too, a tenth of its training
python tools/compat_matrix.py --paddle 3.3.1-3.13           # this column alone
python tools/compat_matrix.py --folder F                    # again after a stop: goes on
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from bench_versions import ROOT  # noqa: E402
from compat_rows import DEMO, ROWS, Row  # noqa: E402

# What Paddle and its packages warn of, which no user is to see.
NOISE = re.compile(
    r"[Dd]eprecat|ccache|[A-Z]\w*Warning\b|warnings\.warn|pkg_resources|^[IWE]\d{4} |Traceback",
    re.MULTILINE,
)
LIMIT = 1800  # seconds for a command
# A folder that a command makes; a row that did not end well may have left it.
MAKES = re.compile(r"(?:--output |train\.output=|tiny_export\.py )(\S+)")


class Failed(Exception):
    """A command did not do what it should; the text is a cell of the table."""


def run_row(row: Row, python: Path, folder: Path) -> str:
    """What the table says of a row in one environment."""
    for name in MAKES.findall("\n".join(row.commands)):
        shutil.rmtree(folder / name, ignore_errors=True)
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


@dataclass(frozen=True)
class Column:
    """An environment of the table.

    Args:
        paddle: the version of Paddle in it.
        python: the version of its Python, like 3.13.0.
        numpy: the version of numpy in it.
        binary: its interpreter.
    """

    paddle: str
    python: str
    numpy: str
    binary: Path

    @property
    def name(self) -> str:
        """As `make install` calls it, like 3.3.1-3.13."""
        return f"{self.paddle}-{self.python.rpartition('.')[0]}"

    @property
    def head(self) -> str:
        short = self.numpy.rpartition(".")[0]
        return f"{self.paddle}, Python {self.python.rpartition('.')[0]}, numpy {short}"


def columns(root: Path) -> dict[str, Column]:
    """The environments of a checkout that have a Paddle, by their names."""
    found: dict[str, Column] = {}
    for env in sorted(root.glob(".venv*")):
        sites = [str(path) for path in env.glob("lib/python*/site-packages")]
        versions = {one.name.lower(): one.version for one in distributions(path=sites)}
        if sites and "paddlepaddle" in versions:
            settings = (env / "pyvenv.cfg").read_text()
            match = re.search(r"^version(?:_info)? *= *(\d+\.\d+\.\d+)", settings, re.MULTILINE)
            assert match, f"{env}/pyvenv.cfg names no version"
            binary = env / "bin" / "python"
            one = Column(versions["paddlepaddle"], match[1], versions["numpy"], binary)
            found.setdefault(one.name, one)
    # the order of versions: 3.9 before 3.10
    return dict(sorted(found.items(), key=lambda pair: list(map(int, re.findall(r"\d+", pair[0])))))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--paddle",
        action="append",
        help="these columns alone, like 2.6.2 or 2.6.2-3.11; repeatable",
    )
    parser.add_argument(
        "--only", action="append", help="rows with this word; what they need runs too"
    )
    parser.add_argument("--demo", action="store_true", help="the demo too")
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep what is written here; rows that ended well do not run again",
    )
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


def run_column(column: Column, rows: list[Row], folder: Path) -> dict[str, str]:
    """A row's name -> its cell, for one environment.

    The cells are kept in the folder after each row; those that are there and say yes are taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "cells.json"
    cells: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    for row in rows:
        if cells.get(row.name, "").startswith("yes"):
            continue
        missing = [name for name in row.needs if not cells[name].startswith("yes")]
        clock = time.perf_counter()
        if column.paddle in row.refused:
            cells[row.name] = row.refused[column.paddle]
        elif missing:
            cells[row.name] = f"not run: needs {missing[0]}"
        else:
            cells[row.name] = run_row(row, column.binary, folder)
        kept.write_text(json.dumps(cells, indent=1))
        seconds = time.perf_counter() - clock
        text = f"{column.name}: {row.name}: {cells[row.name]} ({seconds:.0f} s)"
        print(text, file=sys.stderr, flush=True)
    return cells


def main() -> int:
    options = arguments()
    wanted = options.paddle or [""]
    found = [
        one
        for name, one in columns(ROOT).items()
        if any(name == word or one.paddle.startswith(word) for word in wanted)
    ]
    if not found:
        print("needs an environment with Paddle: make install, or make install PADDLE=3.3.1")
        return 1
    rows = chosen((*ROWS, DEMO) if options.demo else ROWS, options.only)
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        cells = [run_column(one, rows, folder / one.name) for one in found]
    print(f"| Command | {' | '.join(one.head for one in found)} |\n|{'---|' * (len(found) + 1)}")
    for row in rows:
        line = [one[row.name].replace("|", "\\|") for one in cells]
        print(f"| {row.name} | {' | '.join(line)} |")
    return int(any(one[row.name].startswith("no") for one in cells for row in rows))


if __name__ == "__main__":
    sys.exit(main())
