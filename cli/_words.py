"""The library speaks of parameters; here they become the options that the user typed.

A message of the library names ``target_flops=0.9`` or ``policy='coupled'``, as one writes it in
Python. On the command line that is ``--target-flops 0.9`` and ``--policy coupled``.
"""

from __future__ import annotations

import ast
import re
from functools import cache

from graphprobe.errors import GraphprobeError

# Parameters of the library that are options of some command under their own name.
PARAMETERS = (
    "allow_code", "color_by", "compact", "data", "device", "diff", "emit", "engine", "epochs",
    "focus", "force", "form", "format", "hops", "image", "keep", "latency", "level", "loss",
    "match", "min_channels", "minutes", "op_type", "output", "override", "pairs", "policy", "prune",
    "ratio", "ratios", "resume", "round_to", "rule", "samples", "schedule", "sensitivity",
    "student", "target_flops", "teacher", "teacher_weights", "threshold", "weights",
)  # fmt: skip
_QUOTES = "'\""
_VALUE = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.,+-]*\w"""


def of_packages(group: str) -> str:
    """What installed packages add to a group of entry points, for the help of an option."""
    from graphprobe.plugins import plugins

    added = "; ".join(f"{plugin.name}, of {plugin.package}" for plugin in plugins(group))
    return f"; {added}" if added else ""


def option(name: str) -> str:
    """``target_flops`` -> ``--target-flops``."""
    return "--set" if name == "override" else "--" + name.replace("_", "-")


def with_options(text: str) -> str:
    """Write each ``name=value`` of a parameter as the option it is."""
    return _named().sub(_as_option, text)


def error_line(error: GraphprobeError) -> str:
    """An error in one line, in the words of the command line."""
    where = option(error.where) if error.where in PARAMETERS else error.where
    return with_options(str(GraphprobeError(error.message, where=where, hint=error.hint)))


@cache
def _named() -> re.Pattern[str]:
    """A parameter with its value. Most commands print nothing that needs it."""
    words = "|".join(sorted(PARAMETERS, key=len)[::-1])
    # After a dot, a question mark or an ampersand it is a key of a config or of a zoo name.
    return re.compile(rf"(?<![\w.?&-])({words})=({_VALUE})")


def _as_option(found: re.Match[str]) -> str:
    import shlex  # most messages name no parameter

    value = found[2]
    if value == "True":
        return option(found[1])
    plain = shlex.quote(ast.literal_eval(value)) if value[0] in _QUOTES else value
    return f"{option(found[1])} {plain}"
