"""graphprobe asks Paddle for programs of the old form, and says so where it comes too late."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from graphprobe.compat import before_import
from graphprobe.compat.ir_mode import FLAG, refuse_new_form
from graphprobe.errors import MissingDependency


def test_the_flag_is_set_before_paddle_is_imported(monkeypatch):
    monkeypatch.delenv(FLAG, raising=False)
    before_import()
    assert os.environ[FLAG] == "0"


def test_a_paddle_of_the_new_form_is_refused_with_what_to_do():
    state = SimpleNamespace(_use_pir_api_=True)
    framework = SimpleNamespace(global_var=state)
    paddle = SimpleNamespace(base=SimpleNamespace(framework=framework), __version__="3.3.1")
    with pytest.raises(MissingDependency, match=r"3\.3\.1 was imported with its new form"):
        refuse_new_form(paddle)
    state._use_pir_api_ = False
    refuse_new_form(paddle)


@pytest.mark.paddle
def test_nothing_is_printed_by_an_import_and_a_build():
    code = (
        "from graphprobe.compat import import_paddle; import_paddle(); "
        "from graphprobe.zoo import build_zoo, parse_zoo; "
        "build_zoo(parse_zoo('zoo:yolov3_mobilenet_v1?scale=0.25'), 'train')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr == ""
