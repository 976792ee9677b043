"""``graphprobe eval``: measure a trained student on the validation set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import FORMAT, Format, deliver, say
from ._train import ALLOW_CODE, CHECKPOINT, CONFIG, DEVICE, OVERRIDE, WEIGHTS, Device, open_config

if TYPE_CHECKING:
    from rich.table import Table


def command(
    config: Path = CONFIG,
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    form: Format | None = FORMAT,
) -> None:
    """Measure a config's student on its validation set: mAP, AP or mIoU, and each class."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.training.evaluate import make_evaluator
    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.training.trained import open_trained

    place = choose_place(device.value, say)
    trained = open_trained(
        settings, place, "eval", where=str(config), checkpoint=resume, weights=weights
    )
    data = open_validation(settings.train, trained.built)
    evaluator = make_evaluator(settings.train, trained.built, data, place)
    score = evaluator.run(trained.scope)
    rows = [*score.classes, ("mean", score.value), *score.more]
    deliver(
        lambda: {
            "weights": trained.source,
            "samples": len(data),
            "metric": score.metric,
            "value": score.value,
            "classes": dict(score.classes),
            "more": dict(score.more),
        },
        lambda: (("class", score.metric), rows),
        lambda: [_table(evaluator.label, rows), f"  {trained.source}"],
        form=form,
        output=None,
    )


def _table(label: str, rows: list[tuple[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("class", label, box=box.SIMPLE_HEAD)
    for name, value in rows:
        table.add_row(name, "none there" if value is None else f"{value:.4f}")
    return table
