"""``graphprobe eval``: measure a trained student on the validation set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.evaluate import evaluate
from graphprobe.data.metrics.agreement_types import FIGURES

from ._escape import printable
from ._output import FORMAT, Format, deliver, folding_table, log, own_prints_to_stderr
from ._train import ALLOW_CODE, CHECKPOINT, DEVICE, MEASURED_ON, OVERRIDE, TRAINED, WEIGHTS, Device

if TYPE_CHECKING:
    from rich.table import Table

    from graphprobe.data.metrics.agreement_types import AgreementResult


def command(
    config: Path = TRAINED,
    data: str | None = MEASURED_ON,
    override: list[str] | None = OVERRIDE,
    resume: str = CHECKPOINT,
    weights: str | None = WEIGHTS,
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    form: Format | None = FORMAT,
) -> None:
    """Measure a trained student: mAP, AP, mIoU or top-1, by class.

    Data and size are those of its training, unless --data or --set name others. An exported
    program is measured as it is, with --data.

    Example: graphprobe eval runs/student
    """
    with own_prints_to_stderr():
        found = evaluate(
            config,
            data=data,
            override=override or (),
            resume=resume,
            weights=weights,
            device=device.value,
            allow_code=allow_code,
            progress=log,
        )
    deliver(
        found,
        lambda: [
            _table(found.label, found.to_rows()[1])
            if found.agreement is None
            else _agreement(found.label, found.value, found.agreement),
            f"  weights  {found.weights}",
            f"  data     {found.measured_on}",
        ],
        form=form,
    )


def _table(label: str, rows: Sequence[Sequence[Any]]) -> Table:
    table = folding_table("class", label)
    for name, value in rows:
        table.add_row(printable(name), "none there" if value is None else f"{value:.4f}")
    return table


def _agreement(label: str, value: float, found: AgreementResult) -> Table:
    """A row an output; the last one has the figures of all."""
    names = [name for name in FIGURES if found.figure(name) is not None]
    figures = [FIGURES[name] for name in names]
    caption = f"{label} {value:.4f}"
    table = folding_table("output", "kind", *figures, right=figures, caption=caption)
    for each in found.outputs:
        cells = (_figure(getattr(each, name)) for name in names)
        table.add_row(printable(each.name), each.kind, *cells)
    if len(found.outputs) > 1:
        table.add_row("mean", "", *(_figure(found.figure(name)) for name in names))
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
