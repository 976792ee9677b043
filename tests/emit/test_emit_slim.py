"""What is written for PaddleSlim, tried with the real PaddleSlim."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from graphprobe.emit.pair_emitters.act import act_section, act_text
from graphprobe.emit.pair_emitters.python import python_text
from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.pairing.find import find_pairs
from graphprobe.programs import load_program
from graphprobe.zoo import build_zoo, parse_zoo

pytestmark = pytest.mark.paddle

OPTIONS = "?scale=0.05&num_classes=3&size=64"
STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_mobilenet_v1"


def exported(name: str, options: str, folder: Path) -> Program:
    """Save an inference model with fresh weights and read it back."""
    import paddle

    built = build_zoo(parse_zoo(f"{name}{options}&mode=infer"))
    block = built.main.global_block()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor.run(built.startup)
        paddle.static.save_inference_model(
            str(folder / "model"),
            [block.var(name) for name, _, _ in built.feeds],
            [block.var(name) for name in built.outputs.values()],
            executor,
            program=built.main,
        )
    return load_program(str(folder))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Program]:
    folders = [tmp_path_factory.mktemp(side) for side in ("student", "teacher")]
    student = exported(STUDENT, OPTIONS, folders[0])
    return student, exported(TEACHER, OPTIONS.replace("0.05", "0.1"), folders[1])


def test_auto_compression_trains_with_the_section(models):
    import paddle
    from paddleslim.auto_compression.create_compressed_program import build_distill_program

    student, teacher = models
    report = find_pairs(student, teacher)
    section = yaml.safe_load(act_text(report, student, teacher))["Distillation"]
    assert section["node"][:2] == ["teacher_conv2d_20.tmp_1", "conv2d_20.tmp_1"]
    assert (section["loss"], section["alpha"]) == ("l2", 100.0)
    executor = paddle.static.Executor(paddle.CPUPlace())
    config = {**section, "model_dir": f"{student.origin.source}/model"}
    optimizer: dict[str, Any] = {"optimizer": {"type": "SGD"}, "weight_decay": 0.0}
    train = {"learning_rate": 0.0, "optimizer_builder": optimizer}
    with paddle.static.scope_guard(paddle.static.Scope()):
        info, _ = build_distill_program(executor, paddle.CPUPlace(), config, train)
        executor.run(info.startup_program)
        feed = {"image": np.random.default_rng(0).random((1, 3, 64, 64), dtype="float32")}
        feed |= {n: np.full((1, 2), 64, "int32") for n in info.feed_target_names if n != "image"}
        names = [*section["node"], *info.fetch_targets]
        *values, loss = executor.run(info.program, feed=feed, fetch_list=names)
    pairs = zip(values[::2], values[1::2], strict=True)
    expected = sum(100.0 * np.mean((teacher - student) ** 2) for teacher, student in pairs)
    assert np.isfinite(expected) and expected > 0
    np.testing.assert_allclose(float(np.mean(loss)), expected, rtol=1e-4)


def run_script(text: str, folder: Path) -> dict[str, float]:
    """The terms that a script prints of its one step."""
    (folder / "distill.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "distill.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    terms = {
        line.split(": ")[1].rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in ran.stdout.splitlines()
        if line.startswith("step 0: ")
    }
    assert all(np.isfinite(value) for value in terms.values()), terms
    assert terms["task"] > 0
    assert terms["total"] == pytest.approx(sum(terms.values()) - terms["total"], rel=1e-4)
    return terms


def test_the_script_runs_as_it_stands(tmp_path):
    student = teacher = load_program(f"{STUDENT}{OPTIONS}")
    terms = run_script(python_text(find_pairs(student, teacher), student, teacher), tmp_path)
    assert list(terms) == ["total", "task", *(f"l2 conv2d_{n}.tmp_1" for n in (20, 28, 36))]
    assert all(value > 0 for value in terms.values())


def test_a_dense_detector_is_fed_a_row_for_each_of_its_cells(tmp_path):
    program = load_program("zoo:retinanet_r50?scale=0.05&num_classes=3&frozen=false")
    report = find_pairs(program, program, loss="l2")
    terms = run_script(python_text(report, program, program), tmp_path)
    assert list(terms)[2:] == [f"l2 {pair.student}" for pair in report.pairs]


@pytest.mark.parametrize(
    "source",
    [
        "zoo:gfl_r18vd?scale=0.05&num_classes=3&frozen=false&size=64",
        "zoo:deeplabv3p_mobilenetv2?scale=0.05&num_classes=3&size=64",
    ],
)
def test_soft_label_of_maps_is_the_number_that_graphprobe_trains_with(source, tmp_path):
    program = load_program(source)
    report = find_pairs(program, program, loss="soft_label")
    text = python_text(report, program, program)
    ours = """
    from graphprobe.losses import find_loss
    for theirs, mine, *_ in PAIRS:
        both = [block.var(mine)], [block.var("teacher_" + theirs)]
        terms[f"ours {mine}"] = find_loss("soft_label").build(*both, axis=1)
"""
    assert text.count("    total = ") == 1
    terms = run_script(text.replace("    total = ", f"{ours}    total = "), tmp_path)
    names = [pair.student for pair in report.pairs]
    assert names and {len(pair.student_shape) for pair in report.pairs} == {4}
    slim = [terms[f"soft_label {name}"] for name in names]
    np.testing.assert_allclose(slim, [terms[f"ours {name}"] for name in names], rtol=1e-5)


@pytest.mark.parametrize(("name", "loss"), [("retinanet_r50", "fgd"), ("gfl_r18vd", "ld")])
def test_losses_that_are_fed_maps_of_boxes_are_refused_in_one_line(name, loss):
    program = load_program(f"zoo:{name}?scale=0.05&num_classes=3")
    with pytest.raises(UsageError, match=f"{loss} is fed maps") as error:
        python_text(find_pairs(program, program, loss=loss), program, program)
    assert "loss='l2'" in str(error.value) and "\n" not in str(error.value)


def test_what_auto_compression_cannot_take_is_refused(models):
    student, teacher = models
    with pytest.raises(UsageError, match="no loss fsp"):
        act_section(find_pairs(student, teacher, loss="fsp"), student, teacher)
    with pytest.raises(UsageError, match="over the last axis"):
        act_section(find_pairs(student, teacher, loss="soft_label"), student, teacher)
    zoo = load_program(f"{STUDENT}{OPTIONS}")
    with pytest.raises(UsageError, match="from files"):
        act_section(find_pairs(zoo, zoo), zoo, zoo)


def test_a_role_whose_loss_auto_compression_lacks_gets_l2(models):
    student = teacher = models[0]
    text = act_text(find_pairs(student, teacher, "neck_levels"), student, teacher)
    assert "# l2 stands for relative_l2, which auto-compression does not have.\n" in text
    assert yaml.safe_load(text)["Distillation"]["loss"] == "l2"
    with pytest.raises(UsageError, match="no loss relative_l2"):
        act_text(find_pairs(student, teacher, "neck_levels", "relative_l2"), student, teacher)


def test_losses_that_fit_any_feature_run_in_the_script_as_they_stand(tmp_path):
    program = load_program(f"{STUDENT}{OPTIONS}")
    report = find_pairs(program, program, "neck_levels", "cosine")
    mixed = replace(report, pairs=(replace(report.pairs[0], loss="relative_l2"), *report.pairs[1:]))
    terms = run_script(python_text(mixed, program, program), tmp_path)
    names = [f"{pair.loss} {pair.student}" for pair in mixed.pairs]
    assert list(terms) == ["total", "task", *names]
    assert {name.partition(" ")[0] for name in names} == {"cosine", "relative_l2"}
