"""The student of a run: its first values or weights, and its pruning."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from graphprobe.config import (
    Config,
    DistillConfig,
    PruneConfig,
    check_fingerprint,
    load_config,
)
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.feeding.feeding import check_sizes
from graphprobe.training.networks.build import Network, fill, open_network, plan_of
from graphprobe.training.networks.source import Networks
from graphprobe.training.pruning.cutter import prune_values, verify_shapes
from graphprobe.training.reporting.progress import Log
from graphprobe.training.weights.checkpoint import Checkpoint


def open_student(
    config: Config,
    place: Any,
    *,
    where: str,
    log: Log,
    resumed: Checkpoint | None = None,
    networks: Networks | None = None,
) -> Network:
    """The student with its first values or the weights that the config names, pruned.

    Args:
        resumed: the checkpoint from which a run goes on; its pruning is replayed and none is made.
        networks: of the command; a student that `try_student` has made there is taken out.
    """
    networks = networks if networks is not None else Networks()
    if resumed is None:
        make = partial(_make_student, config, place, where, log, networks)
        return networks.take(_student_key(config, where), make)
    student = open_network(config.student, "student", networks=networks, where=where)
    check_sizes(config.train, student.built, "student", where=where)
    plan = plan_of(resumed.state.get("prune"), str(resumed.path))
    return fill(student, place, config.train.seed, plan=plan)


def try_student(config: Config, place: Any, *, where: str, log: Log, networks: Networks) -> Network:
    """A copy of the student that `open_student` will give, for a trial that changes it."""
    make = partial(_make_student, config, place, where, log, networks)
    return networks.once(_student_key(config, where), make).copy(place)


def _student_key(config: Config, where: str) -> tuple[str, ...]:
    pruned = prune_config(config, where)
    section = "" if pruned is None else pruned[0].prune.model_dump_json()
    return "student", config.student.model_dump_json(), str(config.train.seed), section


def _make_student(config: Config, place: Any, where: str, log: Log, networks: Networks) -> Network:
    student = open_network(config.student, "student", networks=networks, where=where)
    check_sizes(config.train, student.built, "student", where=where)
    student = fill(student, place, config.train.seed)
    found = prune_config(config, where)
    return student if found is None else _prune(config, student, place, *found, log=log)


def prune_config(config: Config, where: str) -> tuple[PruneConfig, str] | None:
    """What a config prunes, and its file: itself, or the prune.yaml that it names; else None."""
    if isinstance(config, PruneConfig):
        return config, where
    if isinstance(config, DistillConfig) and config.prune is not None:
        # Its section `prune` is all that is taken: the program that it names is not run.
        found = load_config(Path(config.prune).expanduser(), allow_code=True)
        if not isinstance(found, PruneConfig):
            problem = Problem("kind", f"must be prune, not {found.kind}")
            raise ConfigError([problem], where=config.prune)
        return found, config.prune
    return None


def _prune(
    config: Config, student: Network, place: Any, found: PruneConfig, where: str, *, log: Log
) -> Network:
    if student.plan is not None:
        raise ConfigError(
            [Problem("student.weights", f"{config.student.weights} has been pruned already")],
            where=where,
            hint="a network is pruned once: name weights of the whole one, or prune nothing more",
        )
    if isinstance(config, DistillConfig):
        check_fingerprint(found.student, student.source.loaded.program, key="student", where=where)
    summary = prune_values(student.main, student.scope, found.prune, place=place, where=where)
    before, after = summary.params
    log(f"pruned: {len(summary.shapes)} parameters, from {before:,} to {after:,} elements")
    pruned = student.reshaped(summary.plan)
    verify_shapes(pruned.main, pruned.scope, summary)
    return pruned
