"""What a checkpoint records of the run that wrote it: its config, its data, its classes.

Evaluation, inference and export go by it, so that weights are not measured on other data than
they were trained for only because a config names others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.config import Config, TrainSection, is_named
from graphprobe.data.sample import Dataset
from graphprobe.errors import CheckpointError, ConfigError, DataError, Problem, listed
from graphprobe.training.weights.checkpoint import (
    checkpoint_folders,
    is_checkpoint,
    read_best,
    read_state,
)
from graphprobe.yaml_io import read_yaml

if TYPE_CHECKING:  # it imports paddle
    from graphprobe.training.networks.build import Network

# The config of a run, overrides applied and the schedule scaled, in its folder.
CONFIG = "config.yaml"
# What a trained network keeps of its run: keys of the section `train`.
_KEPT = (("data", "train"), ("data", "val"), ("image_size",), ("metric",))


@dataclass(frozen=True)
class RunRecord:
    """The state of one checkpoint, without its arrays.

    Args:
        path: of the checkpoint.
        state: as it was written.
    """

    path: Path
    state: dict[str, Any]

    @property
    def train(self) -> dict[str, Any]:
        """The section ``train`` of the run's config; empty where the checkpoint has none."""
        config = self.state.get("config")
        section = config.get("train") if isinstance(config, dict) else None
        return section if isinstance(section, dict) else {}


def find_record(config: Config, checkpoint: str, weights: str | None = None) -> RunRecord | None:
    """What is known of the weights that `open_trained` will take; None where nothing is.

    Args:
        config: of any kind.
        checkpoint: a checkpoint's folder, a run's, or ``auto`` for the run of the config.
        weights: weights in any form, taken instead.
    """
    if weights is None:
        weights = config.train.output if checkpoint == "auto" else checkpoint
    path = Path(weights).expanduser()
    if not is_checkpoint(path):
        root = path / "checkpoints"
        best = read_best(root)
        folders = checkpoint_folders(root) if best is None else [best]
        if not folders:
            return None
        path = folders[-1]
    try:
        return RunRecord(path, read_state(path))
    except CheckpointError:
        return None  # whoever reads the arrays reports what is wrong


def read_run(folder: Path) -> dict[str, Any]:
    """The config of a run, as plain data, with the folder as its ``train.output``.

    Args:
        folder: of the run, or of one of its checkpoints.

    Raises:
        ConfigError: it holds no run.
        GraphprobeError: the run's config cannot be read.
    """
    if is_checkpoint(folder):
        run, config = folder.parents[1], read_state(folder).get("config")
    else:
        run, config = folder, None
        newest = checkpoint_folders(folder / "checkpoints")[-1:]
        if newest:
            config = read_state(newest[0]).get("config")
        elif (folder / CONFIG).is_file():
            config = read_yaml(folder / CONFIG)
    if not isinstance(config, dict) or not isinstance(config.setdefault("train", {}), dict):
        raise ConfigError(
            [Problem("", "a folder that holds no run")],
            where=str(folder),
            hint="name a config, or the folder that train wrote into",
        )
    config["train"]["output"] = str(run)
    pruning = config.get("prune")
    if isinstance(pruning, str) and not Path(pruning).exists():
        beside = run / Path(pruning).name  # the run's folder has been moved
        config["prune"] = str(beside) if beside.is_file() else pruning
    return config


def as_trained(
    config: Config, record: RunRecord | None, overrides: Sequence[str], *, where: str
) -> tuple[Config, list[str]]:
    """The config with the data, the image size and the metric that its weights were trained with.

    Args:
        config: of any kind.
        record: of the weights.
        overrides: as ``train.image_size=320``: what they name stays as it is.
        where: the config's file.

    Returns:
        the config, and a line for each value that it had otherwise.
    """
    if record is None:
        return config, []
    document = config.train.model_dump(mode="json")
    lines = []
    for path in _KEPT:
        name = ".".join(("train", *path))
        given, own = _at(document, path), _at(record.train, path)
        if own is None or own == given or is_named(name, overrides):
            continue
        _put(document, path, own)
        lines.append(
            f"warning: {name} is {given} in {where}, and {own} in the run that trained these "
            "weights: the run's is taken, unless an override names it"
        )
    if not lines:
        return config, []
    return config.model_copy(update={"train": TrainSection.model_validate(document)}), lines


def compare_class_names(
    trained: Sequence[str], data: Sequence[str], *, spec: str, source: str
) -> list[str]:
    """Hold the classes of data against those that weights were trained on.

    Args:
        trained: of the weights; empty where they name none.
        data: of the data.
        spec: names the data.
        source: names the weights.

    Returns:
        lines for names that differ where others are the same; none where all are equal.

    Raises:
        DataError: the same names in another order, or no name in common: whatever was measured
            would mean nothing.
    """
    how = _difference(trained, data)
    if how is None:
        return []
    about = f"has the classes {listed(data)}; {source} was trained on {listed(trained)}"
    if how == "order":
        raise DataError(
            f"{about}: the same in another order",
            where=spec,
            hint="list them in the order of the training, with ?labels=FILE where the kind of "
            "data takes it",
        )
    if how == "all":
        raise DataError(
            about, where=spec, hint="name the data that it was trained for, or other weights"
        )
    return [f"warning: {spec} {about}"]


def teacher_warnings(teacher: Network | None, data: Dataset) -> list[str]:
    """A line where a teacher was trained on other classes than those of the data.

    It is no error, for what it teaches may be features that know no classes.
    """
    if teacher is None or _difference(teacher.class_names, data.class_names) is None:
        return []
    return [
        f"the teacher was trained on the classes {listed(teacher.class_names)}; the data have "
        f"{listed(data.class_names)}"
    ]


def _difference(trained: Sequence[str], data: Sequence[str]) -> str | None:
    """``order``, ``all`` or ``some``: what differs between two lists of classes."""
    ours, theirs = [[name.casefold() for name in names] for names in (trained, data)]
    if not trained or not data or ours == theirs:
        return None
    if sorted(ours) == sorted(theirs):
        return "order"
    return "some" if len(trained) == 1 or set(ours) & set(theirs) else "all"


def _at(document: Any, path: Sequence[str]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value
