"""Pairs -> the section Distillation of PaddleSlim's auto-compression.

Source: paddleslim 2.6.0, auto_compression/strategy_config.py and create_compressed_program.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from graphprobe.emit.emitter import PairEmitter, model_files
from graphprobe.errors import UsageError
from graphprobe.ir import Pair, Program
from graphprobe.losses import find_loss
from graphprobe.pairing.find import PairReport

TAKES = ("l2", "soft_label")
PREFIX = "teacher_"


def act_section(report: PairReport, student: Program, teacher: Program) -> dict[str, Any]:
    """The section as plain data.

    `node` lists the teacher's variable, with the prefix that the merge adds, then the student's,
    pair after pair; a list of such lists where pairs have different losses.

    Raises:
        UsageError: a pair that auto-compression cannot take, or a program that is no file.
    """
    for side, program in (("student", student), ("teacher", teacher)):
        if program.origin.source.startswith("zoo:") or not Path(program.origin.source).exists():
            raise UsageError(
                f"auto-compression reads inference models from files, and the {side} is none",
                where=program.origin.source,
                hint="export the trained network, then name the exported folder",
            )
    groups = _groups(_with_known_losses(report))
    folder, model, params = model_files(teacher.origin.source)
    single = len(groups) == 1
    losses, alphas, nodes = zip(*((loss, a, n) for (loss, a), n in groups.items()), strict=True)
    return {
        "Distillation": {
            "alpha": alphas[0] if single else list(alphas),
            "loss": losses[0] if single else list(losses),
            "node": nodes[0] if single else list(nodes),
            "teacher_model_dir": folder,
            "teacher_model_filename": model,
            "teacher_params_filename": params,
        }
    }


def _with_known_losses(report: PairReport) -> tuple[Pair, ...]:
    """The pairs, those with l2 whose role has a loss of one tensor that auto-compression lacks.

    A loss that the caller named stays, and so is refused.
    """
    if report.loss is not None:
        return report.pairs
    return tuple(
        replace(pair, loss="l2", weight=1.0) if _lacks(pair) else pair for pair in report.pairs
    )


def _lacks(pair: Pair) -> bool:
    loss = find_loss(pair.loss)
    return pair.loss not in TAKES and len(loss.inputs) == 1 and not loss.levels


def _groups(pairs: Iterable[Pair]) -> dict[tuple[str, float | str], list[str]]:
    groups: dict[tuple[str, float | str], list[str]] = defaultdict(list)
    for pair in pairs:
        where = f"{pair.student} and {pair.teacher}"
        if pair.loss not in TAKES:
            hint = f"use {_named(TAKES)}, emit='python', or graphprobe's own trainer"
            raise UsageError(f"auto-compression has no loss {pair.loss}", where=where, hint=hint)
        if pair.adapter is not None:
            raise UsageError(
                "the shapes differ, and auto-compression has no adapter",
                where=where,
                hint="use emit='python' or graphprobe's own trainer",
            )
        if pair.loss == "soft_label" and len(pair.student_shape) == 4:
            raise UsageError(
                "auto-compression's soft_label is over the last axis, the classes are on axis 1",
                where=where,
                hint="use emit='python' or graphprobe's own trainer",
            )
        groups[pair.loss, pair.weight] += [PREFIX + pair.teacher, pair.student]
    if len({loss for loss, _ in groups}) < len(groups):
        # It adds the terms of the first group again for each further group of the same loss.
        raise UsageError(
            "one loss with several weights: auto-compression would count pairs twice",
            where="emit='act'",
            hint="name a rule to take one kind of pairs",
        )
    return groups


def _named(losses: Iterable[str]) -> str:
    return " or ".join(f"loss={name!r}" for name in losses)


def act_text(report: PairReport, student: Program, teacher: Program) -> str:
    """The section as YAML, with a comment on where it belongs."""
    head = (
        "# The section Distillation of a PaddleSlim auto-compression config; the student is the\n"
        "# model that you hand to AutoCompression. Add TrainConfig and other sections.\n"
    )
    section = act_section(report, student, teacher)
    lacking = dict.fromkeys(pair.loss for pair in report.pairs if _lacks(pair))
    if lacking:
        head += f"# l2 stands for {', '.join(lacking)}, which auto-compression does not have.\n"
    return head + yaml.safe_dump(section, sort_keys=False, width=96)


EMITTER = PairEmitter("act", "the section Distillation of PaddleSlim's auto-compression", act_text)
