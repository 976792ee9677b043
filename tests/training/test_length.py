"""How many iterations fit into a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.paddle


@pytest.mark.parametrize(
    ("step", "evaluation", "seconds", "total", "every"),
    [
        (1.0, 0.0, 1000.0, 950, 47),
        (1.0, 10.0, 1000.0, 760, 38),  # 20 evaluations of 10 s
        (1.0, 100.0, 1000.0, 665, 221),  # 3 of them fit into a third
        (1.0, 999.0, 100.0, 1, 1),
    ],
)
def test_the_length_of_a_run(
    step: float, evaluation: float, seconds: float, total: int, every: int
) -> None:
    from graphprobe.training.length import Pace

    assert Pace(step, evaluation).fit(seconds) == (total, every)


def test_timing_leaves_nothing_behind(
    document: Callable[..., dict[str, Any]], make_config: Callable[..., Any], tmp_path: Path
) -> None:
    import numpy as np
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.distributed.process_group import ProcessGroup
    from graphprobe.training.feeding.feeding import open_sets
    from graphprobe.training.length import fit_to_time
    from graphprobe.training.measured_by import evaluator_of

    config = make_config(document(tmp_path))
    place = paddle.CPUPlace()
    parts = assemble(config, place, where="t.yaml", log=lambda _: None)
    names = [*parts.weights, *parts.engine.optimizer_names]
    before = parts.engine.values(names)
    sets = open_sets(config.train, parts.student.built)
    said: list[str] = []
    assert sets.val is not None
    student = parts.student
    built = student.source.pruned("eval", student.plan)
    evaluator = evaluator_of(config, student.source, built, sets.val, place, None, None)
    fitted = fit_to_time(config, parts, sets, evaluator, ProcessGroup(place), 3000.0, said.append)
    after = parts.engine.values(names)
    assert all(np.array_equal(before[name], after[name]) for name in names)
    train = fitted.train
    assert train.max_iters > 100 and train.max_iters // train.eval_iter >= 20
    share = train.learning_rate.milestones[0] / train.max_iters
    assert share == pytest.approx(4 / 6, abs=0.01)  # as in the config
    assert said[-1].split()[1:4] == ["s", "a", "step,"]
