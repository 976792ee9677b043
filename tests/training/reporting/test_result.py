"""The table of what a pruning changed."""

from __future__ import annotations

import pytest

from graphprobe.data.metrics.names import AGREEMENT, LABELS, MIOU
from graphprobe.training.reporting.result import Cost, PruningResult


@pytest.mark.parametrize(
    ("metric", "before", "said"),
    [
        (MIOU, 0.5, ("0.5000", "0.2500", "-0.2500")),
        (MIOU, None, ("no weights", "0.2500", "")),
        # The teacher is often the network before its pruning, which has weights.
        (AGREEMENT, None, ("not measured", "0.2500", "")),
    ],
)
def test_the_metric_before_and_after(
    metric: str, before: float | None, said: tuple[str, str, str]
) -> None:
    made = PruningResult(Cost(200, 100, 1.0, 8.0, before), Cost(100, 50, 0.5, 4.0, 0.25))
    label = LABELS[metric]
    assert made.rows(label)[-1] == (label, *said)
    assert made.rows(label)[0][0] == "multiply-adds" and made.rows(label)[0][-1] == "-50.0%"
