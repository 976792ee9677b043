"""Look at an installation: versions, Paddle's build, cards, and what will work here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from graphprobe.api.results import Result, Row, Table
from graphprobe.compat.installed import PaddleBuild, find_build, installed_version
from graphprobe.version import __version__

# Packages whose versions a report of a fault needs.
PACKAGES = (
    "numpy", "protobuf", "networkx", "graphviz", "typer", "rich", "reportlab", "paddleslim",
    "pycocotools", "pandas",
)  # fmt: skip

# The first CUDA of Paddle's own index that runs a compute capability.
# Source: Paddle's installation tables for 3.3.
_CUDA_FOR = (((7, 5), "cu118"), ((9, 0), "cu126"), ((99, 9), "cu129"))
INDEX = "https://www.paddlepaddle.org.cn/packages/stable/"


@dataclass(frozen=True)
class Card:
    """A graphics card.

    Args:
        name: as its driver reports it.
        capability: compute capability, as ``8.6``.
        driver: version of the driver.
        runs: whether the installed Paddle holds code for it; None where that is not known.
    """

    name: str
    capability: str
    driver: str
    runs: bool | None


@dataclass(frozen=True)
class Ability:
    """Something that graphprobe can do.

    Args:
        what: in a few words.
        works: whether it will work here; None where that can only be tried.
        note: what it uses, or what is missing and what to do.
    """

    what: str
    works: bool | None
    note: str


@dataclass(frozen=True, repr=False)
class Diagnosis(Result):
    """What is installed, and what will work.

    Args:
        versions: package -> version, or None where it is not installed; ``graphprobe``, ``python``
            and ``platform`` first.
        paddle: the installed build, or None.
        cards: graphics cards; empty where there are none, or no driver.
        cores: that this process may use.
        threads: that Paddle will compute with.
        abilities: what works, and what to do where it does not.
    """

    versions: dict[str, str | None]
    paddle: PaddleBuild | None
    cards: tuple[Card, ...]
    cores: int
    threads: int
    abilities: tuple[Ability, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that is installed is broken; what is not installed is no fault."""
        return self.paddle is None or len(self.paddle.packages) <= 1

    def summary(self) -> str:
        """How much works."""
        works = sum(one.works is True for one in self.abilities)
        return f"{works} of {len(self.abilities)} things work here"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "ok": self.ok}

    def to_rows(self) -> Table:
        """A row an ability."""
        rows: list[Row] = [(one.what, one.works, one.note) for one in self.abilities]
        return ("what", "works", "note"), rows


def diagnose() -> Diagnosis:
    """Report what is installed, which cards are there, and what will work; paddle is not imported.

    Raises:
        nothing: what cannot be found out is reported in the result.

    Example:
        >>> graphprobe.diagnose().versions["graphprobe"] == graphprobe.__version__
        True
    """
    from graphprobe.training.runtime.process import core_count, thread_count

    build = find_build()
    cards = tuple(_cards(build))
    versions: dict[str, str | None] = {
        "graphprobe": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    versions |= {name: installed_version(name) for name in PACKAGES}
    abilities = tuple(_abilities(build, cards))
    return Diagnosis(versions, build, cards, core_count(), thread_count(), abilities)


def _cards(build: PaddleBuild | None) -> Iterator[Card]:
    """What the driver of NVIDIA lists."""
    if shutil.which("nvidia-smi") is None:
        return
    query = ["nvidia-smi", "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3:
            name, capability, driver = parts
            yield Card(name, capability, driver, _runs(build, capability))


def _runs(build: PaddleBuild | None, capability: str) -> bool | None:
    """Machine code runs on its own major number, from its minor number on."""
    if build is None or build.cuda is None:
        return False
    if build.archs is None:
        return None
    major, _, minor = capability.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        return None
    pairs = (arch.split(".") for arch in build.archs)
    return any(a == major and int(b) <= int(minor) for a, b in pairs)


def _abilities(build: PaddleBuild | None, cards: tuple[Card, ...]) -> Iterator[Ability]:
    yield Ability("vars, pairs, prune-regex, draw and report of files", True, "no Paddle needed")
    yield _training(build)
    yield _on_gpu(build, cards)
    slim = installed_version("paddleslim")
    yield Ability(
        "prune.engine: paddleslim, train.teacher_engine: merge",
        slim is not None and build is not None,
        f"paddleslim {slim}" if slim else "pip install 'graphprobe[slim]'; the defaults do without",
    )
    yield _program("drawings by engine dot", "dot", "install Graphviz")
    yield _module("to_pandas() of results", "pandas", "pip install pandas")


def _training(build: PaddleBuild | None) -> Ability:
    what = "zoo:NAME, your own functions, and training on a CPU"
    if build is None:
        return Ability(what, False, "pip install 'graphprobe[cpu]'")
    if len(build.packages) > 1:
        both = " and ".join(build.packages)
        return Ability(what, False, f"broken: {both} overwrite each other; uninstall both")
    missing = [name for name in ("filelock", "platformdirs", "pycocotools") if not find_spec(name)]
    if missing:
        return Ability(what, False, f"pip install {' '.join(missing)}")
    number = build.version or "of an unknown version"
    if not number.startswith(("2.6", "3.")):
        return Ability(what, None, f"Paddle {number} is not among those tried (2.6.2, 3.3.1)")
    return Ability(what, True, f"Paddle {number}")


def _on_gpu(build: PaddleBuild | None, cards: tuple[Card, ...]) -> Ability:
    what = "training on a GPU"
    if not cards:
        return Ability(what, False, "no NVIDIA card, or no driver (nvidia-smi)")
    card = cards[0]
    if card.runs:
        return Ability(what, True, f"{card.name}, {card.capability}, CUDA {build and build.cuda}")
    command = install_command(card.capability)
    if build is None:
        return Ability(what, False, f"no Paddle is installed; {command}")
    if build.cuda is None:
        # Beside a build for CPUs it would overwrite that one's files.
        first = f"pip uninstall {' '.join(build.packages)}" if build.packages else ""
        command = f"{first} && {command}" if first else command
        return Ability(what, False, f"this Paddle is for CPUs; {command}")
    if card.runs is None:
        return Ability(what, None, f"whether Paddle has code for {card.capability} is not known")
    return Ability(what, False, f"Paddle has no code for {card.capability}; {command}")


def install_command(capability: str) -> str:
    """What installs a Paddle with code for a card.

    Args:
        capability: as ``8.9``.
    """
    number = tuple(int(part) for part in capability.split(".") if part.isdecimal())
    if (6, 1) <= number <= (8, 6) and sys.version_info < (3, 13):
        return "pip install 'graphprobe[gpu]'"
    cuda = next(name for most, name in _CUDA_FOR if number <= most)
    return f"pip install 'paddlepaddle-gpu>=3.3,<3.4' -i {INDEX}{cuda}/"


def _program(what: str, name: str, hint: str) -> Ability:
    found = shutil.which(name)
    return Ability(what, found is not None, os.path.realpath(found) if found else hint)


def _module(what: str, name: str, hint: str) -> Ability:
    found = installed_version(name)
    return Ability(what, found is not None, f"{name} {found}" if found else hint)
