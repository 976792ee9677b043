"""Pairs -> distill.yaml."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.config import (
    AdapterConfig,
    DistillConfig,
    PairConfig,
    ProgramRef,
)
from graphprobe.emit.train_settings import default_train_section
from graphprobe.ir import Pair, Program
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.losses import class_axis, find_loss
from graphprobe.pairing.find import PairReport


def distill_config(report: PairReport, student: Program, teacher: Program) -> DistillConfig:
    """The config that trains with the pairs of a report; it must hold at least one."""
    return DistillConfig(
        version=1,
        kind="distill",
        student=program_ref(student),
        teacher=program_ref(teacher),
        pairs=tuple(_pair(pair) for pair in report.pairs),
        train=default_train_section(student, teacher),
    )


def distill_notes(report: PairReport) -> dict[str, Sequence[str]]:
    """The comments of that config."""
    notes = [f"score {pair.score:.2f}: {'; '.join(pair.evidence)}" for pair in report.pairs]
    return {"pairs": notes, "warnings": report.warnings}


def program_ref(program: Program) -> ProgramRef:
    """What binds a config to a program."""
    return ProgramRef(program=program.origin.source, fingerprint=fingerprint(program))


def options_of(pair: Pair) -> dict[str, str | int | float | bool | None]:
    """The options of a pair's loss that follow from what the pair is."""
    options = find_loss(pair.loss).options
    if "stride" in options and pair.stride is not None:
        return {"stride": pair.stride}
    axis = class_axis(pair.student_shape)
    return {"axis": axis} if options.get("axis", axis) != axis else {}


def _pair(pair: Pair) -> PairConfig:
    adapter = pair.adapter
    return PairConfig(
        student=pair.student,
        teacher=pair.teacher,
        loss=pair.loss,
        weight=pair.weight,
        role=pair.role,
        part=pair.part,
        options=options_of(pair),
        adapter=None
        if adapter is None
        else AdapterConfig(
            in_channels=adapter.in_channels,
            out_channels=adapter.out_channels,
            resize=adapter.resize,
        ),
    )
