"""Small exported programs whose outputs labels can be held against, and labelled images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SETTINGS = """\
Preprocess:
- {type: Resize, interp: 1, keep_ratio: false, target_size: [32, 32]}
- {type: NormalizeImage, is_scale: true, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
- {type: Permute}
"""
# Small enough for a test.
FAST = {
    "train.batch_size": 4,
    "train.workers": 0,
    "train.max_iters": 4,
    "train.snapshot_iter": 2,
    "train.eval_iter": 0,
    "train.learning_rate.warmup_steps": 0,
    "train.learning_rate.base": 0.01,
}
Outputs = Callable[[Any], list[Any]]


def export(folder: Path, outputs: Outputs, *, seed: int = 0, settings: str = SETTINGS) -> Path:
    """Write a program as exporters do: ``outputs`` makes the outputs of the image ``x``."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    executor = paddle.static.Executor(paddle.CPUPlace())
    paddle.seed(seed)
    with (
        paddle.static.program_guard(main, startup),
        paddle.utils.unique_name.guard(),
        paddle.static.scope_guard(paddle.static.Scope()),
    ):
        x = paddle.static.data("x", [-1, 3, 32, 32])
        found = outputs(x)
        feeds = [x, *(v for v in main.list_vars() if v.name in ("scale_factor", "im_shape"))]
        executor.run(startup)
        folder.mkdir(parents=True)
        path = str(folder / "inference")
        paddle.static.save_inference_model(path, feeds, found, executor, program=main)
    (folder / "infer_cfg.yml").write_text(settings)
    return folder


def features(x: Any, channels: int = 8) -> Any:
    """A convolution with stride 2."""
    import paddle

    y = paddle.static.nn.conv2d(x, channels, 3, padding=1, stride=2)
    return paddle.nn.functional.relu(y)


def predict(folder: Path, feed: dict[str, Any]) -> list[Any]:
    """The outputs in Paddle's inference engine with its usual settings."""
    from paddle import inference

    settings = inference.Config(*(str(folder / f"inference.{e}") for e in ("pdmodel", "pdiparams")))
    settings.disable_glog_info()
    predictor = inference.create_predictor(settings)
    for name in predictor.get_input_names():
        predictor.get_input_handle(name).copy_from_cpu(feed[name])
    predictor.run()
    return [predictor.get_output_handle(n).copy_to_cpu() for n in predictor.get_output_names()]


def prepared(image: Any) -> Any:
    """What the settings above make of an image of 32 x 32: [1, 3, 32, 32]."""
    values = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None]).astype(np.float32)


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, green and blue images with noise, a folder each, 32 x 32 pixels."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("data") / "classes"
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green", "blue")):
        for part, count in (("train", 8), ("val", 4)):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 200, (32, 32, 3))
                pixels[..., channel] += 55
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(folder / part / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def classifier() -> Callable[..., Path]:
    """``classifier(folder, count=3, end="softmax", names=())`` exports a small one."""
    return _classifier


def _classifier(
    folder: Path, *, count: int = 3, end: str = "softmax", seed: int = 0, names: Any = ()
) -> Path:
    import paddle

    def outputs(x: Any) -> list[Any]:
        y = paddle.static.nn.fc(paddle.mean(features(x), axis=[2, 3]), count)
        probability = paddle.nn.functional.softmax(y)
        return [paddle.argmax(y, axis=1) if end == "argmax" else probability]

    listed = f"label_list: [{', '.join(names)}]\n" if names else ""
    return export(folder, outputs, seed=seed, settings=SETTINGS + listed)
