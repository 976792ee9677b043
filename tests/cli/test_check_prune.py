"""graphprobe check on a pruning config: on paper and in one run, or exit 1 with every reason."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe.config import PruneConfig

pytestmark = pytest.mark.paddle

STUDENT = "zoo:yolov3_mobilenet_v1?scale=0.05&size=32"


def make_config(policy: str) -> PruneConfig:
    from graphprobe.emit import prune_config
    from graphprobe.programs import load_program
    from graphprobe.pruning.decisions import find_prunable
    from graphprobe.pruning.ratios import choose

    program = load_program(STUDENT)
    return prune_config(choose(find_prunable(program, policy), 0.5), program, STUDENT)


@pytest.fixture(scope="module")
def config() -> PruneConfig:
    return make_config("coupled")


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run_check(config: PruneConfig, *words: str) -> tuple[int, str, str]:
        from graphprobe.config import config_text

        path = tmp_path / "prune.yaml"
        path.write_text(config_text(config))
        status = run(build_app("check"), ["check", str(path), *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run_check


def with_prune(config: PruneConfig, **values: Any) -> PruneConfig:
    return config.model_copy(update={"prune": config.prune.model_copy(update=values)})


def test_what_changes_is_said(config: PruneConfig, check: Any) -> None:
    status, out, err = check(config, "--format", "json")
    assert status == 0, err
    found = json.loads(out)
    assert found["passed"] and found["engine"] == "own" and len(found["groups"]) == 34
    assert all(0 < group["after"] < group["channels"] for group in found["groups"])
    changed = found["changed"]
    assert changed["conv1_weights"] == [[8, 3, 3, 3], [4, 3, 3, 3]]
    statistics = ("mean", "variance", ".mean", ".var")
    trained = [pair for name, pair in changed.items() if not name.endswith(statistics)]
    gone = sum(prod(before) - prod(after) for before, after in trained)
    assert gone == found["before"]["params"] - found["after"]["params"]
    every = sum(prod(before) - prod(after) for before, after in changed.values())
    megabytes = found["before"]["megabytes"] - found["after"]["megabytes"]
    assert megabytes == pytest.approx(4 * every / 2**20)
    assert found["after"]["flops"] < 0.4 * found["before"]["flops"]
    heads = [shape for shape in found["outputs"].values() if shape[1:2] == [75]]
    assert heads == [[1, 75, 1, 1], [1, 75, 2, 2], [1, 75, 4, 4]]


def test_an_engine_is_an_option_too(config: PruneConfig, check: Any) -> None:
    status, out, err = check(config, "--engine", "paddleslim", "--format", "json")
    assert (status, out) == (2, "") and "prune.engine" in err  # it cannot prune whole groups
    alone = make_config("seeds")
    status, out, err = check(alone, "--engine", "paddleslim", "--format", "json")
    assert status == 0, err
    assert json.loads(out)["engine"] == "paddleslim"
    status, _, err = check(config, "--engine", "other")
    assert status == 2 and err.count("\n") == 1
    assert "prune.engine" in err and "paddleslim" in err


def test_the_table_fits_80_columns(config: PruneConfig, check: Any) -> None:
    for words in ((), ("--prove",)):
        few = with_prune(config, groups=config.prune.groups[:2])
        status, out, err = check(few, *words)
        assert status == 0, err
        assert max(map(len, out.splitlines())) <= 80
        assert "conv1_weights" in out and "8 -> 4" in out
        assert "multiply-adds" in out and "change shape" in out
        assert ("difference" in out) == bool(words)


def test_nothing_changed_is_exit_1(config: PruneConfig, check: Any) -> None:
    whole = tuple(group.model_copy(update={"ratio": 0.0}) for group in config.prune.groups)
    for nothing in ({"groups": ()}, {"groups": whole}, {"min_channels": 10**6}):
        status, out, err = check(with_prune(config, **nothing))
        assert (status, out) == (1, "")
        assert "prune.groups: nothing would be pruned" in err and "raise the ratios" in err


def test_what_does_not_fit_the_program_is_all_listed(config: PruneConfig, check: Any) -> None:
    first = config.prune.groups[0]
    cuts = first.parts[0].cuts
    wrong = (
        cuts[0].model_copy(update={"params": ("conv1_weight",)}),
        cuts[1].model_copy(update={"size": 999}),
        cuts[2].model_copy(update={"axis": 7}),
    )
    part = first.parts[0].model_copy(update={"cuts": wrong})
    group = first.model_copy(update={"parts": (part,), "convs": (*first.convs, "no_weights")})
    status, out, err = check(with_prune(config, groups=(group,)))
    assert (status, out) == (1, "")
    for words in (
        "prune.groups[0].parts[0].cuts[0]: the program has no parameter conv1_weight; did you",
        "prune.groups[0].convs[2]: the program has no parameter no_weights",
        "not 999",
        "not 8",
        "make the config again for this program",
    ):
        assert words in err


def test_what_stands_twice_is_all_listed(config: PruneConfig, check: Any) -> None:
    first, second = config.prune.groups[:2]
    twice = first.parts[0].cuts[0].model_copy(update={"at": "0-3,2-5"})
    part = first.parts[0].model_copy(update={"cuts": (twice,)})
    named = first.model_copy(update={"parts": (part,), "convs": (first.convs[0], *first.convs)})
    status, out, err = check(with_prune(config, groups=(named, second, second)))
    assert (status, out, err.count("\n")) == (2, "", 1)
    for words in (
        "prune.groups[0].convs[1]: conv1_weights is named twice",
        f"prune.groups[0].parts[0].cuts[0].at: axis 0 of {twice.params[0]} is pruned twice at 2",
        f"prune.groups[2].convs[0]: {second.convs[0]} is also in groups[1]",
        "is pruned twice at 0",
    ):
        assert words in err


def test_another_program_is_refused(config: PruneConfig, check: Any) -> None:
    status, _, err = check(config, "-o", "student.program=zoo:yolov3_r34?scale=0.05&size=32")
    assert status == 2 and err.count("\n") == 1 and "student.fingerprint" in err
