"""The fuzzer would find again what it is there to find: a fix taken out is noticed soon."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path

import pytest

TOOLS = str(Path(__file__).resolve().parents[2] / "tools")


def test_a_parameter_without_a_name_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [TOOLS, *sys.path])
    targets = importlib.import_module("fuzz_targets")
    monkeypatch.setattr("graphprobe.pruning.constraints._block_nameless", lambda _: None)
    line = "prune-regex {} --policy coupled -o {d}/q.yaml"
    monkeypatch.setattr(targets, "LINES", (line,))
    rng, seeds = random.Random(3), targets.networks()
    with pytest.raises(targets.Wrong, match="ValidationError"):
        for _ in range(500):
            targets.run_command(targets.mutate_program(rng.choice(seeds), rng))
