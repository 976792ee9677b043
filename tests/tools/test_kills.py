"""What the tool that kills runs compares, and what it leaves to the clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.kills import differences


def run(folder: Path, figures: dict[str, Any], weight: float = 1.0) -> Path:
    """What a run of 3 iterations leaves behind."""
    checkpoint = folder / "checkpoints" / "000003"
    checkpoint.mkdir(parents=True)
    for name in ("weights", "optimizer"):
        np.savez(checkpoint / f"{name}.npz", a=np.float32([weight]))
    line = json.dumps({"iter": 1, "loss/total": 0.5, "seconds": figures["seconds"]})
    (folder / "metrics.jsonl").write_text(f"{line}\n")
    (folder / "result.json").write_text(json.dumps(figures))
    return folder


def figures(seconds: float, latency: float, flops: int = 7) -> dict[str, Any]:
    after = {"flops": flops, "latency_ms": latency}
    return {"value": 0.5, "seconds": seconds, "pruning": {"before": after, "after": after}}


def test_only_the_clock_differs(tmp_path: Path) -> None:
    one, other = run(tmp_path / "a", figures(1.0, 2.0)), run(tmp_path / "b", figures(1.5, 2.5))
    assert differences(one, other, 3) == []


@pytest.mark.parametrize(
    ("flops", "weight", "expected"),
    [(8, 1.0, ["result pruning"]), (7, 2.0, ["optimizer/a", "weights/a"])],
)
def test_what_differs_is_named(
    tmp_path: Path, flops: int, weight: float, expected: list[str]
) -> None:
    one = run(tmp_path / "a", figures(1.0, 2.0))
    other = run(tmp_path / "b", figures(1.0, 2.0, flops), weight)
    assert differences(one, other, 3) == expected
