"""A command reads each program once, builds each mode once, and prunes once."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.paddle

STUDENT = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
TEACHER = "zoo:yolov3_r34?num_classes=2&scale=0.05"
WORDS = (
    *("train", "--student", STUDENT, "--data", "digits?count=4&size=32&classes=2"),
    *("--device", "cpu", "-o", "train.image_size=32", "-o", "train.batch_size=2"),
    *("-o", "train.max_iters=1", "-o", "train.workers=0", "-o", "train.augment.crop=false"),
)

# A module of the user's own that notes how it is called.
OWN = (
    "import paddle\n"
    "from graphprobe import Model\n"
    "calls = []\n"
    "def build(mode):\n"
    "    calls.append(mode)\n"
    "    x = paddle.static.data('image', [-1, 3, 8, 8])\n"
    "    label = paddle.static.data('label', [-1, 8, 8], 'int32')\n"
    "    mask = paddle.static.data('mask', [-1, 8, 8], 'int32')\n"
    "    y = paddle.static.nn.conv2d(x, 2, 1)\n"
    "    return Model('segmentation', 2, [x, label, mask] if mode == 'train' else [x],\n"
    "                 loss=y.mean(), outputs={'label': y})\n"
)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter[str]:
    """How often the functions were called that load, build, reshape and rank."""
    from graphprobe import programs, zoo
    from graphprobe.training import student
    from graphprobe.training.networks import source
    from graphprobe.training.teacher import inference

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "paddleslim", None)  # nothing here needs it
    for text in (STUDENT, TEACHER):
        zoo.zoo_bytes(text)  # as after any command: the cache of programs is warm
    found: Counter[str] = Counter()

    def count(module: Any, name: str, key: Any) -> None:
        original = getattr(module, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            found[key(*args, **kwargs)] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    count(programs, "load_program", lambda text: f"load {text}")
    count(source, "build_zoo", lambda spec, mode: f"build {spec} {mode}")
    count(source, "replay_plan", lambda main, plan, startup: "reshape")
    count(student, "prune_values", lambda *_, **__: "prune")
    count(inference, "_start", lambda *_: "engine")
    return found


def test_train_with_a_teacher_and_pruning(counted: Counter[str]) -> None:
    from graphprobe_cli._errors import run
    from graphprobe_cli.main import build_app

    assert run(build_app("train"), [*WORDS, "--teacher", TEACHER, "--prune", "0.5"]) == 0
    assert counted == {
        f"load {STUDENT}": 1,
        f"load {TEACHER}": 1,
        f"build {STUDENT} train": 1,
        f"build {STUDENT} eval": 1,
        f"build {STUDENT} infer": 1,
        f"build {TEACHER} train": 1,
        "reshape": 3,  # the pruned student to train, to evaluate, and to time
        "prune": 1,
        "engine": 1,  # the teacher's, for the check and for the run
    }


def test_train_with_pruning_alone(counted: Counter[str]) -> None:
    from graphprobe_cli._errors import run
    from graphprobe_cli.main import build_app

    assert run(build_app("train"), [*WORDS, "--prune", "0.5"]) == 0
    assert counted == {
        f"load {STUDENT}": 1,
        f"build {STUDENT} train": 1,
        f"build {STUDENT} eval": 1,
        f"build {STUDENT} infer": 1,
        "reshape": 3,
        "prune": 1,
    }


def test_a_function_of_the_users_own_is_called_once_a_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training.networks.source import Networks

    (tmp_path / "counted_model.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    networks = Networks()
    text = "counted_model:build"
    loaded = networks.source(text).loaded
    assert loaded.source == text and networks.programs.load(text) is loaded
    for mode in ("train", "eval", "train", "eval"):
        networks.source(text).build(mode)
    import counted_model

    assert counted_model.calls == ["train", "eval"]


def test_a_config_from_names_calls_the_users_own_function_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.api.quick_config import QuickTrainRequest, make_config
    from graphprobe.training.networks.source import Networks

    (tmp_path / "own_model.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    networks = Networks()
    data = "digits_seg?count=4&size=32"
    request = QuickTrainRequest("own_model:build", None, None, data, ())
    make_config(request, networks, devices=1, resume=False, log=lambda _: None)
    networks.source("own_model:build").build("train")
    import own_model

    assert own_model.calls == ["train"]


def test_a_copy_keeps_what_clone_forgets() -> None:
    import paddle

    from graphprobe.training.runtime.programs import copy_program

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        x = paddle.static.data("x", [1, 4])
        weight = paddle.ParamAttr(name="w", need_clip=False, learning_rate=0.5)
        paddle.static.nn.fc(x, 2, weight_attr=weight).sum()
    found = copy_program(program).global_block().var("w")
    assert not found.need_clip and found.optimize_attr == {"learning_rate": 0.5}
