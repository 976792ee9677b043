"""Weights that are measured by norms of gradients, through a run."""

from __future__ import annotations

import json
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.paddle


@pytest.mark.parametrize(
    ("before", "task", "term", "after"),
    [
        (0.0, 8.0, 2.0, 2.0),  # the first measurement is the weight: half the task's gradient
        (1.0, 8.0, 2.0, 2.0**0.2),  # later ones move it by a fifth, in logarithms
        (1.0, 8e6, 2.0, 10**0.2),  # and by no more than the factor 10 would
        (1.0, 8.0, 2e6, 10**-0.2),
        (3.0, 0.0, 2.0, 3.0),  # what was not measured leaves it
        (3.0, 8.0, 0.0, 3.0),
        (3.0, nan, 2.0, 3.0),
        (3.0, 8.0, inf, 3.0),
        (0.0, 8.0, 1e-30, 1e12),  # a weight stays in a range that float32 holds
        (1e-12, 1e-30, 8.0, 1e-12),
    ],
)
def test_a_measurement_moves_the_weight(
    before: float, task: float, term: float, after: float
) -> None:
    from graphprobe.training.term_weights import next_weight

    assert next_weight(before, task, term) == pytest.approx(after)


def test_the_first_steps_measure_then_one_in_200() -> None:
    from graphprobe.training.term_weights import AutoTerm, TermWeights

    weights = TermWeights([AutoTerm("l2.0", "loss", "weight", ("f",), 1.0)], 1000)
    due = [iteration for iteration in range(1, 41) if weights.due(iteration)]
    assert due == [*range(1, 21), 25, 30, 35, 40]
    assert not TermWeights([], 1000).due(1)


def test_norms_are_those_of_numpy_where_both_gradients_arrive() -> None:
    import paddle

    from graphprobe.training.term_weights import AutoTerm, add_norms

    paddle.enable_static()
    program, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(program, startup), paddle.utils.unique_name.guard():
        x = paddle.static.data("x", [4, 3], "float32")
        feature = paddle.static.nn.fc(x, 5)
        aside = paddle.static.nn.fc(x, 5)
        later = paddle.static.nn.fc(feature, 2)
        task = paddle.mean(paddle.square(later))
        term = paddle.mean(paddle.square(feature)) + paddle.mean(aside)
    both = AutoTerm("l2.0", term.name, "a", (feature.name,), 1.0)
    alone = AutoTerm("l2.1", term.name, "b", (aside.name,), 1.0)
    names = [p.name for p in program.all_parameters()]
    made = program.clone()
    found = add_norms(made, task.name, [both, alone])
    assert list(found) == [both]  # the task's gradient does not come to the other
    assert add_norms(program.clone(), None, [both]) == {}
    executor, scope = paddle.static.Executor(paddle.CPUPlace()), paddle.static.Scope()
    executor.run(startup, scope=scope)
    feed = {"x": np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)}
    of_task, of_term = executor.run(made, feed=feed, fetch_list=list(found[both]), scope=scope)
    w = {name: np.array(scope.find_var(name).get_tensor()) for name in names}
    f = feed["x"] @ w[names[0]] + w[names[1]]
    out = f @ w[names[4]] + w[names[5]]
    np.testing.assert_allclose(
        of_task, np.linalg.norm(2 * out / out.size @ w[names[4]].T), rtol=1e-5
    )
    np.testing.assert_allclose(of_term, np.linalg.norm(2 * f / f.size), rtol=1e-5)


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
    make_config: Any,
    distillation: Any,
    teacher_run: Path,
) -> tuple[Path, Path]:
    """The folders of a run with measured weights, and of one that was stopped and resumed."""
    from graphprobe.training.run import run_training

    folder = tmp_path_factory.mktemp("auto")

    def run(name: str, resume: str | None = None, **train: Any) -> None:
        plain = distillation(folder / name, teacher_run, **train)
        for pair in plain["pairs"]:
            pair["weight"] = "auto"
        run_training(make_config(plain), where="c.yaml", device="cpu", resume=resume)

    run("whole", max_iters=4, snapshot_iter=2)
    run("parts", max_iters=2, snapshot_iter=2)
    run("parts", "auto", max_iters=4, snapshot_iter=2)
    return folder / "whole", folder / "parts"


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_begins_with_the_task_and_follows_what_it_measures(runs: tuple[Path, Path]) -> None:
    first, *later = lines(runs[0])
    for term in ("l2.0", "l2.1", "l2.2"):
        assert first[f"loss/{term}"] == 0
        for line in later:
            assert line[f"loss/{term}"] > 0
            assert line[f"weight/{term}"] > 0
        assert len({line[f"weight/{term}"] for line in (first, *later)}) == 4


def test_resumed_it_ends_bit_equal(runs: tuple[Path, Path]) -> None:
    whole, parts = map(lines, runs)
    keys = [key for key in whole[0] if key.startswith(("loss/", "weight/"))]
    assert [[line[k] for k in keys] for line in whole] == [[p[k] for k in keys] for p in parts]
    ends = []
    for folder in runs:
        with np.load(folder / "checkpoints" / "000004" / "optimizer.npz") as found:
            ends.append({name: found[name].tobytes() for name in found.files})
    assert ends[0] == ends[1]
    assert any(name.endswith("_weight") for name in ends[0])


def test_a_check_says_what_the_first_step_measures(
    runs: tuple[Path, Path],
    make_config: Any,
    distillation: Any,
    teacher_run: Path,
    tmp_path: Path,
) -> None:
    import paddle

    from graphprobe.training.check import probe_distillation

    plain = distillation(tmp_path, teacher_run)
    for pair in plain["pairs"][1:]:
        pair["weight"] = "auto"
    found = probe_distillation(
        make_config(plain), paddle.CPUPlace(), where="c.yaml", log=lambda _: None
    )
    assert found.passed
    fixed, *measured = found.rows
    assert (fixed.auto, fixed.weight) == (False, 0.1)
    assert fixed.suggested is not None
    (first, *_) = lines(runs[0])  # the same weights, the same batch
    for row in measured:
        assert row.auto
        assert row.suggested is None
        assert row.weight == pytest.approx(first[f"weight/{row.term}"], rel=1e-3)
