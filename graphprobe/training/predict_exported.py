"""What a trained exported program finds in images, by the kind of one of its outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.config import TrainSection
from graphprobe.data.draw_boxes import marks_of_detections
from graphprobe.data.metrics.agreement_types import OutputPair
from graphprobe.data.preparation import InputPlan, Pixels, Placement
from graphprobe.data.sample import IGNORE, Dataset, Sample
from graphprobe.data.transforms import resize_mask
from graphprobe.errors import UsageError
from graphprobe.training.evaluate import run_feed
from graphprobe.training.feeding.inputs import eval_plan
from graphprobe.training.labelled import boxes_in_original, frame_of
from graphprobe.training.predict import Found, Skipped, read_or_skip
from graphprobe.training.runtime.programs import keep_needed
from graphprobe.training.trained import Trained

# The kinds of outputs that can be drawn or listed, the most useful first.
READABLE = ("boxes", "map labels", "map scores", "mask", "scores", "labels")
_MASK_AT = 0.5
_MOST_RANKS = 5


def find_in_images(
    section: TrainSection,
    trained: Trained,
    output: OutputPair,
    dataset: Dataset,
    place: Any,
    *,
    threshold: float,
) -> Iterator[Found | Skipped]:
    """What the program finds in each image, in order, each prepared as the file beside it states.

    Args:
        section: of the run's config.
        trained: an exported program, built for inference.
        output: which of its outputs is read, of a kind in `READABLE`; its student's names.
        dataset: of images.
        place: where it runs.
        threshold: boxes scored lower are left out.

    Raises:
        UsageError: it gives boxes in images of which parts were cut away.
        DataError: nothing states how images are prepared.
    """
    plan = eval_plan(section, trained.built)
    assert plan is not None  # noqa: S101 - it is exported
    names = output.student_names
    main = trained.built.main.clone()
    keep_needed(main, names)
    built = replace(trained.built, main=main, outputs={name: name for name in names})
    frame = frame_of(built, plan)
    if output.kind == "boxes" and frame != "original" and plan.cuts:
        raise UsageError(
            f"gives boxes ({output.student}) of what is left of an image that parts were cut from, "
            "so their place in it is not known",
            where=trained.network.text,
            hint="state a preparation that cuts nothing: train.preparation",
        )
    executor = paddle.static.Executor(place)
    for index in range(len(dataset)):
        sample = read_or_skip(dataset, index)
        if isinstance(sample, Skipped):
            yield sample
            continue
        arrays, pixels = plan.prepare_with(sample.image)
        feed = {name: array[None] for name, array in arrays.items()}
        found = run_feed(executor, built, feed, trained.scope)
        yield _found(output, sample, found, plan, pixels, frame, threshold)


def _found(
    output: OutputPair,
    sample: Sample,
    found: list[NDArray[Any]],
    plan: InputPlan,
    pixels: Pixels,
    frame: str,
    threshold: float,
) -> Found:
    values = found[0]
    if output.kind == "boxes":
        rows = values.reshape(-1, values.shape[-1]) if values.size else np.zeros((0, 6))
        if output.student_count:
            rows = rows[: int(np.asarray(found[1]).sum())]
        if frame != "original":
            rows = boxes_in_original(rows, Placement.of(pixels), frame)
        return Found(sample, tuple(marks_of_detections(rows, threshold)))
    if output.kind in ("scores", "labels"):
        return Found(sample, (), ranking=_ranking(output, values))
    if output.kind == "map scores":
        values = values.argmax(output.axis)
    elif output.kind == "mask":
        values = values > _MASK_AT
    numbers = values.reshape(values.shape[-2:])
    fits = not numbers.size or numbers.max() <= IGNORE
    labels: NDArray[Any] = (
        numbers.astype(np.uint8) if fits else np.maximum(numbers, 0).astype(np.int32)
    )
    shown = labels if plan.cuts else Placement.of(pixels).shown(labels)
    return Found(sample, (), resize_mask(shown, *sample.size))


def _ranking(output: OutputPair, values: NDArray[Any]) -> tuple[tuple[int, float | None], ...]:
    """The best classes with their scores, the best first.

    Raises:
        UsageError: there is more than one answer an image, as of a text recogniser.
    """
    flat = values.reshape(-1)
    if output.kind == "labels" and flat.size == 1:
        return ((int(flat[0]), None),)
    if output.kind == "labels" or flat.size != values.shape[output.axis]:
        raise UsageError(
            f"{output.student} {list(values.shape)} has more than one answer an image, which "
            "nothing here can draw",
            where="predict",
            hint="export it for the code that reads the original's outputs",
        )
    best = np.argsort(-flat, kind="stable")[:_MOST_RANKS]
    return tuple((int(label), float(flat[label])) for label in best)
