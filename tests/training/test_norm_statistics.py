"""Statistics of norms that are measured anew: the figures that numpy finds."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.paddle


def test_they_are_the_mean_and_variance_over_all_batches() -> None:
    import paddle

    from graphprobe.training.norm_statistics import measured_statistics, statistics_of
    from graphprobe.training.runtime.programs import get_values

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    scope, place = paddle.static.Scope(), paddle.CPUPlace()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        x = paddle.static.data("x", [-1, 3, 5, 7])
        y = paddle.static.nn.batch_norm(x, is_test=False, use_global_stats=True)
        paddle.static.nn.batch_norm(y * 2 + 1, is_test=False, use_global_stats=True)
    executor = paddle.static.Executor(place)
    executor.run(startup, scope=scope)
    rng = np.random.default_rng(0)
    scales = np.array([1, 4, 0.1]).reshape(1, 3, 1, 1)
    batches = [
        (rng.normal(size=(4, 3, 5, 7)) * scales + shift).astype(np.float32)
        for shift in (-3, 0, 1, 2)
    ]
    names = statistics_of(main)
    assert len(names) == 2
    found = measured_statistics(main, names, ({"x": b} for b in batches), scope, place)
    every = np.concatenate(batches).astype(np.float64)
    np.testing.assert_allclose(found[names[0][0]], every.mean((0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(found[names[0][1]], every.var((0, 2, 3)), rtol=1e-4)
    # The first norm makes 0 and 1 of each batch, so the second sees 1 and 4.
    np.testing.assert_allclose(found[names[1][0]], 1, atol=1e-4)
    np.testing.assert_allclose(found[names[1][1]], 4, rtol=2e-3)
    (norm, _) = (op for op in main.global_block().ops if op.type == "batch_norm")
    assert norm.attr("use_global_stats") and norm.attr("momentum") == pytest.approx(0.9)
    assert all(np.isfinite(value).all() for value in get_values(scope, names[0]).values())


def test_they_move_by_what_pruning_changes() -> None:
    from graphprobe.training.norm_statistics import moved_statistics

    rng = np.random.default_rng(0)
    old, whole, pruned = (
        {"m": rng.normal(size=8), "v": rng.uniform(0.5, 2, size=8)} for _ in range(3)
    )
    names = [("m", "v")]
    same = moved_statistics(names, old, whole, whole)
    np.testing.assert_allclose(same["m"], old["m"], rtol=1e-6)
    np.testing.assert_allclose(same["v"], old["v"], rtol=1e-6)
    # Images as those of the training: what is measured on them is what holds.
    like = moved_statistics(names, whole, pruned, whole)
    np.testing.assert_allclose(like["m"], pruned["m"], rtol=1e-4)
    np.testing.assert_allclose(like["v"], pruned["v"], rtol=1e-4)
    # Images of twice the contrast see the same change, twice as large.
    twice = {"m": 2 * whole["m"], "v": 4 * whole["v"]}
    brighter = moved_statistics(names, whole, {"m": 2 * pruned["m"], "v": 4 * pruned["v"]}, twice)
    np.testing.assert_allclose(brighter["m"], pruned["m"], rtol=1e-3)
    np.testing.assert_allclose(brighter["v"], pruned["v"], rtol=1e-3)
