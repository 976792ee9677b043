"""List for every convolution whether it can be pruned, and choose how much of each group goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphprobe.api.arguments import PatternLike, pattern
from graphprobe.api.decisions import prune_findings
from graphprobe.api.measured_ratios import Measured, Record, SensitivityLike, read_record
from graphprobe.api.progress import reporter
from graphprobe.api.prune_selection import PruneSelection
from graphprobe.api.run_programs import image_of
from graphprobe.collector import collector_paused
from graphprobe.errors import UsageError
from graphprobe.ops.kinds import has_quantised_range, unknown_ops_warnings
from graphprobe.ops.spatial.image_input import counted_image_size
from graphprobe.ops.work.count import DEFAULT_IMAGE
from graphprobe.programs import LoadedProgram, ProgramLike, load
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.ratios import Limits, check_numbers, choose, refuse_ratio
from graphprobe.pruning.regex import names_regex

if TYPE_CHECKING:
    from graphprobe.config import TrainSection
    from graphprobe.training.reporting.progress import Log


@collector_paused()
def find_prunable(
    program: ProgramLike,
    *,
    data: str | None = None,
    policy: str | None = None,
    ratio: float | None = None,
    target_flops: float | None = None,
    sensitivity: SensitivityLike | None = None,
    compact: bool = False,
    keep: PatternLike | None = None,
    min_channels: int = 1,
    round_to: int = 1,
    image: int | tuple[int, int] | None = None,
    progress: Log | None = None,
) -> PruneSelection:
    """List for every convolution whether it can be pruned and why not; select groups and ratios.

    Args:
        program: what would be pruned.
        data: what will be trained on, as ``voc:PATH``: a bundled model gets an output for each of
            its classes, and the config its data and a schedule for their number.
        policy: ``seeds``: what stands alone; ``coupled``: whole groups. By default that of
            `sensitivity`, else seeds.
        ratio: share of the channels removed, of every group (default: 0.5); not together with
            `target_flops` or `sensitivity`, for which ratios are found.
        target_flops: share of the multiply-adds removed; the ratio is found for it.
        sensitivity: what `sensitivity` measured: each group's ratio is chosen by it, for
            `target_flops`.
        compact: write a factored regex.
        keep: groups with a filter of such a name stay whole.
        min_channels: at least so many channels stay.
        round_to: a multiple of this many channels stays.
        image: H and W, one number for both or a pair, where the program leaves them open (default:
            those of the schedule for `data`, else those that a run trained on, else 608).
        progress: takes each line about what follows from the data; by default they are logged.

    Raises:
        LoadError: the program cannot be read.
        UsageError: an unknown policy, a number that makes no sense, a ratio beside a target, or a
            target that cannot be reached.

    Example:
        >>> found = graphprobe.find_prunable("zoo:yolov3_mobilenet_v1", policy="coupled")
        >>> [d.reason for d in found if d.status == "blocked"]
        ['output', 'output', 'output']
        >>> len(found.params)
        34
        >>> found.write("prune.yaml")
        PosixPath('prune.yaml')
    """
    asked = _limits(keep, round_to, min_channels, image)
    check_numbers(asked, ratio=ratio, target_flops=target_flops)
    train = None
    if data is None:
        loaded = load(program)
        image = image if image is not None else image_of(loaded)
    else:
        from graphprobe.api.data_settings import settings_for_data

        (loaded,), train, _ = settings_for_data((program,), data, reporter(progress))
        if image is not None:
            train = _with_images(train, image)
        image = train.input_size
    record = read_record(sensitivity)
    limits = replace(asked, image=_size(image))
    if record is None:
        found = prune_findings(loaded, policy or "seeds")
    else:
        record.check(loaded, policy)
        found = prune_findings(loaded, record.policy)
    chosen = _select(loaded, found, ratio, target_flops, record, limits, compact=compact)
    return replace(chosen, train=train)


@collector_paused()
def choose_ratios(
    found: PruneSelection,
    *,
    ratio: float | None = None,
    target_flops: float | None = None,
    sensitivity: SensitivityLike | None = None,
    compact: bool = False,
    keep: PatternLike | None = None,
    min_channels: int = 1,
    round_to: int = 1,
    image: int | tuple[int, int] | None = None,
) -> PruneSelection:
    """Select groups and ratios anew; the decisions on the convolutions stay.

    Args:
        found: from `find_prunable`; its policy stays.
        ratio: share of the channels removed, of every group (default: 0.5); not together with
            `target_flops` or `sensitivity`, for which ratios are found.
        target_flops: share of the multiply-adds removed; the ratio is found for it.
        sensitivity: as in `find_prunable`.
        compact: write a factored regex.
        keep: groups with a filter of such a name stay whole.
        min_channels: at least so many channels stay.
        round_to: a multiple of this many channels stays.
        image: as in `find_prunable` (default: as `found` was counted).

    Raises:
        UsageError: `found` is something else, a number that makes no sense, a ratio beside a
            target, or a target that cannot be reached.

    Example:
        >>> found = graphprobe.find_prunable("zoo:yolov3_mobilenet_v1", policy="coupled")
        >>> half = graphprobe.choose_ratios(found, target_flops=0.5, round_to=8)
        >>> round(half.after.flops / half.before.flops, 2)
        0.49
    """
    if not isinstance(found, PruneSelection):
        hint = "as choose_ratios(find_prunable(PROGRAM), ...)"
        what = f"must be what find_prunable gave, not a {type(found).__qualname__}"
        raise UsageError(what, where="found", hint=hint)
    record = read_record(sensitivity)
    if record is not None:
        record.check(found.program, found.policy)
    limits = _limits(keep, round_to, min_channels, image)
    if image is None:
        limits = replace(limits, image=found.choice.limits.image)
    decided = found.choice.found
    chosen = _select(found.program, decided, ratio, target_flops, record, limits, compact=compact)
    return replace(chosen, train=found.train)


def _with_images(train: TrainSection, image: int | tuple[int, int]) -> TrainSection:
    """The section for images of other sizes."""
    if isinstance(image, int):
        return train.model_copy(update={"image_size": image})
    return train.model_copy(
        update={"preparation": train.preparation.model_copy(update={"size": image})}
    )


def _select(
    loaded: LoadedProgram,
    found: PruneFindings,
    ratio: float | None,
    target: float | None,
    record: Record | None,
    limits: Limits,
    *,
    compact: bool,
) -> PruneSelection:
    if record is None:
        made = Measured(choose(found, ratio, target_flops=target, limits=limits))
    else:
        refuse_ratio(ratio, f"sensitivity={record.name!r}")
        made = record.choose(found, target, limits)
    names = (var.name for var in loaded.parameters)
    regex = names_regex(made.choice.params, names, compact=compact)
    weights = None if record is None else record.weights
    # An unknown operator that no channels reach is warned of too: it may be a layer without a row.
    unknown = unknown_ops_warnings(loaded.source, loaded.program)
    warnings = (*made.warnings, *_quantised(loaded, found), *unknown)
    size = limits.image or (DEFAULT_IMAGE, DEFAULT_IMAGE)
    image = counted_image_size(loaded.program, size)
    return PruneSelection(loaded, made.choice, regex, weights, made.notes, warnings, image=image)


def _quantised(loaded: LoadedProgram, found: PruneFindings) -> tuple[str, ...]:
    at = found.channels.quantised
    if at is not None:
        op = loaded.program.ops[at]
        return (f"the weights are quantised (first: op {at} {op.type}): prune before quantising",)
    ranged = next((op for op in loaded.program.ops if has_quantised_range(op)), None)
    if ranged is None:
        return ()
    where = f"first: op {ranged.id} {ranged.type}"
    return (
        f"the program was quantised: it holds ranges that were measured on the whole network "
        f"({where}); prune before quantising, or measure them again behind it",
    )


def _limits(
    keep: PatternLike | None,
    round_to: int,
    min_channels: int,
    image: int | tuple[int, int] | None,
) -> Limits:
    return Limits(pattern(keep, "keep"), round_to, min_channels, _size(image))


def _size(image: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width, of one number for both or a pair."""
    size = (image, image) if isinstance(image, int) else image
    if size is not None and not (
        isinstance(size, tuple)
        and len(size) == 2
        and all(isinstance(n, int) and n > 0 for n in size)
    ):
        message = f"is {image!r}, not a height and a width in pixels"
        raise UsageError(message, where="image", hint="give one number for both, or a pair")
    return size
