"""The teacher in the inference engine beside the teacher that is merged: the same losses."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import TrainError

pytestmark = pytest.mark.paddle

YOLO = "zoo:yolov3_{}?num_classes=2&scale={}&size=32{}"
DEEPLAB = "zoo:deeplabv3p_{}?num_classes=3&scale=0.1&size=65"
# student, teacher, pairs, data
CASES: dict[str, tuple[str, str, str | None, str]] = {
    "l2": (
        YOLO.format("mobilenet_v1", 0.05, ""),
        YOLO.format("r34", 0.05, ""),
        None,
        "digits?count=8&classes=2&size=32",
    ),
    "fine_grained": (
        YOLO.format("mobilenet_v1", 0.05, "&fine_grained=true"),
        YOLO.format("r34", 0.05, "&fine_grained=true"),
        None,
        "digits?count=8&classes=2&size=32",
    ),
    "adapter": (
        YOLO.format("mobilenet_v1", 0.05, ""),
        YOLO.format("r34", 0.2, ""),
        "neck_levels",
        "digits?count=8&classes=2&size=32",
    ),
    "segmentation": (
        DEEPLAB.format("mobilenetv2"),
        DEEPLAB.format("xception65"),
        None,
        "digits_seg?count=8&classes=2&size=65",
    ),
}


@pytest.fixture(scope="session")
def load_case(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(case, engine) -> the config that `pairs` writes for it, with settings for a test."""
    from graphprobe.config import load_config

    run = "from graphprobe_cli.main import main; main()"
    folder = tmp_path_factory.mktemp("pairs")

    def load(case: str, engine: str) -> Any:
        student, teacher, rule, data = CASES[case]
        path = folder / f"{case}.yaml"
        if not path.exists():
            words = ["pairs", "--student", student, "--teacher", teacher, "-o", str(path)]
            words += ["--rule", rule] if rule else []
            done = subprocess.run([sys.executable, "-c", run, *words], capture_output=True)
            assert done.returncode == 0, done.stderr
        settings = {
            "train.data.train": data,
            "train.data.val": "null",
            "train.batch_size": "2",
            "train.image_size": "65" if case == "segmentation" else "32",
            "train.teacher_engine": engine,
            "train.output": str(folder / "run"),
        }
        return load_config(path, [f"{key}={value}" for key, value in settings.items()])

    return load


def assembled(config: Any) -> tuple[Any, list[Any]]:
    """The parts of a run and its first two batches."""
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    parts = assemble(config, paddle.CPUPlace(), where="d.yaml", log=lambda _: None)
    sets = open_sets(config.train, parts.student.built)
    batches = train_batches(config.train, sets.train, parts.student.built)
    return parts, [batches.batch(0), batches.batch(1)]


@pytest.mark.parametrize("case", CASES)
def test_both_engines_give_the_same_losses(case: str, load_case: Any) -> None:
    found = {}
    for engine in ("merge", "inference"):
        parts, feeds = assembled(load_case(case, engine))
        found[engine] = [parts.engine.losses(1, feed) for feed in feeds]
        assert not any(name.startswith("teacher_") for name in parts.engine.parameters)
    for merged, fast in zip(*found.values(), strict=True):
        assert merged.keys() == fast.keys()
        assert len(merged) > 2
        for name, value in merged.items():
            assert fast[name] == pytest.approx(value, rel=1e-4), name


def test_steps_leave_the_teacher_as_it_is(load_case: Any) -> None:
    from graphprobe.training.assemble import teacher_values
    from graphprobe.training.teacher.prefetch import TeacherPrefetcher

    parts, (feed, other) = assembled(load_case("l2", "inference"))
    values, before = teacher_values(parts.teacher), parts.engine.extend(feed)
    given = {name for name in before if name.startswith("teacher_")}
    assert len(given) == 3
    with TeacherPrefetcher(iter([other, other, feed]), parts.engine.extend) as ahead:
        for step in (1, 2):
            parts.engine.step(step, ahead.next()[0], 0.01)
        after = ahead.next()[0]
    for name in given:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
        assert not np.array_equal(before[name], parts.engine.extend(other)[name])
    for name, value in teacher_values(parts.teacher).items():
        np.testing.assert_array_equal(value, values[name], err_msg=name)
    block = parts.student.main.global_block()
    assert all(block.var(name).stop_gradient for name in given)
    assert not any(block.has_var(f"{name}@GRAD") for name in given)


def test_a_temporary_folder_that_is_missing_is_told(
    make_config: Any, distillation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(TrainError, match=r"teacher cannot be written .*No such file.* set TMPDIR"):
        assembled(make_config(distillation(tmp_path / "run")))


def test_a_batch_that_has_the_teachers_variables_stays_as_it_is(load_case: Any) -> None:
    parts, (feed, _) = assembled(load_case("l2", "inference"))
    once = parts.engine.extend(feed)
    twice = parts.engine.extend({**once, "image": feed["image"] * 2})
    assert all(twice[name] is once[name] for name in once if name != "image")


def resident() -> int:
    """Bytes of this process in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def test_weights_are_not_kept_for_each_size_of_pictures() -> None:
    import paddle

    from graphprobe.config import ProgramRef
    from graphprobe.training.networks.build import fill, open_network
    from graphprobe.training.teacher.inference import InferenceTeacher

    place = paddle.CPUPlace()
    ref = ProgramRef(program="zoo:yolov3_r34?num_classes=2&scale=0.4")
    network = fill(open_network(ref, "teacher"), place, 0)
    weights = sum(4 * int(np.prod(shape)) for shape in network.shapes().values())
    teacher = InferenceTeacher(network, ["conv2d_6.tmp_1"], place)

    def run(size: int) -> Any:
        image = np.full((1, 3, size, size), size / 100, np.float32)
        return teacher.outputs({"image": image})["teacher_conv2d_6.tmp_1"]

    first, before = run(32), resident()
    for size in range(64, 64 + 10 * 32, 32):
        run(size)
    assert resident() - before < 4 * weights  # each size took one more
    np.testing.assert_array_equal(run(32), first)
