"""graphprobe sensitivity: what each group's cut costs, measured."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.errors import UsageError
from graphprobe.files import write_whole

from ._errors import ANSWER_IS_NO
from ._output import Format, can_be_written, deliver, say
from ._train import DEVICE, Device

if TYPE_CHECKING:
    from graphprobe.config import PruneConfig
    from graphprobe.config.sensitivity import Sensitivity
    from graphprobe.ir import Program

RECORD = Path("sensitivity.json")
_TEXTS = (".csv", ".txt")
_PICTURES = (".png", ".svg", ".pdf")


def command(
    program: str = typer.Argument(
        ..., metavar="PROGRAM", help="What can be trained: zoo:NAME or package.module:callable."
    ),
    weights: str = typer.Option(
        ..., "--weights", help="Trained weights: a run's folder, a checkpoint, .npz, .pdiparams."
    ),
    data: str = typer.Option(
        ..., "--data", help="What to measure on, as voc:PATH?split=val; not the final test set."
    ),
    policy: str = typer.Option(
        "seeds", "--policy", help="seeds: what stands alone; coupled: whole groups."
    ),
    ratios: str = typer.Option(
        "0.1,0.3,0.5,0.7,0.9", "--ratios", help="Shares of the channels that go, one by one."
    ),
    samples: int = typer.Option(
        None, "--samples", min=1, help="Measure on so many pictures, spread evenly (default: all)."
    ),
    image: int = typer.Option(
        None, "--image", min=1, help="H and W of the input (default: the program's, else 608)."
    ),
    keep: str = typer.Option(
        None, "--keep", metavar="REGEX", help="Leave out these parameters, and what goes with them."
    ),
    device: Device = DEVICE,
    form: Format | None = typer.Option(
        None, "--format", help="Form of what is printed (default: table)."
    ),
    output: list[Path] = typer.Option(
        [RECORD],
        "--output",
        "-o",
        help="Repeatable. .json: the record, which a second call goes on from; .csv, .txt: a "
        "table; .png, .svg, .pdf: a picture.",
    ),
) -> None:
    """Cut each group alone at each ratio, and measure what the network loses.

    The record is whole after every measurement: call again to go on after a stop. prune-regex
    --sensitivity chooses ratios from it. Exit status 1 where nothing can be pruned.
    """
    record = _record(output)
    shares = _ratios(ratios)
    from graphprobe.training.runtime.dependencies import require_paddle

    require_paddle()
    from graphprobe.programs import load_program
    from graphprobe.training.pruning.sensitivity import measure_sensitivity
    from graphprobe.training.runtime.device import choose_place

    loaded = load_program(program)
    config = _config(loaded, policy, keep, weights, data, image)
    if not config.prune.groups:
        say(f"{program}: nothing to prune")
        raise typer.Exit(ANSWER_IS_NO)
    place = choose_place(device.value, say)
    found = measure_sensitivity(config, loaded, shares, record, place, samples=samples, log=say)
    from . import _sensitivity_table

    deliver(
        lambda: found.model_dump(mode="json"),
        lambda: _sensitivity_table.rows(found),
        lambda: _sensitivity_table.tables(found),
        form=form,
        output=None,
    )
    _write(found, record, output)


def _record(output: Sequence[Path]) -> Path:
    """The one .json file among the outputs, or one beside the first of them."""
    known = (".json", *_TEXTS, *_PICTURES)
    for path in output:
        if path.suffix.lower() not in known:
            hint = f"use one of {', '.join(known)}"
            raise UsageError(f"unknown suffix {path.suffix!r}", where=str(path), hint=hint)
        can_be_written(path)
    records = [path for path in output if path.suffix.lower() == ".json"]
    if len(records) > 1:
        raise UsageError("there is one record", where=str(records[1]), hint="name one .json file")
    return records[0] if records else output[0].with_suffix(".json")


def _ratios(text: str) -> list[float]:
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not all(0 < ratio < 1 for ratio in found):
        raise UsageError(
            "must be numbers above 0 and below 1", where=f"--ratios {text}", hint="as 0.1,0.3,0.5"
        )
    return found


def _config(
    program: Program, policy: str, keep: str | None, weights: str, data: str, image: int | None
) -> PruneConfig:
    """All groups that can lose a channel, with the weights and the data to measure on."""
    from graphprobe.api.patterns import pattern
    from graphprobe.config import DataSection
    from graphprobe.emit import prune_config
    from graphprobe.pruning.decisions import find_prunable
    from graphprobe.pruning.ratios import Limits, choose

    choice = choose(find_prunable(program, policy), 0.99, limits=Limits(pattern(keep, "keep")))
    config = prune_config(choice, program, "", weights=weights)
    size = image or config.train.image_size
    section = DataSection(train=data, val=data)
    train = config.train.model_copy(update={"data": section, "image_size": size})
    return config.model_copy(update={"train": train})


def _write(found: Sensitivity, record: Path, output: Sequence[Path]) -> None:
    """The tables and pictures; the record is there already."""
    from . import _sensitivity_table

    words = ("graphprobe", "prune-regex", found.measured.program, "--sensitivity", str(record))
    say(f"wrote {record}; choose from it with: {shlex.join(words)} --target-flops 0.5")
    for path in output:
        suffix = path.suffix.lower()
        if suffix in _PICTURES:
            from graphprobe.drawing.pages.heatmap import render_heatmap

            write_whole(path, render_heatmap(_sensitivity_table.heatmap(found), suffix[1:]))
        elif suffix in _TEXTS:
            deliver(
                lambda: None,
                lambda: _sensitivity_table.rows(found),
                lambda: _sensitivity_table.tables(found),
                form=None,
                output=path,
            )
        else:
            continue
        say(f"wrote {path}")
