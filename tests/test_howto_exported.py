"""docs/howto-exported.md, run as it stands on a small model, with two steps."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app
from PIL import Image

pytestmark = pytest.mark.paddle
PAGE = (Path(__file__).resolve().parents[1] / "docs/howto-exported.md").read_text()
TINY = ["max_iters=2", "batch_size=2", "image_size=32", "workers=0", "learning_rate.warmup_steps=0"]


SETTINGS = """\
Preprocess:
- {type: Resize, interp: 2, keep_ratio: false, target_size: [32, 32]}
- {type: NormalizeImage, is_scale: true, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}
- {type: Permute}
"""


def export_detector(folder: Path) -> None:
    """A small network with the scores of four classes at each place."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with (
        paddle.static.program_guard(main, startup),
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
        folder.mkdir()
        path = str(folder / "inference")
        paddle.static.save_inference_model(path, [x], [scores], executor, program=main)


def test_the_page_leads_to_a_smaller_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    export_detector(tmp_path / "detector")
    (tmp_path / "detector" / "infer_cfg.yml").write_text(SETTINGS)
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 255, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).resize((32, 32)).save(tmp_path / "photos" / f"{number}.png")
    lines = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).splitlines()
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line.removeprefix("$ "))[1:]
        more = [w for value in TINY for w in ("-o", f"train.{value}")]
        assert run(build_app(words[0]), words + more * (words[0] == "train")) == 0, line
    said = capsys.readouterr()
    assert "teacher: detector/ itself, unpruned" in said.err
    assert "before training: agreement with the teacher" in said.err
    assert "outputs differ by" in said.err
    whole, small = (tmp_path / f / "inference.pdiparams" for f in ("detector", "small"))
    assert small.stat().st_size < whole.stat().st_size
