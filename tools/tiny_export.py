"""Write a small exported model and some images: what tools/kills.py and a test train.

python tools/tiny_export.py FOLDER    # FOLDER/model and FOLDER/images
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from graphprobe.compat import import_paddle

PREPARATION = """\
Preprocess:
- {type: Resize, interp: 2, keep_ratio: false, target_size: [32, 32]}
- {type: NormalizeImage, is_scale: true, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
- {type: Permute}
"""


def write_model(folder: Path) -> None:
    """Three convolutions and the scores of four classes at each place, and a yml beside."""
    import paddle

    paddle.enable_static()
    paddle.seed(0)
    program, startup = paddle.static.Program(), paddle.static.Program()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with (
        paddle.static.program_guard(program, startup),
        paddle.utils.unique_name.guard(),
        paddle.static.scope_guard(paddle.static.Scope()),
    ):
        x = paddle.static.data("x", [-1, 3, -1, -1])
        y = x
        for _ in range(2):
            y = paddle.static.nn.conv2d(y, 8, 3, padding=1, stride=2, bias_attr=False)
            y = paddle.static.nn.batch_norm(y, act="relu", is_test=True)
        scores = paddle.nn.functional.softmax(paddle.static.nn.conv2d(y, 4, 1), axis=1)
        executor.run(startup)
        folder.mkdir(parents=True)
        path = str(folder / "inference")
        paddle.static.save_inference_model(path, [x], [scores], executor, program=program)
    (folder / "infer_cfg.yml").write_text(PREPARATION)


def write_images(folder: Path) -> None:
    """Twelve images of 32 x 32 pixels."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 255, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).resize((32, 32)).save(folder / f"{number}.png")


if __name__ == "__main__":
    # in the mode in which such a model is built, where this Paddle has another
    import_paddle()
    write_model(Path(sys.argv[1]) / "model")
    write_images(Path(sys.argv[1]) / "images")
