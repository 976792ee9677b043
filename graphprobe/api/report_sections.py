"""The chapters of a report that follow from pruning, measurements, runs and images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.data.image_files import walk_images
from graphprobe.drawing.figures import Figures, short
from graphprobe.drawing.pages.curves import Curve, CurveSheet, Panel
from graphprobe.drawing.report.document import ImagePair, Section, Table
from graphprobe.drawing.text import clean
from graphprobe.errors import UsageError
from graphprobe.ops.work.count import work_text
from graphprobe.pruning.ratios import PruneChoice
from graphprobe.pruning.savings import group_savings

if TYPE_CHECKING:
    from graphprobe.api.runs import RunComparison
    from graphprobe.config.sensitivity import Sensitivity

_MOST_CURVES = 8
_MOST_IMAGES = 8
_SIDE = 640  # pixels


def savings(choice: PruneChoice, figures: Figures, *, planned: bool) -> Section:
    """What can be pruned, and what each group saves by itself.

    Args:
        choice: the groups and their ratios.
        figures: of the program, with milliseconds and sensitivity of its layers where given.
        planned: whether the user's config makes the choice.
    """
    if not choice.groups:
        text = "No convolution can be pruned; below is why."
        return Section("pruning", "What can be pruned, and what it saves", [text])
    before = choice.before
    found = sorted(group_savings(choice), key=lambda s: (-s.flops, s.group.number))
    head = ["leading filter", "layers", "channels", "multiply-adds less", "share", "MB less"]
    more = _measured_columns(choice, figures)
    rows = []
    for saving in found:
        group = saving.group
        share = saving.flops / before.flops if before.flops else 0.0
        row = [
            clean(group.leader),
            str(len(group.layers)),
            f"{group.channels} → {saving.kept}",
            work_text(saving.flops),
            f"{share:.1%}",
            f"{saving.megabytes:.3g}",
        ]
        rows.append((*row, *(column[group.leader] for _, column in more)))
    text = (
        "A group is a set of layers whose channels go together. Each row is what its group saves "
        "where it alone is pruned; together they save less than the sum, since neighbours share "
        "weights."
    )
    ratio = "" if planned else " Half of the channels of each group go here, as an example."
    table = Table((*head, *(name for name, _ in more)), rows)
    title = "What the config prunes, and what it saves" if planned else (
        "What can be pruned, and what it saves"
    )  # fmt: skip
    return Section("pruning", title, [text + ratio], tables=[table])


def _measured_columns(choice: PruneChoice, figures: Figures) -> list[tuple[str, dict[str, str]]]:
    """Milliseconds of each group's layers and what pruning it costs; empty where not known."""
    op_of: dict[str, int] = {}
    for op in choice.found.channels.program.ops:
        for name in op.input_names() if op.role == "forward" else ():
            op_of.setdefault(name, op.id)
    columns = []
    for name, known, together, form in (
        ("ms of its layers", figures.latency, sum, "{:.3g}"),
        ("share of the metric lost", figures.sensitivity, max, "{:.1%}"),
    ):
        if not known:
            continue
        column = {}
        for group in choice.groups:
            values = [known[op_of[n]] for n in group.layers if n in op_of and op_of[n] in known]
            column[group.leader] = form.format(together(values)) if values else ""
        columns.append((name, column))
    return columns


def sensitivity(record: Sensitivity) -> Section:
    """What pruning each group costs, as measured."""
    measured = record.measured
    text = (
        f"{clean(measured.metric)} on {measured.samples} samples of {clean(measured.data)}, "
        f"{record.baseline:.4g} before pruning. Each group was pruned alone, without training "
        "afterwards."
    )
    found = sorted(record.groups, key=lambda g: max((p.loss for p in g.points), default=0.0))
    head = ("leading filter", *(f"{ratio:g} of its channels" for ratio in record.ratios))
    rows = []
    for group in found:
        losses = {point.ratio: f"{point.loss:.1%}" for point in group.points}
        rows.append((clean(group.convs[0]), *(losses.get(r, "") for r in record.ratios)))
    shown = found if len(found) <= _MOST_CURVES else [*found[:4], *found[-4:]]
    curves = tuple(
        Curve(clean(g.convs[0]), tuple((ratio, 100 * loss) for ratio, loss in g.curve))
        for g in shown
        if g.points
    )
    note = "" if shown is found else "The curves are those of the four groups at either end."
    sheet = CurveSheet(
        "What pruning a group costs",
        tuple(curve.name for curve in curves),
        (Panel("% of the metric lost", curves),),
        "share of its channels that went",
    )
    tables = [Table(head, rows, note="Share of the metric lost, the cheapest first. " + note)]
    return Section("sensitivity", "Sensitivity", [text], tables=tables, curves=sheet)


def training(found: RunComparison) -> Section:
    """Runs beside each other, as figures and curves."""
    rows = []
    for run in found.runs:
        done = f"{run.iterations:,}" + (f" of {run.total:,}" if run.total else "")
        rows.append((
            clean(str(run.path)),
            run.kind,
            run.state,
            done,
            clean(run.metric),
            _value(run.best),
            _value(run.teacher),
            short(run.parameters) if run.parameters is not None else "",
            work_text(run.flops) if run.flops is not None else "",
            f"{run.latency_ms:.3g}" if run.latency_ms is not None else "",
            clean(run.data),
        ))  # fmt: skip
    head = (
        "run", "kind", "state", "iterations", "metric", "best", "teacher", "parameters",
        "multiply-adds", "ms", "measured on",
    )  # fmt: skip
    return Section(
        "training", "Training", list(found.warnings), tables=[Table(head, rows)],
        curves=found.sheet(),
    )  # fmt: skip


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def images(before: Path, after: Path) -> Section:
    """The same scenes with the detections of two networks.

    Args:
        before: a folder that `predict` drew into with the one network.
        after: likewise with the other.

    Raises:
        GraphprobeError: a folder cannot be read.
        UsageError: the folders share no image.
    """
    names = [
        {path.relative_to(folder) for path in walk_images(folder)} for folder in (before, after)
    ]
    both = sorted(names[0] & names[1])
    if not both:
        where, hint = f"images {before} and {after}", "draw into both folders from the same images"
        raise UsageError("no image lies in both folders", where=where, hint=hint)
    pairs = [
        ImagePair(clean(str(name)), _jpeg(before / name), _jpeg(after / name))
        for name in both[:_MOST_IMAGES]
    ]
    left = len(both) - len(pairs)
    text = f"Left: {clean(str(before))}. Right: {clean(str(after))}."
    text += f" Left out: {left} more images." if left > 0 else ""
    return Section("images", "Before and after", [text], images=pairs)


def _jpeg(path: Path) -> bytes:
    """An image for the page: at most `_SIDE` pixels on a side, without what a camera noted."""
    import io

    from PIL import Image

    from graphprobe.data.images import read_image

    image = Image.fromarray(read_image(path))
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def key_figures(
    figures: Sequence[Figures], choice: PruneChoice | None, pairs: Sequence[float] | None,
    runs: RunComparison | None, *, planned: bool,
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """The few figures that matter most: (value, what it is)."""
    size = figures[0].size
    if size is not None:
        least = "≥ " if size.uncounted else ""
        yield f"{least}{work_text(size.flops + size.products)}", "multiply-adds for one image"
        yield short(size.params), f"parameters, {size.megabytes:.3g} MB"
    if pairs is not None:
        yield str(len(pairs)), "pairs of student and teacher"
    if choice is not None and choice.groups:
        how = "as configured" if planned else "by half"
        yield f"-{_work_gone(choice):.0%}", f"multiply-adds, pruned {how}"
    best = [run for run in runs.runs if run.best is not None] if runs is not None else []
    if best:
        top = max(best, key=lambda run: run.best or 0.0)
        yield _value(top.best), f"{clean(top.metric)}, the best run"


def summary(
    figures: Sequence[Figures], choice: PruneChoice | None, pairs: Sequence[float] | None,
    runs: RunComparison | None, *, planned: bool,
) -> Iterator[str]:  # fmt: skip
    """What a reader who reads no further should know.

    Args:
        figures: of the program, and of the teacher.
        choice: what is pruned, or would be by half; None where a fault left it out.
        pairs: their scores; None where there is no teacher.
        runs: what was trained.
        planned: whether the user's config makes the choice.
    """
    size = figures[0].size
    if size is not None:
        least = "at least " if size.uncounted else ""
        yield (
            f"The {'student' if pairs is not None else 'network'} has {short(size.params)} "
            f"parameters ({size.megabytes:.3g} MB) and does {least}"
            f"{work_text(size.flops + size.products)} multiply-adds for one image."
        )
    other = figures[1].size if len(figures) > 1 else None
    if size is not None and other is not None and size.flops + size.products:
        times = (other.flops + other.products) / (size.flops + size.products)
        yield (
            f"Its teacher has {short(other.params)} parameters and does {times:.3g} times the work."
        )
    if pairs is not None:
        yield _pairs_sentence(pairs)
    if choice is not None:
        yield _pruning_sentence(choice, planned=planned)
    yield from _runs_sentences(runs)


def _pairs_sentence(scores: Sequence[float]) -> str:
    if not scores:
        return "No place was found where the teacher can teach the student."
    certain = sum(score >= 1 for score in scores)
    places = "1 place" if len(scores) == 1 else f"{len(scores)} places"
    doubt = {len(scores): "nothing is in doubt", 0: "each is in some doubt"}.get(
        certain, f"for {certain} of them nothing is in doubt"
    )
    return f"The teacher can teach the student at {places}; {doubt}."


def _pruning_sentence(choice: PruneChoice, *, planned: bool) -> str:
    decisions = choice.found.decisions
    free = sum(d.status != "blocked" for d in decisions)
    if not choice.groups:
        return f"None of its {len(decisions)} convolutions can be pruned."
    a, b = choice.before, choice.after
    what = "The pruning config takes" if planned else (
        f"{free} of its {len(decisions)} convolutions can be pruned; to remove half of their "
        "channels takes"
    )  # fmt: skip
    params = 1 - b.params / max(1, a.params)
    return (
        f"{what} {_work_gone(choice):.0%} of the multiply-adds and {params:.0%} of the "
        f"parameters away. How much faster that is has to be measured."
    )


def _work_gone(choice: PruneChoice) -> float:
    """The share of all multiply-adds, products of features included, that a choice takes away."""
    a, b = choice.before, choice.after
    return 1 - (b.flops + b.products) / max(1, a.flops + a.products)


def _runs_sentences(runs: RunComparison | None) -> Iterator[str]:
    for run in runs.runs if runs is not None else ():
        if run.best is None:
            yield f"The run {clean(str(run.path))} has not been evaluated."
            continue
        first = next((r for r in runs.runs if r.best is not None), run) if runs else run
        beside = ""
        if first is not run and first.best is not None and first.metric == run.metric:
            beside = f", {100 * (run.best - first.best):+.1f} points beside the first run"
        yield (
            f"The run {clean(str(run.path))} ({run.kind}) came to {clean(run.metric)} "
            f"{run.best:.3f}{beside}."
        )
