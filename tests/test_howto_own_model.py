"""docs/howto-own-model.md, run as it stands, with two steps and four pictures."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

pytestmark = pytest.mark.paddle
PAGE = (Path(__file__).resolve().parents[1] / "docs/howto-own-model.md").read_text()
TINY = ["train.max_iters=2", "train.batch_size=2", "train.workers=0", "train.log_iter=1"]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[str]:
    """The page's command lines, those that go over several lines joined."""
    text = "".join(blocks("console")).replace("\\\n", " ")
    return text.splitlines()


def tiny(words: list[str]) -> list[str]:
    words = [word.replace("count=400", "count=4") for word in words]
    more = [word for value in TINY for word in ("-o", value)] if words[0] == "train" else []
    return [*words, *more]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for block in blocks("python"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block)
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    return tmp_path


def test_the_page_leads_to_a_distilled_checkpoint(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = ["pairs", "--student", "my_detector:student", "--teacher", "my_detector:teacher"]
    assert run(build_app("pairs"), [*script, "--emit", "python", "-o", "slim.py"]) == 0
    assert len(commands()) == 10
    for line in commands():
        words = tiny(shlex.split(line)[1:])
        assert run(build_app(words[0]), words) == 0, (line, capsys.readouterr().err)
    said = capsys.readouterr()
    assert "conv2d_4.tmp_1 <- conv2d_4.tmp_1" in said.err
    for name in ("teacher", "student", "large", "segmenter"):
        result = json.loads((here / "runs" / name / "result.json").read_text())
        assert result["iterations"] == 2 and result["value"] is not None
        assert (here / "runs" / name / "checkpoints" / "000002" / "weights.npz").is_file()
    done = subprocess.run([sys.executable, "slim.py"], capture_output=True, text=True)
    assert "step 0: task " in done.stdout, done.stderr[-2000:]
    assert (here / "runs/student/infer/sheet.png").is_file()
    assert (here / "runs/student/export/model.pdmodel").is_file()


def test_a_cut_model_of_ones_own(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--student", "my_detector:student", "--prune", "0.5"]
    words += ["--teacher", "my_detector:teacher", "--data", "digits?count=4&size=64"]
    words += ["-o", "train.image_size=64", "-o", "train.output=runs/cut"]
    assert run(build_app("train"), tiny(words)) == 0
    assert "pruned: " in capsys.readouterr().err
    eval_words = ["eval", "runs/cut/distill.yaml", "--allow-code"]
    assert run(build_app("eval"), eval_words) == 0
    assert run(build_app("eval"), eval_words[:2]) == 2
    assert "runs only with --allow-code" in capsys.readouterr().err
