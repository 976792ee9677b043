"""A pruning config of a program file can be tried in a process that built no network before."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.paddle

CODE = """
import sys
from graphprobe.training.networks.forward import open_forward
from graphprobe.training.networks.source import Networks

print(*[value.shape for value in open_forward(Networks().source(sys.argv[1])).run()])
"""


def test_a_file_is_opened_without_a_bundled_model_first(tmp_path):
    from graphprobe.zoo import zoo_bytes

    path = tmp_path / "__model__"
    path.write_bytes(zoo_bytes("zoo:yolov3_mobilenet_v1?scale=0.05&size=32&mode=infer"))
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(1, 75, 1, 1) (1, 75, 2, 2) (1, 75, 4, 4)")
