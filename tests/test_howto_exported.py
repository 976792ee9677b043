"""docs/howto-exported.md, run as it stands on a small model, with two steps."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from tools import tiny_export

pytestmark = pytest.mark.paddle
PAGE = (Path(__file__).resolve().parents[1] / "docs/howto-exported.md").read_text()
TINY = ["max_iters=2", "batch_size=2", "image_size=32", "workers=0", "learning_rate.warmup_steps=0"]


def test_the_page_leads_to_a_smaller_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_export.write_model(tmp_path / "detector")
    tiny_export.write_images(tmp_path / "photos")
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
