"""From the data section of a config to batches that fit a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from graphprobe.config import TrainSection
from graphprobe.data.augmentation import Augmentation
from graphprobe.data.batches import TrainBatches
from graphprobe.data.eval_batches import EvalBatches
from graphprobe.data.open import open_data
from graphprobe.data.sample import Dataset
from graphprobe.data.targets import PLAIN, Targets, choose_targets
from graphprobe.errors import ConfigError, DataError, Problem, listed
from graphprobe.training.distributed.ranks import rank, world_size
from graphprobe.training.feeding.cached_dataset import CachedDataset
from graphprobe.training.feeding.inputs import eval_plan, has_one_size, train_plan
from graphprobe.zoo import EXPORTED, Built


@dataclass(frozen=True)
class DataSets:
    """The samples of a run; `val` is None where the config names none."""

    train: Dataset
    val: Dataset | None


def open_sets(section: TrainSection, built: Built) -> DataSets:
    """Open what a config names and hold it against the network.

    Raises:
        DataError: a set cannot be opened, or its task or number of classes is another.
    """
    val = None if section.data.val is None else _open(section.data.val, "val", built)
    train = _open(section.data.train, "train", built)
    limit = section.data.cache_mb * 1_000_000 // max(section.workers, 1)
    return DataSets(CachedDataset(train, limit) if limit else train, val)


def open_validation(section: TrainSection, built: Built) -> Dataset:
    """Open the validation set alone.

    Raises:
        DataError: as `open_sets`, or the config names none.
    """
    if section.data.val is None:
        hint = "set train.data.val, as voc:PATH?split=val"
        raise DataError("the config names no validation data", where="train.data.val", hint=hint)
    return _open(section.data.val, "val", built)


def _open(spec: str, key: str, built: Built) -> Dataset:
    try:
        found = open_data(spec)
    except DataError as error:
        where = f"train.data.{key}: {error.where}" if error.where else f"train.data.{key}"
        raise DataError(error.message, where=where, hint=error.hint) from error
    if built.task == EXPORTED:
        if key == "train":
            _refuse_other_labels(found, built, spec)
        return found  # its batches report what they lack: what is fed is known once its pairs are
    if found.task in ("images", "arrays"):
        _refuse_missing_inputs(found, built, spec)
        return found
    if found.task != built.task:
        raise DataError(
            f"train.data.{key} is for {found.task}, the network for {built.task}", where=spec
        )
    classes, wanted = len(found.class_names), built.meta["num_classes"]
    if classes != wanted:
        raise DataError(
            f"has {classes} classes ({listed(found.class_names)}), the network {wanted}",
            where=spec,
            hint=f"set train.data.{key}, or name the program with num_classes={classes}",
        )
    return found


def _refuse_other_labels(data: Dataset, built: Built, spec: str) -> None:
    """Hold data against what the loss of an exported program learns from, if it has one.

    Raises:
        DataError: their labels are of another kind, or of other classes.
    """
    task, classes = built.meta.get("labels", (data.task, len(data.class_names)))
    if (task, classes) == (data.task, len(data.class_names)):
        return
    found = f"{data.task} of {len(data.class_names)} classes"
    raise DataError(
        f"is {found}, and the task of the config is {task} of {classes}",
        where=spec,
        hint="set task to null, or take the data that it was made for",
    )


def _refuse_missing_inputs(data: Dataset, built: Built, spec: str) -> None:
    """Hold data without labels against what a network is fed.

    Raises:
        DataError: they lack one of its inputs.
    """
    there = {"image", "im_size", "im_id"}
    if built.task == EXPORTED and data.task == "images":
        return  # its plan fills all inputs, or names those that it does not know
    if data.task == "arrays":
        there = set(data.sample(0).arrays or {})
    missing = [name for name, _, _ in built.feeds if name not in there]
    if missing:
        raise DataError(
            f"has no {listed(missing)}, which the network is fed",
            where=spec,
            hint="take data with labels, or a network without losses of its own",
        )


def check_sizes(section: TrainSection, built: Built, key: str, *, where: str = "") -> None:
    """Hold the image size of a config against a network whose input fixes one.

    Raises:
        ConfigError: they differ; images of another size could not be fed.
    """
    size = built.meta.get("size")
    if size is None:
        return
    fixed = (size, size) if isinstance(size, int) else size
    square = fixed[0] == fixed[1] and section.preparation.size is None
    own = "image_size" if square else "preparation.size"
    given = {own: (section.input_size,), "augment.sizes": [(s, s) for s in section.augment.sizes]}
    problems = [
        Problem(f"train.{path}", f"{_sides(found)}, but the {key}'s program takes {_by(fixed)}")
        for path, sizes in given.items()
        for found in sizes
        if found != fixed
    ]
    if problems:
        value = fixed[0] if square else list(fixed)
        hint = f"train.{own}={value} and train.augment.sizes=[] fit"
        raise ConfigError(problems, where=where, hint=hint)


def _sides(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else _by(size)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def make_augmentation(section: TrainSection, meta: dict[str, Any]) -> Augmentation:
    """The augmentations of a config with what the network wants of its images."""
    augment = section.augment
    made = Augmentation(
        sizes=augment.sizes or (section.image_size,),
        distort=augment.distort,
        expand=augment.expand,
        crop=augment.crop,
        flip=augment.flip,
        mixup=augment.mixup,
        **_norms(meta),
    )
    # an exported program is trained on images as they are
    return replace(made, scale=(1.0, 1.0)) if "program" in meta else made


def _norms(meta: dict[str, Any]) -> dict[str, Any]:
    wanted = {"mean": "image_mean", "std": "image_std"}
    norms: dict[str, Any] = {to: tuple(meta[key]) for to, key in wanted.items() if key in meta}
    return {**norms, "bgr": meta.get("image_channels", "rgb") == "bgr"}


def train_batches(section: TrainSection, dataset: Dataset, built: Built) -> TrainBatches:
    """The endless list of training batches of a run; of several processes, each has its part.

    Args:
        built: the network; its inputs are what a batch holds.

    Raises:
        DataError: nothing makes one of the inputs.
    """
    if built.task == EXPORTED and dataset.task in ("images", "arrays"):
        _refuse_missing_inputs(dataset, built, section.data.train)
    return TrainBatches(
        dataset,
        make_augmentation(section, built.meta),
        section.batch_size * world_size(),
        seed=section.seed,
        shard=(rank(), world_size()),
        targets=_targets(dataset, built),
        mixup_until=section.augment.mixup_until or None,
        inputs=None if dataset.task == "arrays" else train_plan(section, built),
        wanted=frozenset(name for name, _, _ in built.feeds),
    )


def _targets(dataset: Dataset, built: Built) -> Targets:
    if dataset.task in ("images", "arrays"):
        return PLAIN  # nothing is made of what has no labels
    filled: set[str] = set()
    if built.task == EXPORTED:
        filled = set(built.meta["program"].feeds)
    return choose_targets([n for n, _, _ in built.feeds if n not in filled], built.meta)


def eval_batches(section: TrainSection, dataset: Dataset, built: Built) -> EvalBatches:
    """The validation set once, in order."""
    plan = None if dataset.task == "arrays" else eval_plan(section, built)
    batch = section.batch_size if plan is None or has_one_size(plan) else 1
    augmentation = make_augmentation(section, built.meta)
    return EvalBatches(dataset, section.image_size, batch, augmentation, plan)
