"""Paddle's CPU threads: what says their number, and that nothing changes it on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphprobe.training.runtime.process import set_threads, thread_count


@pytest.mark.parametrize(("given", "count"), [("3", 3), ("3,2", 3), (" 4 ", 4)])
def test_omp_num_threads_says_it(monkeypatch: pytest.MonkeyPatch, given: str, count: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setenv("MKL_DOMAIN_NUM_THREADS", "")
    assert thread_count() == count
    assert set_threads() == count
    assert os.environ["OMP_NUM_THREADS"] == str(count)
    assert os.environ["MKL_DOMAIN_NUM_THREADS"] == f"MKL_DOMAIN_BLAS={count}"


@pytest.mark.parametrize("given", ["", "0", "-1", "many"])
def test_otherwise_it_is_a_share_of_the_cores(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    cores = thread_count()
    assert cores >= 1
    ends = ["here:1", "here:2", "there:1"]
    monkeypatch.setenv("PADDLE_CURRENT_ENDPOINT", ends[0])
    monkeypatch.setenv("PADDLE_TRAINER_ENDPOINTS", ",".join(ends))
    assert thread_count() == max(cores // 2, 1)


SCRIPT = """
import json
from graphprobe.training.runtime.process import import_paddle
import_paddle()
import numpy
import paddle
from paddle import inference
from threadpoolctl import threadpool_info
from graphprobe.training.runtime.inference_engine import run_predictor

paddle.enable_static()
x = paddle.static.data("x", [1, 4])
y = paddle.static.nn.fc(x, 2)
executor = paddle.static.Executor(paddle.CPUPlace())
executor.run(paddle.static.default_startup_program())
paddle.static.save_inference_model("m", [x], [y], executor)
settings = inference.Config("m.pdmodel", "m.pdiparams")
settings.set_cpu_math_library_num_threads(2)
predictor = inference.create_predictor(settings)
predictor.get_input_handle("x").copy_from_cpu(numpy.zeros([1, 4], "float32"))

def threads():
    return {i["num_threads"] for i in threadpool_info() if "iomp" in i["filepath"]}

found = [threads()]
for run in (predictor.run, lambda: run_predictor(predictor)):
    run()
    found.append(threads())
print(json.dumps([sorted(f) for f in found]))
"""


@pytest.mark.paddle
def test_an_engine_leaves_the_threads_as_they_were(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    before, plain, ours = json.loads(done.stdout.splitlines()[-1])
    assert (before, ours) == ([2], [2])
    assert plain == [1], "paddle's engine leaves them alone now: run_predictor can go"
