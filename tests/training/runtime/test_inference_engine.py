"""The settings of Paddle's inference engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.paddle

# A head of attention as exporters write it: what the engine's pass looks for.
CODE = """
from pathlib import Path
from graphprobe.compat import import_paddle
import_paddle()
import numpy as np
import paddle
from paddle import inference
from graphprobe.training.runtime.inference_engine import engine_settings, run_predictor

paddle.enable_static()
place = paddle.CPUPlace()
x = paddle.static.data("x", [-1, 40, 120])
qkv = paddle.static.nn.fc(x, 360, num_flatten_dims=2)
qkv = paddle.transpose(paddle.reshape(qkv, [0, -1, 3, 8, 15]), [2, 0, 3, 1, 4])
q, k, v = (paddle.squeeze(paddle.slice(qkv, [0], [i], [i + 1]), [0]) for i in range(3))
weights = paddle.nn.functional.softmax(
    paddle.matmul(paddle.scale(q, 15**-0.5), paddle.transpose(k, [0, 1, 3, 2]))
)
out = paddle.matmul(weights, v)
out = paddle.reshape(paddle.transpose(out, [0, 2, 1, 3]), [0, -1, 120])
executor = paddle.static.Executor(place)
executor.run(paddle.static.default_startup_program())
paddle.static.save_inference_model("net", [x], [out], executor)
settings = engine_settings(Path("net.pdmodel"), Path("net.pdiparams"), place)
assert "self_attention_fuse_pass" not in settings.pass_builder().all_passes()
predictor = inference.create_predictor(settings)
image = np.random.default_rng(0).normal(size=(1, 40, 120)).astype("float32")
predictor.get_input_handle("x").copy_from_cpu(image)
run_predictor(predictor)
found = predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
(plain,) = executor.run(feed={"x": image}, fetch_list=[out])
np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)
"""


def test_attention_runs_on_processors_without_avx_512(tmp_path: Path) -> None:
    """The engine's own pass for it ends such a process with an illegal instruction."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
