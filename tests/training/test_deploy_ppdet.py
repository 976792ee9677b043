"""PaddleDetection's own deploy script reads an export, and finds what `infer` finds.

Needs PADDLEDETECTION, the folder of a checkout of release/2.6, and PADDLEDETECTION_PYTHON, an
interpreter with paddlepaddle, opencv-python, pillow<10, scipy and pyyaml.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

ROW = re.compile(
    r"class_id:(\d+), confidence:([\d.]+), "
    r"left_top:\[([-\d.]+),([-\d.]+)\],right_bottom:\[([-\d.]+),([-\d.]+)\]"
)
PROGRAM = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.1"


@pytest.fixture
def script() -> tuple[str, Path]:
    """The interpreter, and the script."""
    folder, python = (
        os.environ.get(name) for name in ("PADDLEDETECTION", "PADDLEDETECTION_PYTHON")
    )
    if not folder or not python:
        pytest.skip("needs a checkout of PaddleDetection and a Python that runs its script")
    return python, Path(folder) / "deploy" / "python" / "infer.py"


@pytest.mark.paddle
@pytest.mark.network
def test_its_script_gives_the_boxes_of_infer(script: tuple[str, Path], tmp_path: Path) -> None:
    from PIL import Image

    import graphprobe

    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    config = {
        "version": 1,
        "kind": "train",
        "student": {"program": PROGRAM},
        "train": {
            "data": {"train": "digits?classes=2&count=8&size=64", "val": None},
            "image_size": 64, "batch_size": 2, "max_iters": 1, "workers": 0,
            "output": str(tmp_path / "run"),
        },
    }  # fmt: skip
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(config))
    graphprobe.train(tmp_path / "train.yaml", device="cpu")
    run = tmp_path / "run"
    found = graphprobe.predict(run, [tmp_path / "one.png"], threshold=0.0, device="cpu")
    graphprobe.export(run, tmp_path / "small", device="cpu")
    python, file = script
    words = [python, str(file), "--model_dir", str(tmp_path / "small"), "--device", "CPU"]
    words += ["--image_file", str(tmp_path / "one.png"), "--output_dir", str(tmp_path / "drawn")]
    done = subprocess.run([*words, "--threshold", "0.0"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = np.array(ROW.findall(done.stdout), float)
    ours: list[dict[str, Any]] = found.to_dict()["images"][0]["boxes"]
    names = ["0", "1"]
    wanted = [[names.index(b["class"]), b["score"], *b["box"]] for b in ours]
    assert len(rows) and len(rows) == len(wanted)
    theirs, mine = (sorted(map(tuple, np.round(part, 2).tolist())) for part in (rows, wanted))
    np.testing.assert_allclose(np.array(theirs), np.array(mine), atol=0.02)
