"""``graphprobe eval``: measure a trained student on the validation set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.evaluate import evaluate

from ._escape import printable
from ._output import FORMAT, Format, deliver, own_prints_to_stderr, say
from ._train import ALLOW_CODE, CHECKPOINT, DEVICE, MEASURED_ON, OVERRIDE, TRAINED, WEIGHTS, Device

if TYPE_CHECKING:
    from rich.table import Table


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
    """Measure a trained student: mAP, AP or mIoU, and each class.

    Data and size are those of its training, unless --data or --set say otherwise.

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
            progress=say,
        )
    deliver(
        found,
        lambda: [
            _table(found.label, found.to_rows()[1]),
            f"  weights  {found.weights}",
            f"  data     {found.measured_on}",
        ],
        form=form,
    )


def _table(label: str, rows: Sequence[Sequence[Any]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("class", label, box=box.SIMPLE_HEAD)
    for name, value in rows:
        table.add_row(printable(name), "none there" if value is None else f"{value:.4f}")
    return table
