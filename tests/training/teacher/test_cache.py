"""A teacher whose outputs are kept: computed once, the same bits, no more than allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.paddle

PICTURES = np.random.default_rng(0).normal(size=(9, 3, 4, 4)).astype(np.float32)
PLAIN = {"distort": False, "expand": False, "crop": False, "flip": False}
KEPT = "teacher: outputs of 7 of 7 samples are kept (nothing random before them), up to 0.0123 MB"


class Teacher:
    """Computes two variables of a picture with numpy, and counts for how many at once."""

    def __init__(self, compute: Callable[[Any], Any] | None = None) -> None:
        self.inputs, self.asked = ["image"], []
        self.compute = compute or (lambda image: image.mean((2, 3)))

    def outputs(self, feed: Any) -> dict[str, Any]:
        assert set(feed) >= {"image"}
        self.asked.append(len(feed["image"]))
        return {"teacher_a": self.compute(feed["image"]), "teacher_b": feed["image"] * 2}

    def extend(self, feed: Any) -> dict[str, Any]:
        return {**feed, **self.outputs(feed)}


def batch(samples: list[int]) -> dict[str, Any]:
    indices = np.array(samples, np.int64)
    return {"image": PICTURES[indices], "label": indices, "sample_index": indices}


def kept(teacher: Teacher, sizes: list[int], limit: int) -> Any:
    from graphprobe.training.teacher.cache import TeacherCache

    return TeacherCache(teacher, sizes, limit)


def test_each_sample_is_computed_once() -> None:
    teacher = Teacher()
    keeper = kept(teacher, [1, 2, 4], 10**6)
    for samples in ([0, 1, 2, 3], [4, 5, 0, 6], [3, 7, 7, 6], [7, 0, 4, 2], [6, 6, 1, 5]):
        found = keeper.extend(batch(samples))
        assert list(found) == ["image", "label", "teacher_a", "teacher_b"]
        wanted = Teacher().outputs(batch(samples))
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
    assert teacher.asked == [4, 4, 1], "4; 3 of 4, filled up to 4; sample 7 once"


def test_a_batch_without_names_is_computed_as_it_is() -> None:
    teacher = Teacher()
    keeper = kept(teacher, [1, 2], 10**6)
    feed = {name: array for name, array in batch([0, 1]).items() if name != "sample_index"}
    for _ in range(3):
        assert np.array_equal(keeper.extend(feed)["teacher_b"], feed["image"] * 2)
    assert teacher.asked == [2, 2, 2]


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, 8), min_size=4, max_size=4), min_size=1, max_size=12),
    room=st.integers(0, 10),
    sizes=st.sampled_from([[4], [1, 4], [2, 4], [1, 2, 4]]),
)
def test_no_more_is_kept_than_allowed(rows: list[list[int]], room: int, sizes: list[int]) -> None:
    each = 4 * (3 + 48)
    teacher = Teacher()
    keeper = kept(teacher, sizes, room * each + each // 2)
    seen: dict[int, None] = {}
    for samples in rows:
        before, held = len(teacher.asked), list(seen)[:room]
        found = keeper.extend(batch(samples))
        assert np.array_equal(found["teacher_a"], PICTURES[samples].mean((2, 3)))
        assert np.array_equal(found["teacher_b"], PICTURES[samples] * 2)
        missing = len(set(samples) - set(held))
        assert teacher.asked[before:] == [s for s in sizes if s >= missing][:1] * (missing > 0)
        seen |= dict.fromkeys(samples)


def test_only_what_was_proven_is_safe() -> None:
    from graphprobe.training.teacher.cache import safe_sizes

    draw = np.random.default_rng(0)
    cases: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
        "each by itself": (lambda x: x.mean((2, 3)), [1, 2, 4, 6]),
        "centred over the batch": (lambda x: x - x.mean(0), []),
        "one number of all": (lambda x: x.mean(), []),
        "an axis of rows, not of samples": (lambda x: x.reshape(-1, 4), []),
        "no axis of the batch, as long by chance": (lambda x: np.arange(6.0), []),
        "the place in the batch": (lambda x: x + np.arange(len(x))[:, None, None, None], []),
        "drawn": (lambda x: x + draw.normal(size=x.shape), []),
        "rounded otherwise by twos": (lambda x: x + 1e-6 * (len(x) == 2), [1, 4, 6]),
        "rounded otherwise in part": (lambda x: x + 1e-6 * (len(x) < 6), [6]),
    }
    feed = batch([3, 1, 4, 0, 5, 2])
    for name, (compute, sizes) in cases.items():
        teacher = Teacher(compute)
        assert safe_sizes(teacher, feed, teacher.outputs(feed)) == sizes, name
    alone = batch([3])
    assert safe_sizes(Teacher(), alone, Teacher().outputs(alone)) == [1]


@pytest.fixture
def run(
    make_config: Any,
    distillation: Any,
    teacher_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A whole run on 7 pictures: what it said of outputs and how many the engine was asked for."""
    from graphprobe.training.run import run_training
    from graphprobe.training.teacher import inference

    asked: list[int] = []
    outputs = inference.InferenceTeacher.outputs

    def count(self: Any, feed: Any) -> Any:
        asked.append(len(feed["image"]))
        return outputs(self, feed)

    monkeypatch.setattr(inference.InferenceTeacher, "outputs", count)
    data = {"train": "digits?count=7&size=32&classes=2", "val": None}

    def start(name: str, resume: str | None = None, **train: Any) -> tuple[str, list[int]]:
        settings = {"data": data, "augment": PLAIN, "max_iters": 12, "snapshot_iter": 4, **train}
        config = make_config(distillation(tmp_path / name, teacher_run, **settings))
        asked.clear()
        said: list[str] = []
        run_training(config, where="d.yaml", device="cpu", resume=resume, log=said.append)
        return next(line for line in said if "outputs" in line), asked.copy()

    return start


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k.startswith("loss/")} for line in lines]


def end(folder: Path) -> dict[str, Any]:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    found = read_checkpoint(folder / "checkpoints" / "000012")
    return {**found.weights, **{f"optimizer/{k}": v for k, v in found.optimizer.items()}}


def assert_same_end(one: Path, other: Path) -> None:
    """To the bit; on Paddle 3 to 1e-6, in losses too.

    There the last bit of some value once differed, in one of a dozen runs of these tests on a
    loaded machine. It was looked for since and not seen: 15 comparisons in five processes at a
    load of 14 to 24 and 50 in one process were equal to the bit, so that the spread measured is
    0. What is not the cause: the programs (they are the same for five hash seeds, and none writes
    a variable twice), the alignment of tensors (64 bytes), denormals (an executor keeps them), the
    number of threads and FLAGS_new_executor_serial_run. 1e-6 is eight roundings of single
    precision: the one that was seen and the seven updates that come after a resume here.
    """
    import paddle

    if paddle.__version__.startswith("3."):
        close = {"rel": 1e-6, "abs": 1e-6}
        for mine, others in zip(losses(one), losses(other), strict=True):
            assert mine == pytest.approx(others, **close)
        found, wanted = end(one), end(other)
        assert found.keys() == wanted.keys()
        for name, array in found.items():
            np.testing.assert_allclose(array, wanted[name], 1e-6, 1e-6, err_msg=name)
        return
    assert_same_bits(one, other)


def assert_same_bits(one: Path, other: Path) -> None:
    assert losses(one) == losses(other)
    ends = end(one), end(other)
    assert ends[0].keys() == ends[1].keys()
    for name, array in ends[0].items():
        np.testing.assert_array_equal(array, ends[1][name], err_msg=name)


def test_kept_outputs_give_the_bits_of_computed_ones(run: Any, tmp_path: Path) -> None:
    """7 pictures in batches of 2: the fourth batch has the last of them, and one of the first."""
    assert run("kept") == (KEPT, [2, 1, 2, *[2, 2, 2, 1]])
    line, asked = run("computed", teacher_cache_mb=0)
    assert line == "teacher: outputs are not kept (teacher_cache_mb is 0)"
    assert asked == [2] * 12
    assert_same_bits(tmp_path / "kept", tmp_path / "computed")


def test_kept_outputs_give_the_losses_of_a_merge(
    make_config: Any, distillation: Any, teacher_run: Path, tmp_path: Path
) -> None:
    """Batches of three epochs, without updates: roundings of weights would add up."""
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.feeding.feeding import open_sets, train_batches
    from graphprobe.training.teacher.cache import cache_outputs

    found: dict[str, list[dict[str, float]]] = {}
    said: list[str] = []
    for engine in ("inference", "merge"):
        plain = distillation(tmp_path, teacher_run, augment=PLAIN, teacher_engine=engine)
        plain["train"]["data"]["train"] = "digits?count=7&size=32&classes=2"
        config = make_config(plain)
        parts = assemble(config, paddle.CPUPlace(), where="d.yaml", log=lambda _: None)
        sets = open_sets(config.train, parts.student.built)
        batches = train_batches(config.train, sets.train, parts.student.built)
        batches = cache_outputs(parts, batches, config.train, said.append)
        found[engine] = [parts.engine.losses(1, batches.batch(number)) for number in range(11)]
    assert said == [KEPT, "teacher: outputs are not kept (teacher_engine is merge)"]
    for kept, merged in zip(*found.values(), strict=True):
        assert set(kept) == {"total", "task", "l2.0", "l2.1", "l2.2"}
        assert kept == pytest.approx(merged, rel=1e-4)


def test_a_resumed_run_ends_the_same_though_it_keeps_anew(run: Any, tmp_path: Path) -> None:
    run("whole")
    run("parts", max_iters=5)
    line, asked = run("parts", resume="auto")
    assert line == KEPT
    assert 5 <= len(asked) - 3 < 8, "what the first part kept is computed again, among others"
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("augment", [{"flip": True}, {"sizes": [32, 64]}])
def test_nothing_is_kept_behind_something_random(run: Any, augment: dict[str, Any]) -> None:
    line, asked = run("random", augment={**PLAIN, **augment}, max_iters=5)
    assert line == "teacher: outputs are not kept (augmentation or sizes are random)"
    assert asked == [2] * 5


def test_what_comes_after_the_last_mixture_is_kept(run: Any) -> None:
    line, asked = run("late", augment={**PLAIN, "mixup": True, "mixup_until": 6})
    assert "(nothing random before them from iteration 6 on)" in line
    assert asked[:10] == [2, 1, 2, *[2] * 6, 2], "the trial, six mixtures, then what is kept"
    assert sum(asked[9:]) == 7
