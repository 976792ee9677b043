"""Figures that were measured elsewhere and are shown on layers: sensitivity and latency."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.api.findings import Findings
from graphprobe.drawing.figures import with_tables
from graphprobe.errors import ConfigError, Problem, UsageError, did_you_mean
from graphprobe.ir import Program
from graphprobe.ir.fingerprint import fingerprint

if TYPE_CHECKING:
    from graphprobe.api.measured_ratios import SensitivityLike
    from graphprobe.config.sensitivity import Sensitivity

# Milliseconds by layer, or the json file that holds them.
LatencyLike: TypeAlias = "str | os.PathLike[str] | Mapping[str, float]"
_RATIO = 0.5


def with_measures(
    found: Findings, sensitivity: SensitivityLike | None, latency: LatencyLike | None
) -> Findings:
    """Findings with what was measured of the program's layers.

    Args:
        found: the findings; the figures are for `found.program`.
        sensitivity: a record, or its file; of each group the loss at the ratio nearest to 0.5.
        latency: milliseconds by filter or output variable, or a json file of that.

    Raises:
        GraphprobeError: a file cannot be read.
        ConfigError: a file holds something else.
        UsageError: the figures are for another program.
    """
    marks, messages = found.marks, list(found.messages)
    if sensitivity is not None:
        record, where = record_of(sensitivity), _name_of(sensitivity)
        if record.measured.fingerprint != fingerprint(found.program):
            hint = f"name {record.measured.program}, or measure this program"
            raise UsageError("was measured on another program", where=where, hint=hint)
        ratio = min(record.ratios, key=lambda r: abs(r - _RATIO), default=_RATIO)
        losses = {
            name: point.loss
            for group in record.groups
            for point in group.points
            if point.ratio == ratio
            for name in group.convs
        }
        marks = replace(marks, sensitivity=losses, ratio=ratio)
    if latency is not None:
        table, where = _table(latency)
        messages += _unknown_layers(found.program, table, where)
        marks = replace(marks, latency=table)
    figures = [with_tables(found.figures[0], found.program, marks), *found.figures[1:]]
    return replace(found, marks=marks, figures=figures, messages=messages)


def record_of(given: SensitivityLike) -> Sensitivity:
    """A record of sensitivity, read where its file is given.

    Raises:
        GraphprobeError: the file cannot be read, or holds something else.
    """
    from graphprobe.config.sensitivity import Sensitivity, read_sensitivity

    return given if isinstance(given, Sensitivity) else read_sensitivity(Path(given))


def _name_of(given: SensitivityLike) -> str:
    return str(given) if isinstance(given, (str, os.PathLike)) else "sensitivity"


def _table(given: LatencyLike) -> tuple[dict[str, float], str]:
    from graphprobe.config.json_file import read_json

    if isinstance(given, Mapping):
        document: object = dict(given)
        where = "latency"
    else:
        where = str(given)
        document = read_json(Path(given), "give milliseconds by layer")
    hint = 'write {"conv1_weights": 0.12, ...}'
    if not isinstance(document, dict) or not document:
        problem = Problem("latency", "not a table of milliseconds by layer")
        raise ConfigError([problem], where=where, hint=hint)
    wrong = [
        Problem(str(name), "not a number of milliseconds")
        for name, value in document.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9
    ]
    if wrong:
        raise ConfigError(wrong, where=where, hint=hint)
    return {str(name): float(value) for name, value in document.items()}, where


def _unknown_layers(program: Program, table: Mapping[str, float], where: str) -> list[str]:
    known = {name for block in program.blocks for name in block.vars}
    unknown = [name for name in table if name not in known]
    if len(unknown) == len(table):
        hint = did_you_mean(unknown[0], sorted(known)) or "layers are named by filter or output"
        raise UsageError("names no layer of this program", where=where, hint=hint)
    if unknown:
        return [f"{where}: {len(unknown)} of {len(table)} layers are not in the program"]
    return []
