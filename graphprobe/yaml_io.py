"""Text <-> plain data, as YAML: safe, bounded, and strict about what YAML lets pass.

Refused beyond what ``yaml.safe_load`` refuses: files over 1 MiB, more than 30,000 values,
nesting over 40, numbers of more than 400 characters, aliases (small files of them expand
without end) and duplicate keys (YAML lets the last one win in silence). So whatever is taken is
parsed within a second or so. Numbers as ``1e-3`` are read as numbers, which YAML 1.1 takes for
text, and ``1:30`` as text, which YAML 1.1 takes for a number of base 60. Files that exporters write
may be larger, for they list all characters or classes, and may have aliases, each of which counts
as much as what it stands for, but no merge keys.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from graphprobe.errors import GraphprobeError, UsageError

MAX_BYTES = 1 << 20
MAX_NODES = 30_000
MAX_DEPTH = 40


class Bounds(NamedTuple):
    """How much of a file is read.

    Args:
        size: bytes.
        values: of all levels; those that aliases stand for count each time.
        aliases: whether there may be any.
        name: what should be named in place of a file that is beyond them.
    """

    size: int = MAX_BYTES
    values: int = MAX_NODES
    aliases: bool = False
    name: str = "a config file"


CONFIG = Bounds()
EXPORTED = Bounds(8 << 20, 200_000, aliases=True, name="the file that the exporter wrote")
MAX_NUMBER = 400

_FLOAT = re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)[eE][-+]?[0-9]+$")
# libyaml's parser, where PyYAML was built with it: twenty times as fast.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[misc]
    """SafeLoader that reads 1e-3 as a number and 1:30 as text, and refuses a duplicate key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"duplicate key {key.value}", key.start_mark
                    )
                seen.add(key.value)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found

    def _number_or_text(self, node: yaml.ScalarNode) -> Any:
        text = self.construct_scalar(node)
        if ":" in text:
            return text
        if len(text) > MAX_NUMBER:
            problem = f"a number of more than {MAX_NUMBER} characters"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        kind = node.tag.rpartition(":")[2]
        make = self.construct_yaml_int if kind == "int" else self.construct_yaml_float
        return make(node)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader._number_or_text)  # noqa: SLF001


class _Dumper(yaml.SafeDumper):
    """SafeDumper that quotes every text that _Loader would read as a number."""


for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def read_start(path: Path, size: int, hint: str) -> bytes:
    """The first bytes of a file; a pipe that has a name is refused, for nobody may ever write.

    Args:
        path: the file.
        size: so many bytes at most.
        hint: what to do where it cannot be read.

    Raises:
        GraphprobeError: it cannot be read.
    """
    try:
        # What a shell passes as <(...) lies in /dev/fd and has its writer.
        if path.is_fifo() and not str(path).startswith("/dev/"):
            raise GraphprobeError("is a pipe, not a file", where=str(path), hint=hint)
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise GraphprobeError(
            f"cannot be read ({error.strerror})", where=str(path), hint=hint
        ) from error


def read_yaml(path: Path, bounds: Bounds = CONFIG) -> Any:
    """Read a file as plain data.

    Args:
        path: the file.
        bounds: `CONFIG`, or `EXPORTED` for what stands beside an exported program.

    Raises:
        GraphprobeError: it cannot be read, is too large, or is not YAML.
    """
    data = read_start(path, bounds.size + 1, "name a yaml file")
    if len(data) > bounds.size:
        text = f"larger than {bounds.size >> 20} MiB"
        raise GraphprobeError(text, where=str(path), hint=f"name {bounds.name}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise GraphprobeError(
            f"not text in UTF-8 (byte {error.start})", where=str(path), hint="name a yaml file"
        ) from error
    return parse_yaml(text, where=str(path), bounds=bounds)


def parse_yaml(text: str, *, where: str, bounds: Bounds = CONFIG) -> Any:
    """Parse text as plain data.

    Args:
        text: YAML.
        where: the file or option that it comes from, for errors.
        bounds: see `read_yaml`.

    Raises:
        GraphprobeError: not YAML, or over a limit of this module.
    """
    try:
        _check_size(text, where, bounds)
        found = yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        raise GraphprobeError(
            f"not YAML{_line(error)}: {_reason(error)}", where=where, hint="correct that line"
        ) from error
    except (ValueError, OverflowError) as error:
        # Dates such as 2020-99-99 and integers of thousands of digits.
        raise GraphprobeError(
            f"a value cannot be read: {error}", where=where, hint="put it in quotes"
        ) from error
    if bounds.aliases and _expanded(found, {}, bounds.values) > bounds.values:
        raise _too_many(where, bounds)
    return found


def _check_size(text: str, where: str, bounds: Bounds) -> None:
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, _Parser)):
        if isinstance(event, yaml.AliasEvent) and not bounds.aliases:
            raise GraphprobeError(
                f"aliases (*{event.anchor}) are not taken", where=where, hint="write the value out"
            )
        if bounds.aliases and _is_merge(event):
            raise GraphprobeError(
                "merge keys (<<) are not taken", where=where, hint="write the keys out"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if nodes > bounds.values or depth > MAX_DEPTH:
            raise _too_many(where, bounds)


def _is_merge(event: Any) -> bool:
    """Whether this is the key ``<<``: with aliases, a few of them double a mapping each time."""
    if not isinstance(event, yaml.ScalarEvent):
        return False
    plain = event.value == "<<" and event.implicit[0]
    return plain or event.tag == "tag:yaml.org,2002:merge"


def _expanded(value: Any, known: dict[int, int], most: int) -> int:
    """How many values a value holds, each counted wherever it stands; one in itself has no end."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = most + 1  # where it is met again inside itself
        parts = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded(part, known, most) for part in parts)
    return known[id(value)]


def _too_many(where: str, bounds: Bounds) -> GraphprobeError:
    return GraphprobeError(
        f"more than {bounds.values} values or {MAX_DEPTH} levels",
        where=where,
        hint=f"name {bounds.name}",
    )


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""


def _reason(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error)


def parse_value(text: str, option: str) -> Any:
    """The value of an override ``key=value``."""
    try:
        return parse_yaml(text, where=f"override={option!r}")
    except GraphprobeError as error:
        raise UsageError(error.message, where=error.where, hint="quote the value") from error


def to_scalar(value: Any) -> str:
    """A value as YAML on one line, quoted where YAML would take it for something else."""
    if isinstance(value, float) and abs(value) < 1e15 and value.is_integer():
        return f"{value:.1f}"
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**9, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
