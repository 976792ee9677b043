"""Runs small enough for tests: YOLOv3 at a twentieth of its width on pictures of 32 pixels."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STUDENT = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
TEACHER = "zoo:yolov3_r34?num_classes=2&scale=0.05"
HEADS = (
    ("conv2d_20.tmp_1", "conv2d_6.tmp_1"),
    ("conv2d_28.tmp_1", "conv2d_14.tmp_1"),
    ("conv2d_36.tmp_1", "conv2d_22.tmp_1"),
)
MakeConfig = Callable[..., Any]


def document(output: Path, **train: Any) -> dict[str, Any]:
    """A config of kind train as plain data; keywords go into its section train."""
    return {
        "version": 1,
        "kind": "train",
        "student": {"program": STUDENT},
        "train": {
            "data": {
                "train": "digits?count=12&size=32&classes=2",
                "val": "digits?split=val&count=4&size=32&classes=2",
            },
            "augment": {"expand": False, "crop": False},
            "image_size": 32,
            "batch_size": 2,
            "max_iters": 6,
            "learning_rate": {"base": 1e-4, "warmup_steps": 2, "milestones": [4]},
            "snapshot_iter": 3,
            "log_iter": 2,
            "workers": 0,
            "output": str(output),
            **train,
        },
    }


def distillation(output: Path, teacher_weights: Path | None = None, **train: Any) -> dict[str, Any]:
    """The same with a teacher and l2 on the three heads."""
    plain = document(output, **train)
    teacher = {"program": TEACHER, "weights": teacher_weights and str(teacher_weights)}
    pairs = [{"student": s, "teacher": t, "loss": "l2", "weight": 0.1} for s, t in HEADS]
    return {**plain, "kind": "distill", "teacher": teacher, "pairs": pairs}


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """Plain data -> config, as `load_config` makes it of a file."""
    from graphprobe.config.load import validate

    def make(plain: dict[str, Any]) -> Any:
        config, problems = validate(plain)
        assert config is not None, problems
        return config

    return make


@pytest.fixture(name="document", scope="session")
def _document() -> Callable[..., dict[str, Any]]:
    return document


@pytest.fixture(scope="session")
def warm() -> Iterator[Any]:
    """Starts processes of graphprobe quickly; see warm.py."""
    path = Path(__file__).resolve().parents[2] / "tools" / "warm.py"
    spec = importlib.util.spec_from_file_location("warm", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.Warm() as found:
        yield found


@pytest.fixture(name="distillation", scope="session")
def _distillation() -> Callable[..., dict[str, Any]]:
    return distillation


@pytest.fixture(scope="session")
def teacher_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a teacher that was trained for two steps."""
    from graphprobe.config.load import validate
    from graphprobe.training.run import run_training

    folder = tmp_path_factory.mktemp("teacher")
    plain = {**document(folder, max_iters=2), "student": {"program": TEACHER}}
    config, problems = validate(plain)
    assert config is not None, problems
    run_training(config, where="teacher.yaml", device="cpu", log=lambda _: None)
    return folder


@pytest.fixture(scope="session")
def same_when_exported() -> Callable[..., Any]:
    """``same_when_exported(trained, feed, folder, legacy)`` exports a network, reads it back.

    It holds the output of Paddle's own loader against the trained network's, and gives the
    program that was read.
    """
    return _same_when_exported


def _same_when_exported(trained: Any, feed: dict[str, Any], folder: Path, legacy: bool) -> Any:
    import numpy as np
    import paddle

    from graphprobe.training.export import export_network

    place = paddle.CPUPlace()
    executor = paddle.static.Executor(place)
    names = list(trained.built.outputs.values())
    wanted = executor.run(trained.built.main, feed=feed, fetch_list=names, scope=trained.scope)
    paths = export_network(trained.built, trained.scope, place, folder, legacy=legacy)
    assert [path.name for path in paths] == (
        ["__model__", "__params__"] if legacy else ["model.pdmodel", "model.pdiparams"]
    )
    files = {"model_filename": paths[0].name, "params_filename": paths[1].name} if legacy else {}
    prefix = str(folder) if legacy else str(folder / "model")
    with paddle.static.scope_guard(paddle.static.Scope()):
        program, feeds, fetches = paddle.static.load_inference_model(prefix, executor, **files)
        given = feed if legacy else _as_deployed(feed)
        found = executor.run(program, feed={n: given[n] for n in feeds}, fetch_list=fetches)
    assert len(wanted[0])
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)
    return program


def _as_deployed(feed: dict[str, Any]) -> dict[str, Any]:
    """Images as PaddleDetection's deploy scripts feed them: size after resizing, and its factor."""
    import numpy as np

    sizes = feed["im_size"]
    resized = np.array([feed["image"].shape[2:]] * len(sizes), np.float32)
    factor = (resized.astype(np.float64) / sizes).astype(np.float32)
    return {"image": feed["image"], "im_shape": resized, "scale_factor": factor}


@pytest.fixture(scope="session")
def export_small() -> Callable[..., Path]:
    """``export_small(folder, channels=8, name="inference")`` exports a small network.

    Two convolutions with norms, a third whose outputs are scores of 4 classes, and the best class
    of each place: an op behind which no gradient comes. Its picture is called x and has any size.
    """
    return _export_small


def _export_small(folder: Path, *, channels: int = 8, seed: int = 0, name: str = "m") -> Path:
    import numpy as np
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    scope, executor = paddle.static.Scope(), paddle.static.Executor(paddle.CPUPlace())
    paddle.seed(seed)
    with (
        paddle.static.program_guard(main, startup),
        paddle.utils.unique_name.guard(),
        paddle.static.scope_guard(scope),
    ):
        x = paddle.static.data("x", [-1, 3, -1, -1])
        y = x
        for width in (channels, channels):
            y = paddle.static.nn.conv2d(y, width, 3, padding=1, stride=2, bias_attr=False)
            y = paddle.static.nn.batch_norm(y, act="relu", is_test=True)
        scores = paddle.static.nn.conv2d(y, 4, 1)
        best = paddle.argmax(scores, axis=1)
        executor.run(startup)
        rng = np.random.default_rng(seed)
        for var in main.list_vars():
            if var.persistable and var.name.startswith("batch_norm"):
                tensor = scope.find_var(var.name).get_tensor()
                value = rng.uniform(0.5, 1.5, tensor.shape())
                tensor.set(value.astype("float32"), paddle.CPUPlace())
        folder.mkdir(parents=True, exist_ok=True)
        path = str(folder / name)
        softmax = paddle.nn.functional.softmax(scores, axis=1)
        paddle.static.save_inference_model(path, [x], [softmax, best], executor, program=main)
    return folder


@pytest.fixture(scope="session")
def small_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six pictures of 40 x 48 pixels."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(6):
        small = rng.integers(0, 255, (5, 6, 3), np.uint8)
        Image.fromarray(small).resize((48, 40)).save(folder / f"{number}.png")
    return folder
