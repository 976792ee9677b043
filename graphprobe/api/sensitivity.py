"""Measure what pruning each group alone costs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.arguments import PatternLike, pattern
from graphprobe.api.early import refuse_preparation, refuse_program, refuse_weights
from graphprobe.api.pairs import find_pairs
from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table, count_text
from graphprobe.api.run_programs import is_exported, is_run, ref_of
from graphprobe.api.settings import override_words
from graphprobe.errors import AnswerIsNo, UsageError
from graphprobe.programs import LoadedProgram, ProgramCache, ProgramLike, load
from graphprobe.pruning.decisions import policy_of

if TYPE_CHECKING:
    from graphprobe.config import PruneConfig
    from graphprobe.config.sensitivity import Sensitivity
    from graphprobe.data.metrics.agreement_types import OutputPair
    from graphprobe.drawing.pages.heatmap import HeatMap
    from graphprobe.training.reporting.progress import Log

RATIOS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, repr=False)
class SensitivityResult(Result):
    """What pruning each group costs.

    Args:
        record: all that was measured.
        path: the file that holds it; `find_prunable` takes either as ``sensitivity``.
    """

    record: Sensitivity
    path: Path

    def summary(self) -> str:
        """How many groups at how many ratios."""
        groups = count_text(len(self.record.groups), "group")
        metric, value = self.record.measured.metric, self.record.baseline
        return f"{groups} at {len(self.record.ratios)} ratios, {metric} unpruned {value:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """The record."""
        found: dict[str, Any] = self.record.model_dump(mode="json")
        return found

    def to_rows(self) -> Table:
        """A row a measurement."""
        metric = self.record.measured.metric
        head = ("group", "filter", "channels", "ratio", "kept", metric, "loss", "flops")
        return head, [
            (g.group, g.convs[0], g.channels, p.ratio, p.kept, p.value, p.loss, p.flops)
            for g in self.record.groups
            for p in g.points
        ]

    def heatmap(self) -> HeatMap:
        """The losses as a drawing: a row a group, a column a ratio."""
        from graphprobe.drawing.pages.heatmap import HeatMap, HeatRow

        ratios, lines = self.record.ratios, []
        for group in self.record.groups:
            losses = {point.ratio: point.loss for point in group.points}
            cells = tuple(losses.get(ratio) for ratio in ratios)
            most = max((point.flops for point in group.points), default=0.0)
            lines.append(HeatRow(group.convs[0], str(group.channels), cells, most))
        return HeatMap(
            f"Sensitivity of {self.record.measured.program}",
            (*self.about(), "loss of the metric when the group alone is pruned, by ratio"),
            tuple(f"{ratio:g}" for ratio in ratios),
            tuple(lines),
            "multiply-adds saved",
        )

    def render(self, format: str = "svg") -> bytes:
        """The heat map as ``svg``, ``png`` or ``pdf``."""
        from graphprobe.drawing.pages.heatmap import render_heatmap

        return render_heatmap(self.heatmap(), format)

    def about(self) -> tuple[str, str]:
        """What was measured, and how: two lines."""
        from graphprobe.data.metrics.names import LABELS_OF_PRUNING

        bound = self.record.measured
        metric = LABELS_OF_PRUNING.get(bound.metric, bound.metric)
        return (
            f"{metric} unpruned {self.record.baseline:.4f} on {bound.samples} images of "
            f"{bound.data}, {bound.image} pixels",
            f"policy {bound.policy}, channels ranked by {bound.criterion}",
        )

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()


def sensitivity(
    program: ProgramLike,
    *,
    weights: str | os.PathLike[str] | None = None,
    data: str,
    policy: str = "seeds",
    ratios: Sequence[float] = RATIOS,
    samples: int | None = None,
    image: int | None = None,
    keep: PatternLike | None = None,
    preparation: Mapping[str, Any] | None = None,
    device: str = "auto",
    output: str | os.PathLike[str] = "sensitivity.json",
    progress: Log | None = None,
) -> SensitivityResult:
    """Prune each group alone at each ratio, and measure what the network loses.

    The record is whole at any time: call again to go on after a stop.

    Args:
        program: what can be trained: ``zoo:NAME``, ``package.module:callable``, an exported
            program; or a run's folder, which stands for what it trained with its weights.
        weights: trained weights: a run's folder, a checkpoint, .npz, .pdiparams; an exported
            program has them beside it. It is measured by labels where the data have them of what
            it gives out, else by how far its tensors agree with those of the unpruned one.
        data: what to measure on, as ``voc:PATH?split=val``; not the final test set.
        policy: ``seeds``: what stands alone; ``coupled``: whole groups.
        ratios: shares of the channels that go, one by one.
        samples: measure on so many images, spread evenly; None: on all.
        image: H and W of the input; by default the program's, else 608.
        keep: groups with a filter of such a name are left out.
        preparation: of images for an exported program, as ``{"mean": [0.5], "std": [0.5]}``: what
            stands in ``train.preparation`` of a config.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        output: the .json file of the record.
        progress: takes each line about the work; by default they are logged.

    Raises:
        AnswerIsNo: nothing can be pruned.
        CheckpointError: the weights cannot be read, or are of another network.
        DataError: the data cannot be read or do not fit the network.
        UsageError: a ratio that makes no sense, or a record of something else.

    Example:
        >>> found = graphprobe.sensitivity(student, weights="runs/student", data="digits")
        >>> graphprobe.find_prunable(student, sensitivity=found.path, target_flops=0.5)
    """
    shares = _ratios(ratios)
    record = Path(output)
    refuse_program(program)
    policy_of(policy)
    pattern(keep, "keep")
    if preparation:
        refuse_preparation(program)
    refuse_weights(weights)
    from graphprobe.data.open import open_data, opened_once

    with opened_once():
        open_data(data)
    from graphprobe.config import override_config
    from graphprobe.training.runtime.dependencies import require_paddle

    require_paddle()
    from graphprobe.pairing.output_kinds import output_kinds
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.sensitivity import measure_sensitivity
    from graphprobe.training.runtime.device import choose_place

    loaded = load(program)
    loaded.require_name("program")
    if weights is None and not is_run(loaded.source) and not is_exported(loaded):
        hint = "name a run's folder, a checkpoint, .npz or .pdiparams: weights=PATH"
        raise UsageError("the weights are not named", where=loaded.source, hint=hint)
    config = _config(loaded, policy, keep, weights, data, image)
    if preparation is not None:
        update = {"train.preparation": dict(preparation)}
        overridden = override_config(config, override_words(update), where="preparation")
        config = config.model_copy(update={"train": overridden.train})
    if not config.prune.groups:
        raise AnswerIsNo("nothing to prune", where=loaded.source)
    log = reporter(progress)
    programs = ProgramCache()
    programs.load(loaded)
    found = measure_sensitivity(
        config,
        loaded.program,
        shares,
        record,
        choose_place(device, log),
        samples=samples,
        log=log,
        networks=Networks(programs),
        compared=_compared(loaded) if is_exported(loaded) else (),
        find=output_kinds,
    )
    return SensitivityResult(found, record)


def _compared(loaded: LoadedProgram) -> list[OutputPair]:
    """The tensors of an exported program by which it is held against itself unpruned."""
    from graphprobe.data.metrics.agreement_types import OutputPair
    from graphprobe.pairing.output_kinds import output_pairs

    found = [OutputPair(pair.student, pair.teacher) for pair in find_pairs(loaded, loaded)]
    return found or output_pairs(loaded.program, loaded.program)


def _ratios(ratios: Sequence[float]) -> list[float]:
    found = sorted(set(ratios))
    if not found or not all(0 < ratio < 1 for ratio in found):
        given = ",".join(f"{ratio:g}" for ratio in ratios)
        raise UsageError(
            "must be numbers above 0 and below 1",
            where=f"ratios={given}" if given else "ratios",
            hint="as 0.1,0.3,0.5",
        )
    return found


def _config(
    loaded: LoadedProgram,
    policy: str,
    keep: PatternLike | None,
    weights: str | os.PathLike[str] | None,
    data: str,
    image: int | None,
) -> PruneConfig:
    """All groups that can lose a channel, with the weights and the data to measure on."""
    from graphprobe.api.decisions import prune_findings
    from graphprobe.config import DataSection
    from graphprobe.emit import prune_config
    from graphprobe.pruning.ratios import Limits, choose

    found = prune_findings(loaded, policy)
    choice = choose(found, 0.99, limits=Limits(pattern(keep, "keep")))
    student = ref_of(loaded)
    if weights is not None:
        student = student.model_copy(update={"weights": os.fspath(weights)})
    config = prune_config(choice, loaded.program, "").model_copy(update={"student": student})
    size = image or config.train.image_size
    section = DataSection(train=data, val=data)
    train = config.train.model_copy(update={"data": section, "image_size": size})
    return config.model_copy(update={"train": train})
