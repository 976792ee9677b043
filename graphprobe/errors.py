"""The one exception family of graphprobe.

Whatever a user can cause is raised as a `GraphprobeError`; the command line prints it as one
line and exits with 2. Anything else that escapes is a defect of graphprobe; `place` names
of which line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class GraphprobeError(Exception):
    """What is wrong, where, and what to do.

    Args:
        message: what is wrong, without a full stop.
        where: the file, option, variable or config path that it is about.
        hint: what the user can do.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        text = f"{head}; {self.hint}" if self.hint else head
        return " ".join(text.split())


class LoadError(GraphprobeError):
    """A PROGRAM argument could not be read."""


class ExportError(GraphprobeError):
    """A program cannot be written in the wanted format."""


class UsageError(GraphprobeError):
    """An option or argument makes no sense."""


class DataError(GraphprobeError):
    """A data set, image or annotation could not be read."""


class DataProblems(DataError):
    """Several things are wrong with a data set.

    Args:
        message: the first few, with the total.
        problems: each of them, at most 10,000.
    """

    def __init__(self, message: str, problems: list[str], *, where: str, hint: str) -> None:
        super().__init__(message, where=where, hint=hint)
        self.problems = tuple(problems)


class CheckpointError(GraphprobeError):
    """A checkpoint or weights file is missing, damaged, or of another model."""


class TrainError(GraphprobeError):
    """Training cannot go on."""


class AnswerIsNo(GraphprobeError):
    """What was asked for was understood, and the answer is no; the command line ends with 1."""


class PluginError(GraphprobeError):
    """An installed package adds something to graphprobe that cannot be used."""


class MissingDependency(GraphprobeError):
    """A command needs a package that is not installed."""


class Problem(NamedTuple):
    """One thing wrong with a config: `path` is where in the file, as in ``pairs[2].loss``."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(GraphprobeError):
    """All the problems of one config file at once."""

    def __init__(self, problems: Iterable[Problem], *, where: str = "", hint: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)), where=where, hint=hint)


def place(error: BaseException) -> str:
    """The innermost line of graphprobe's own code that raised, as ``graphprobe.files:14``."""
    found, step = "graphprobe", error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__"))
        if module.startswith("graphprobe"):
            found = f"{module}:{step.tb_lineno}"
        step = step.tb_next
    return found


def listed(names: Iterable[str], most: int = 5, between: str = ", ") -> str:
    """The first of some names, and how many more there are: a file may hold any number."""
    every = tuple(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return between.join(every[:most]) + more


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the known words nearest to `word`, or an empty string."""
    import difflib  # only errors need it

    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""
