"""Measure a network on labelled data: mAP or AP of boxes, mean IoU of masks, top-1 of classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.config import TrainSection
from graphprobe.data.eval_batches import TRUTH, EvalBatches, split_truth, truths
from graphprobe.data.metrics.agreement_types import AgreementResult
from graphprobe.data.metrics.coco_ap import CocoAp
from graphprobe.data.metrics.miou import Miou
from graphprobe.data.metrics.names import COCO, ELEVEN_POINT, INTEGRAL, LABELS, MIOU, TOP1
from graphprobe.data.metrics.top_k import TopK
from graphprobe.data.metrics.voc_map import VocMap
from graphprobe.data.open import parse_spec
from graphprobe.data.sample import Arrays, Dataset
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.feeding.cached_dataset import CachedBatches
from graphprobe.training.feeding.feeding import eval_batches
from graphprobe.waits import waiting_for
from graphprobe.zoo import Built


@dataclass(frozen=True)
class Score:
    """A metric, its value from 0 to 1, each class's, and what else belongs to it, by name.

    None stands where no object of a class or size is there to be found. `agreement` has all figures
    where the metric is agreement with a teacher.
    """

    metric: str
    value: float
    classes: tuple[tuple[str, float | None], ...]
    more: tuple[tuple[str, float | None], ...] = ()
    agreement: AgreementResult | None = None


class Evaluator:
    """Runs an evaluation program over a data set.

    Args:
        built: a network built for evaluation.
        batches: what to measure on.
        place: where it runs.
        metric: a key of `LABELS`.
    """

    def __init__(
        self, built: Built, batches: EvalBatches | CachedBatches, place: Any, metric: str
    ) -> None:
        self._built, self._batches = built, batches
        self._executor = paddle.static.Executor(place)
        self.metric = metric

    @property
    def label(self) -> str:
        """The metric as people call it."""
        return LABELS[self.metric]

    @property
    def image_size(self) -> tuple[int, int] | None:
        """H and W of what the network sees, in pixels; None where each image has its own."""
        return self._batches.image_size

    @property
    def batch_count(self) -> int:
        """Batches of an evaluation."""
        return len(self._batches)

    def run(self, scope: Any) -> Score:
        """Measure with the weights of a scope."""
        with waiting_for(f"measuring on {len(self._batches.dataset):,} samples"):
            if self.metric == MIOU:
                return self._segmentation(scope)
            if self.metric == TOP1:
                return self._classification(scope)
            return self._detection(scope)

    def outputs(self, scope: Any) -> Iterator[tuple[dict[str, Any], list[NDArray[Any]]]]:
        """Each batch with what the network makes of it."""
        for number in range(len(self._batches)):
            batch = self._batches.batch(number)
            feed, _ = split_truth(batch)
            yield batch, run_feed(self._executor, self._built, feed, scope)

    def _detection(self, scope: Any) -> Score:
        names = self._batches.dataset.class_names
        measure = CocoAp(names) if self.metric == COCO else VocMap(names)
        for batch, found in self.outputs(scope):
            rows = self._boxes(batch, found)
            for detections, truth in zip(rows, truths(batch), strict=True):
                given = (detections, truth.boxes, truth.classes, truth.difficult)
                if isinstance(measure, CocoAp):
                    measure.add(*given, truth.areas)
                else:
                    measure.add(*given)
        return _coco_score(measure) if isinstance(measure, CocoAp) else self._voc_score(measure)

    def _voc_score(self, measure: VocMap) -> Score:
        result = measure.result()
        eleven = self.metric == ELEVEN_POINT
        classes = tuple((c.name, c.eleven_point if eleven else c.integral) for c in result.classes)
        return Score(self.metric, result.value(self.metric), classes)

    def _segmentation(self, scope: Any) -> Score:
        measure = Miou(self._batches.dataset.class_names)
        for batch, found in self.outputs(scope):
            measure.add(self._map(batch, found), batch[TRUTH + "mask"])
        result = measure.result()
        return Score(MIOU, result.miou, result.classes)

    def _classification(self, scope: Any) -> Score:
        measure = TopK(self._batches.dataset.class_names)
        for batch, found in self.outputs(scope):
            measure.add(self._best(found), batch[TRUTH + "label"])
        result = measure.result()
        more = () if result.top5 is None else (("top-5", result.top5),)
        return Score(TOP1, result.top1, result.classes, more)

    def _boxes(self, _batch: Arrays, found: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """The rows of each image: class, score, corners in its pixels."""
        by_role = dict(zip(self._built.outputs, found, strict=True))
        return split_rows(by_role["bbox"], by_role["bbox_num"])

    def _map(self, _batch: Arrays, found: list[NDArray[Any]]) -> NDArray[np.integer[Any]]:
        """The classes of pixels, in the shape of the masks."""
        return labels_of(found[0])

    def _best(self, found: list[NDArray[Any]]) -> NDArray[np.integer[Any]]:
        """The best classes of each image [N, K], the best first."""
        return np.argsort(-found[0], axis=1, kind="stable")


def _coco_score(measure: CocoAp) -> Score:
    result = measure.result()
    more = (
        ("AP50", result.ap50),
        ("AP75", result.ap75),
        ("AP small", result.small),
        ("AP medium", result.medium),
        ("AP large", result.large),
    )
    return Score(COCO, result.ap or 0.0, result.classes, more)


def run_feed(
    executor: Any, built: Built, feed: dict[str, NDArray[Any]], scope: Any
) -> list[NDArray[Any]]:
    """What a network makes of one batch, in the order of its outputs.

    Args:
        executor: of Paddle.
        built: a network for evaluation or inference.
        feed: arrays by name; those that are none of its inputs are left out.
        scope: its weights.
    """
    names = {name for name, _, _ in built.feeds}
    found = executor.run(
        built.main,
        feed={name: array for name, array in feed.items() if name in names},
        fetch_list=list(built.outputs.values()),
        scope=scope,
        # Lists of boxes may have a LoD, which Paddle does not make into arrays by itself.
        return_numpy=False,
    )
    return [np.array(array) for array in found]


def labels_of(output: NDArray[Any]) -> NDArray[np.uint8]:
    """Class numbers [N, H, W] from scores [N, C, H, W], or from numbers of any such shape."""
    scores = output.ndim == 4 and output.shape[1] > 1
    labels = output.argmax(1) if scores else output.reshape(len(output), *output.shape[-2:])
    return labels.astype(np.uint8)


def make_evaluator(section: TrainSection, built: Built, val: Dataset, place: Any) -> Evaluator:
    """An evaluator with the batches and the metric of a config.

    Raises:
        ConfigError: the metric is not one of the network's task.
    """
    batches = eval_batches(section, val, built)
    return Evaluator(built, batches, place, choose_metric(section, built.task))


def choose_metric(section: TrainSection, task: str) -> str:
    """What ``train.metric`` names; ``auto`` is the metric that the data are published with.

    Args:
        section: of the config.
        task: of the network, or what an exported program is measured on.

    Raises:
        ConfigError: it is not one of the task.
    """
    known = METRICS.get(task, METRICS["detection"])
    if section.metric in known:
        return section.metric
    if section.metric != "auto":
        problem = Problem("train.metric", f"{section.metric} does not measure {task}")
        raise ConfigError([problem], hint=f"take auto, {' or '.join(known)}")
    is_coco = section.data.val is not None and parse_spec(section.data.val)[0] == "coco"
    return COCO if is_coco and COCO in known else known[0]


# The metrics of each kind of labels, the usual one first.
METRICS = {
    "detection": (ELEVEN_POINT, INTEGRAL, COCO),
    "segmentation": (MIOU,),
    "classification": (TOP1,),
}


def split_rows(rows: NDArray[Any], counts: NDArray[Any]) -> list[NDArray[Any]]:
    """Part the detections of a batch [K, 6] by how many each image has [N]."""
    ends = np.cumsum(np.asarray(counts).reshape(-1))
    return np.split(np.asarray(rows)[: int(ends[-1])], ends[:-1]) if len(ends) else []
