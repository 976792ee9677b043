"""A user's own code that imports paddle before graphprobe."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.paddle

READS = "import zlib; zlib.decompress(zlib.compress(b'some text'))"
BUILDS = """
import paddle
from graphprobe.compat import import_paddle
import_paddle()
paddle.enable_static()
program = paddle.static.Program()
with paddle.static.program_guard(program):
    paddle.static.data("x", [2, 3])
paddle.static.Executor(paddle.CPUPlace()).run(program)
"""


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GLOG_")}
    return subprocess.run(
        [sys.executable, "-c", code], env=own | env, capture_output=True, text=True, check=False
    )


def test_a_zlib_that_came_too_late_is_warned_of_where_it_crashes() -> None:
    crashes = run(f"import paddle; {READS}").returncode != 0
    said = run("import paddle, graphprobe")
    assert said.returncode == 0
    assert ("import graphprobe, or zlib, before paddle" in said.stderr) == crashes
    for first in ("zlib", "graphprobe"):
        told = run(f"import {first}, paddle, graphprobe; {READS}")
        assert told.returncode == 0 and "zlib" not in told.stderr


def test_glog_is_quiet_where_paddle_was_imported_first() -> None:
    flag = {"FLAGS_enable_pir_api": "0"}
    told = run(f"import zlib, paddle; {BUILDS}", **flag)
    assert told.returncode == 0
    assert "Executor" not in told.stderr
    asked = run(f"import zlib, paddle; {BUILDS}", GLOG_minloglevel="0", **flag)
    assert "Executor is" in asked.stderr
