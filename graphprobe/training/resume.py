"""Go on with a run from one of its checkpoints."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.config import Config
from graphprobe.errors import CheckpointError
from graphprobe.training.assemble import Assembly
from graphprobe.training.distributed.ranks import world_size
from graphprobe.training.loop import Outcome
from graphprobe.training.networks.build import put_weights
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.process import thread_count
from graphprobe.training.runtime.programs import set_values
from graphprobe.training.weights.checkpoint import (
    Checkpoint,
    read_checkpoint,
    read_newest,
    refuse_old_run,
)
from graphprobe.training.weights.read import check_weights
from graphprobe.version import __version__


def find_checkpoint(output: Path, resume: str | None, log: Log) -> Checkpoint | None:
    """The checkpoint that a run goes on from; None where it starts anew.

    Args:
        output: the run's folder.
        resume: a checkpoint's folder, ``auto`` for the newest whole one of the run, or None.
        log: takes a line where ``auto`` finds none.

    Raises:
        CheckpointError: it is missing or damaged, or the folder holds a run and `resume` is None.
    """
    root = output / "checkpoints"
    if resume is None:
        refuse_old_run(output)
        return None
    found = read_newest(root, log) if resume == "auto" else read_checkpoint(Path(resume))
    if found is None:
        log(f"{root}: no checkpoint yet, starting at iteration 0")
    return found


def restore(parts: Assembly, found: Checkpoint, config: Config, log: Log) -> Outcome:
    """Load a checkpoint's weights and optimizer, and report what differs from its run.

    Raises:
        CheckpointError: it is of another network, or the teacher has other weights now.
    """
    where = str(found.path)
    wanted = {name: _shape(parts, name) for name in parts.engine.optimizer_names}
    put_weights(
        parts.student.scope,
        parts.place,
        found.weights,
        {name: _shape(parts, name) for name in parts.weights},
        parts.student.main,
        where=where,
    )
    check_weights(found.optimizer, wanted, where=where)
    set_values(parts.student.scope, parts.place, found.optimizer)
    if found.state.get("teacher_sha256") != parts.teacher_sha256:
        raise CheckpointError(
            "the teacher's weights are not those that this run began with", where=where
        )
    for line in _differences(found.state.get("config"), config.model_dump(mode="json")):
        log(f"warning: since {where} the config has changed: {line}")
    for line in _differences(*_known_of(found.state, surroundings())):
        why = "its batches are others" if line.startswith("processes") else "roundings differ"
        log(f"warning: since {where} {line}: the run is no longer equal to the bit, {why}")
    log(f"resuming {where} at iteration {found.iteration}")
    return Outcome(
        found.iteration,
        found.state.get("metric_value"),
        found.state.get("best"),
        found.state.get("best_iteration"),
    )


def _shape(parts: Assembly, name: str) -> tuple[int, ...]:
    return tuple(parts.student.main.global_block().var(name).shape)


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Lines ``key: old -> new`` for what two plain documents do not share."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        dot = f"{path}." if path else ""
        return [d for k in keys for d in _differences(old.get(k), new.get(k), f"{dot}{k}")]
    return [] if old == new else [f"{path}: {old} -> {new}"]


def _known_of(state: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a checkpoint records of these surroundings, and the same of now."""
    known = {key: state[key] for key in now if key in state}
    return known, {key: now[key] for key in known}


def surroundings() -> dict[str, Any]:
    """What else the bits of a run depend on."""
    versions = {
        "graphprobe": __version__,
        "paddle": paddle.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    return {"threads": str(thread_count()), "processes": world_size(), "versions": versions}
