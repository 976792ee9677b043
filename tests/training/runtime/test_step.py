"""The step, its oneDNN switch, and the teacher that must not move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import ConfigError, TrainError

pytestmark = pytest.mark.paddle


def build_tiny(side: int = 8) -> Any:
    """A convolution, a norm and a depthwise convolution with a squared loss."""
    import paddle

    paddle.enable_static()
    main, startup, scope = paddle.static.Program(), paddle.static.Program(), paddle.static.Scope()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        image = paddle.static.data("image", [-1, 3, side, side])
        x = paddle.static.nn.conv2d(image, 4, 3, use_cudnn=False)
        x = paddle.static.nn.batch_norm(x, act="relu")
        x = paddle.static.nn.conv2d(x, 4, 3, groups=4, use_cudnn=False)
        loss = paddle.mean(x * x)
    paddle.seed(3)
    paddle.static.Executor(paddle.CPUPlace()).run(startup, scope=scope)
    return main, scope, loss


@pytest.fixture
def tiny() -> Any:
    return build_tiny()


FEED = {"image": np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)}


def make(tiny: Any, **options: Any) -> Any:
    import paddle

    from graphprobe.training.runtime.step import Engine, Optimizer

    main, scope, loss = tiny
    return Engine(
        main, scope, paddle.CPUPlace(), {"total": loss}, Optimizer(0.9, 0.01), seed=1, **options
    )


def test_the_two_halves_do_what_the_whole_does(tiny: Any) -> None:
    import paddle

    main, scope, loss = tiny
    engine = make(tiny)
    names = engine.state_names
    start = engine.values(names)
    split = [engine.step(i, FEED, 0.1)["total"] for i in (1, 2, 3)]
    ends = engine.values(names)
    for name, array in start.items():
        scope.find_var(name).get_tensor().set(array, paddle.CPUPlace())
    for name in engine.optimizer_names:
        zeros = np.zeros_like(engine.values([name])[name])
        scope.find_var(name).get_tensor().set(zeros, paddle.CPUPlace())
    engine._set_rate(0.1)
    executor = paddle.static.Executor(paddle.CPUPlace())
    whole = [
        float(executor.run(main, feed=FEED, fetch_list=[loss], scope=scope)[0]) for _ in range(3)
    ]
    assert whole == split
    for name, array in engine.values(names).items():
        np.testing.assert_array_equal(array, ends[name], err_msg=name)
    assert whole[2] < whole[0]


def test_a_step_keeps_no_gradients(tiny: Any) -> None:
    engine = make(tiny)
    held = [engine.scope.var(f"{name}@GRAD").get_tensor() for name in engine.parameters]
    engine.losses(1, FEED)
    assert held
    assert all(tensor._is_initialized() for tensor in held)
    engine.step(1, FEED, 0.1)
    assert not any(tensor._is_initialized() for tensor in held)


def test_onednn_gives_the_same_numbers_to_rounding(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training.runtime import onednn

    plain = make(tiny)
    monkeypatch.setattr(onednn, "HEAVY", 0)
    switched = make(build_tiny(), onednn=onednn.BatchGeometry(2, (8,), 10**6))
    for engine, expected in ((plain, 0), (switched, 4)):
        ops = engine._compute.global_block().ops
        assert sum(op.has_attr("use_mkldnn") and op.attr("use_mkldnn") for op in ops) == expected
    for step in range(3):
        one, other = (engine.step(step, FEED, 0.1)["total"] for engine in (plain, switched))
        assert other == pytest.approx(one, rel=1e-4)


def test_gradients_of_onednn_are_read_in_the_plain_layout(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training.runtime import onednn

    monkeypatch.setattr(onednn, "HEAVY", 0)
    plain, switched = make(tiny), make(build_tiny(), onednn=onednn.BatchGeometry(2, (8,), 10**6))
    for engine in (plain, switched):
        engine.losses(1, FEED)
    found = switched.gradients()
    for name, expected in plain.gradients().items():
        bound = 1e-4 * float(np.abs(expected).max()) + 1e-6
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=bound, err_msg=name)


def test_copies_for_other_sizes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphprobe.training.runtime import onednn, step

    forgotten = []

    def forget(executor: Any) -> None:
        forgotten.append(executor)
        onednn.forget(executor)

    monkeypatch.setattr(onednn, "HEAVY", 0)
    monkeypatch.setattr(onednn, "FORGET", 0)
    monkeypatch.setattr(step, "forget", forget)
    plain = make(build_tiny(-1))
    switched = make(build_tiny(-1), onednn=onednn.BatchGeometry(2, (8, 12), 10**6))
    random = np.random.default_rng(0)
    for number, side in enumerate((8, 12, 12, 8)):
        feed = {"image": random.random((2, 3, side, side), dtype=np.float32)}
        one, other = (engine.step(number, feed, 0.1)["total"] for engine in (plain, switched))
        assert other == pytest.approx(one, rel=1e-4)
    assert len(forgotten) == 3  # before the first, the second and the last


@pytest.mark.parametrize(("sizes", "expected"), [([], True), ([64], True), ([32, 64], False)])
def test_small_pictures_of_several_sizes_take_plain_kernels(
    sizes: list[int], expected: bool, make_config: Any, document: Any, tmp_path: Path
) -> None:
    import paddle

    from graphprobe.training.assemble import assemble

    config = make_config(document(tmp_path / "run", augment={"sizes": sizes}))
    parts = assemble(config, paddle.CPUPlace(), where="t.yaml", log=lambda _: None)
    ops = parts.engine._compute.global_block().ops
    assert any(op.has_attr("use_mkldnn") and op.attr("use_mkldnn") for op in ops) == expected


def test_a_nan_names_the_variable_and_spares_the_parameters(tiny: Any) -> None:
    engine = make(tiny)
    before = engine.values(engine.parameters)
    bad = np.full((4,), np.nan, np.float32)
    engine.scope.find_var("depthwise_conv2d_0.b_0").get_tensor().set(bad, engine.place)
    with pytest.raises(
        TrainError, match=r"iteration 7: loss total .* variable depthwise_conv2d_0\.b_0"
    ):
        engine.step(7, FEED, 0.1)
    for name in set(engine.parameters) - {"depthwise_conv2d_0.b_0"}:
        np.testing.assert_array_equal(engine.values([name])[name], before[name])


def test_a_distillation_config_is_proven(
    make_config: Any, distillation: Any, tmp_path: Path, teacher_run: Path
) -> None:
    import paddle

    from graphprobe.training.check import probe_distillation
    from graphprobe.training.reporting.verdict import as_document

    plain = distillation(tmp_path / "run", teacher_run)
    plain["pairs"][1]["student"] = "conv2d_28.tmp_9"
    plain["pairs"][2]["teacher"] = "teacher_conv2d_22.tmp_1"
    verdict = probe_distillation(
        make_config(plain), paddle.CPUPlace(), where="d.yaml", log=lambda _: None
    )
    assert not verdict.passed
    assert verdict.teacher_engine == "inference"  # as in training
    first, second, third = verdict.rows
    assert first.problems == ()
    assert first.reached is not None
    assert first.reached > 50
    assert first.value is not None
    assert first.value > 0
    assert first.suggested is not None
    assert first.gradient_share == pytest.approx(first.weight / (first.suggested * 1), rel=0.05), (
        "one term that passed: its suggestion makes the shares equal"
    )
    assert "did you mean conv2d_28.tmp_1" in str(second.problems[0])
    assert "without the prefix" in str(third.problems[0])
    assert [row["problems"] == [] for row in as_document(verdict)["terms"]] == [True, False, False]


def test_pairs_whose_shapes_differ_are_named(
    make_config: Any, distillation: Any, tmp_path: Path
) -> None:
    import paddle

    from graphprobe.training.assemble import assemble

    plain = distillation(tmp_path / "run")
    plain["teacher"]["program"] = "zoo:yolov3_r34?num_classes=3&scale=0.05"
    with pytest.raises(ConfigError) as caught:
        assemble(make_config(plain), paddle.CPUPlace(), where="d.yaml", log=lambda _: None)
    assert len(caught.value.problems) == 3
    assert str(caught.value).startswith(
        "d.yaml: pairs[0]: student [-1, 21, -1, -1], teacher [-1, 24"
    )


def test_a_merge_computes_what_the_teacher_computes(
    make_config: Any, distillation: Any, tmp_path: Path, teacher_run: Path
) -> None:
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    plain = distillation(tmp_path / "run", teacher_run, teacher_engine="merge", onednn=False)
    config = make_config(plain)
    parts = assemble(config, paddle.CPUPlace(), where="d.yaml", log=lambda _: None)
    sets = open_sets(config.train, parts.student.built)
    feed = train_batches(config.train, sets.train, parts.student.built).batch(0)
    names = [pair.teacher for pair in config.pairs]
    executor = paddle.static.Executor(paddle.CPUPlace())
    alone = executor.run(
        parts.teacher.main.clone(for_test=True), feed=feed, fetch_list=names,
        scope=parts.teacher.scope,
    )  # fmt: skip
    block = parts.student.main.global_block()
    merged = executor.run(
        parts.engine._compute, feed=feed, scope=parts.student.scope,
        fetch_list=[f"teacher_{name}" for name in names] + [p.student for p in config.pairs],
    )  # fmt: skip
    teacher, student = merged[:3], merged[3:]
    for one, other in zip(alone, teacher, strict=True):
        np.testing.assert_array_equal(one, other)
    losses = parts.engine.losses(1, feed)
    for index, (s, t) in enumerate(zip(student, teacher, strict=True)):
        assert losses[f"l2.{index}"] == pytest.approx(0.1 * np.mean((s - t) ** 2), rel=1e-4)
    assert losses["total"] == pytest.approx(
        sum(v for n, v in losses.items() if n != "total"), rel=1e-5
    )
    assert block.var("teacher_conv2d_6.tmp_1").stop_gradient
