"""The script of docs/howto-exported.md gives the figure of graphprobe eval."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.paddle
PAGE = (Path(__file__).resolve().parents[3] / "docs/howto-exported.md").read_text()


def test_the_script_and_eval_agree(
    classifier: Callable[..., Path], classes: Path, tmp_path: Path
) -> None:
    import graphprobe

    model = classifier(tmp_path / "classifier", seed=3)
    shutil.copytree(classes, tmp_path / "photos")
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found = subprocess.run(  # noqa: S603 - the script of the page
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = float(found.stdout.split()[-1])
    value = graphprobe.evaluate(model, data=f"folder:{tmp_path / 'photos'}").value
    assert said == pytest.approx(value) and 0 < said < 1
