"""PaddleSlim's auto-compression takes the names that graphprobe finds, and trains and saves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import graphprobe
from graphprobe.formats import load_file

pytestmark = pytest.mark.paddle

TOOLS = Path(__file__).resolve().parents[2] / "tools"
# In a process of its own: it sets the static mode, the working folder and the log of Paddle.
CODE = """
import sys
from pathlib import Path
from graphprobe.training.runtime.process import import_paddle
import_paddle()
import numpy as np
import paddle
sys.path.insert(0, sys.argv[1])
from tiny_export import write_model
import graphprobe
write_model(Path("model"))
paddle.enable_static()
from paddleslim.auto_compression import AutoCompression

class Noise(paddle.io.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, number):
        return np.random.default_rng(number).normal(size=(3, 32, 32)).astype("float32")

x = paddle.static.data("x", [-1, 3, 32, 32])
loader = paddle.io.DataLoader(
    Noise(), feed_list=[x], places=[paddle.CPUPlace()], batch_size=2, return_list=False
)
config = {
    "Distillation": {"alpha": 1.0, "loss": "l2"},
    "ChannelPrune": {
        "pruned_ratio": 0.25,
        "criterion": "l1_norm",
        "prune_params_name": graphprobe.find_prunable("model").params,
    },
    "TrainConfig": {
        "epochs": 1,
        "eval_iter": 100,
        "learning_rate": 1e-3,
        "optimizer_builder": {"optimizer": {"type": "Momentum"}},
    },
}
AutoCompression(
    model_dir="model",
    model_filename="inference.pdmodel",
    params_filename="inference.pdiparams",
    save_dir="out",
    config=config,
    train_dataloader=loader,
    eval_callback=None,
).compress()
"""


def test_prunable_names_go_through_channel_pruning_with_distillation(tmp_path: Path) -> None:
    pytest.importorskip("paddleslim")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(TOOLS)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = graphprobe.find_prunable(str(tmp_path / "model")).params
    before, after = load_file(tmp_path / "model"), load_file(tmp_path / "out")
    assert names and after.fetches
    for param in before.parameters:
        if param.name in names:
            made = (after.shape(param.name) or (0,))[0]
            assert made == round(0.75 * (param.shape or (0,))[0]), param.name
