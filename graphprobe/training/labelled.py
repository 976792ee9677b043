"""An exported program measured by labels: which of its outputs they are held against, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from graphprobe.config import TrainSection
from graphprobe.data.answer import Answer
from graphprobe.data.eval_batches import TRUTH
from graphprobe.data.preparation import InputPlan, Placement
from graphprobe.data.sample import Arrays, Dataset
from graphprobe.data.transforms import resize_mask
from graphprobe.errors import DataError, TrainError
from graphprobe.ops.kinds import prior_boxes
from graphprobe.training.evaluate import Evaluator, choose_metric, split_rows
from graphprobe.training.feeding.cached_dataset import CachedBatches
from graphprobe.training.feeding.feeding import eval_batches
from graphprobe.training.runtime.programs import keep_needed, read_names
from graphprobe.zoo import Built

# Inputs that state how an image was resized: a program that reads them gives the original's boxes.
SIZE_INPUTS = frozenset({"scale", "info", "original", "original3"})
_MASK_AT = 0.5
_BOX_NUMBERS = 6


class LabelledEvaluator(Evaluator):
    """Holds one output of an exported program against labels.

    Args:
        built: the program, built for evaluation.
        section: of the config.
        val: what to measure on.
        place: where it runs.
        answer: which output, and what its classes are.
        keep: bytes of batches that stay in memory, to be measured many times.

    Raises:
        ConfigError: ``train.metric`` does not measure what the data have.
    """

    def __init__(
        self,
        built: Built,
        section: TrainSection,
        val: Dataset,
        place: Any,
        answer: Answer,
        keep: int = 0,
    ) -> None:
        part = built_part(built, answer.output.names)
        uncounted = answer.output.kind == "boxes" and not answer.output.count
        if uncounted or takes_one(built):
            section = section.model_copy(update={"batch_size": 1})
        metric = choose_metric(section, val.task)
        batches = eval_batches(section, val, part)
        super().__init__(part, CachedBatches(batches, keep) if keep else batches, place, metric)
        self._answer = answer
        self._frame = frame_of(part, batches.inputs)
        self._own = np.full(max(answer.classes) + 1, -1)  # class of the program -> of the data
        self._own[list(answer.classes)] = np.arange(len(answer.classes))

    @property
    def read(self) -> tuple[str, ...]:
        """The outputs that are read."""
        return self._answer.output.names

    def _best(self, found: list[NDArray[Any]]) -> NDArray[np.integer[Any]]:
        values = self._finite(found[0])
        if self._answer.output.kind == "labels":
            return self._of_data(values.reshape(len(values), 1))
        scores = values.reshape(len(values), values.shape[self._answer.output.axis])
        return self._of_data(np.argsort(-scores, axis=1, kind="stable"))

    def _boxes(self, batch: Arrays, found: list[NDArray[Any]]) -> list[NDArray[Any]]:
        values, images = self._finite(found[0]), len(batch["im_size"])
        is_rows = values.size and values.shape[-1] == _BOX_NUMBERS
        rows = values.reshape(-1, _BOX_NUMBERS) if is_rows else np.zeros((0, _BOX_NUMBERS))
        counts = found[1].reshape(-1) if self._answer.output.count else np.array([len(rows)])
        if len(counts) != images or counts.sum() > len(rows):
            raise DataError(
                f"{list(values.shape)} with {len(counts)} counts is no list of boxes of {images} "
                "images",
                where=self._answer.output.name,
            )
        parts = split_rows(rows, counts)
        places = batch[TRUTH + "place"]
        return [self._placed(part, row) for part, row in zip(parts, places, strict=True)]

    def _placed(self, rows: NDArray[Any], place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows of one image with the data's classes and corners in the original's pixels."""
        found = boxes_in_original(rows, Placement.from_row(place), self._frame)
        found[:, 0] = self._of_data(found[:, 0])
        return found[found[:, 0] >= 0]

    def _map(self, batch: Arrays, found: list[NDArray[Any]]) -> NDArray[np.integer[Any]]:
        values, truth = self._finite(found[0]), batch[TRUTH + "mask"]
        labels = np.zeros(truth.shape, np.int64)
        sizes = batch["im_size"].tolist()
        rows = zip(labels, self._scores(values), batch[TRUTH + "place"], sizes, strict=True)
        for row, image, place, (height, width) in rows:
            shown = Placement.from_row(place).shown(image)
            row[:height, :width] = self._of_data(labels_at(shown, height, width))
        return labels

    def _scores(self, values: NDArray[Any]) -> NDArray[Any]:
        """Scores [N, C, h, w] of classes, or their numbers [N, 1, h, w]."""
        output = self._answer.output
        if output.kind == "map scores":
            return np.moveaxis(values, output.axis, 1)
        sides = values.shape[-2:]
        numbers = values > _MASK_AT if output.kind == "mask" else values
        return numbers.reshape(len(values), 1, *sides)

    def _of_data(self, numbers: NDArray[Any]) -> NDArray[np.integer[Any]]:
        """Classes of the data; -1 for those that it does not have."""
        inside = (numbers >= 0) & (numbers < len(self._own))
        return np.where(inside, self._own[np.where(inside, numbers, 0).astype(np.int64)], -1)

    def _finite(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise TrainError(
                "holds numbers that are not finite",
                where=self._answer.output.name,
                hint="the training has failed; lower the learning rate",
            )
        return values


def labels_at(values: NDArray[Any], height: int, width: int) -> NDArray[np.int64]:
    """Classes of pixels at another size.

    Args:
        values: scores [C, h, w], enlarged linearly as networks do it before the best is chosen; or
            numbers of classes [1, h, w], of which the nearest are taken.
        height: of the result.
        width: of the result.
    """
    if len(values) > 1 and height >= values.shape[1] and width >= values.shape[2]:
        each = [Pillow.fromarray(scores.astype(np.float32)) for scores in values]
        size = (width, height)
        large = [np.asarray(one.resize(size, Pillow.Resampling.BILINEAR)) for one in each]
        best: NDArray[np.int64] = np.stack(large).argmax(0)
        return best
    numbers = values.argmax(0) if len(values) > 1 else values[0].astype(np.int64)
    return resize_mask(numbers.astype(np.int32), height, width).astype(np.int64)


def frame_of(part: Built, plan: InputPlan | None) -> str:
    """What the corners of a program's boxes are: of the original, of its input, or shares of it.

    Args:
        part: the part that makes the boxes.
        plan: what its inputs are fed; None where they are fed arrays.
    """
    read = read_names(part.main)
    if plan is not None and any(
        kind in SIZE_INPUTS and name in read for name, kind in plan.others.items()
    ):
        return "original"
    made = [prior_boxes(op.type) for op in part.main.global_block().ops]
    return "shares" if any(boxes is not None and boxes.shares for boxes in made) else "input"


def boxes_in_original(rows: NDArray[Any], place: Placement, frame: str) -> NDArray[np.float64]:
    """Rows of boxes with their corners in the original's pixels.

    Args:
        rows: class, score, left, top, right, bottom.
        place: where the image lies in the program's input.
        frame: from `frame_of`.
    """
    found = np.array(rows, np.float64)
    if frame == "shares":
        found[:, 2:] *= np.array([place.whole[1], place.whole[0]] * 2)
    if frame != "original":
        found[:, 2:] = place.to_original(found[:, 2:])
    return found


def built_part(built: Built, names: Sequence[str]) -> Built:
    """The part of a network that computes some of its variables, which are its outputs then."""
    main = built.main.clone()
    keep_needed(main, names)
    return replace(built, main=main, outputs={name: name for name in names})


def takes_one(built: Built) -> bool:
    """Whether the program states that a batch has one image."""
    return any(shape[:1] == (1,) for _, shape, _ in built.feeds if len(shape) == 4)
