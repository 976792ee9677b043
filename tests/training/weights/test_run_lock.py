"""One process at a time owns a run's folder, and its death gives it back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights import run_lock
from graphprobe.training.weights.run_lock import own_run

OWN = """
import os, sys
from pathlib import Path
from graphprobe.training.weights.run_lock import own_run
with own_run(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    words = [sys.executable, "-c", OWN, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "mine\n"
        with pytest.raises(CheckpointError) as caught, own_run(folder):
            pass
        said = str(caught.value)
        assert f"another run is writing into it (process {first.pid} on " in said
        assert "set another train.output" in said
        first.kill()
        first.wait()
        with own_run(folder):
            assert str(os.getpid()) in (folder / ".lock").read_text()
        assert folder.is_dir()


def test_a_run_that_writes_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), own_run(tmp_path / "new"):
        raise KeyError
    assert not (tmp_path / "new").exists()
    with own_run(tmp_path / "new"):
        (tmp_path / "new" / "config.yaml").touch()
    assert (tmp_path / "new" / "config.yaml").exists()


def test_a_run_after_another(tmp_path: Path) -> None:
    for _ in range(2):
        with own_run(tmp_path):
            pass
    with pytest.raises(CheckpointError, match="cannot be made"), own_run(tmp_path / ".lock"):
        pass


def test_a_lock_that_another_run_removed_with_its_folder_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other was refused and left nothing, between the opening of the file and its lock."""
    folder, lock = tmp_path / "run", run_lock._lock
    removed = []

    def late(handle: int, where: Path) -> None:
        if not removed:
            removed.append(True)
            (where / ".lock").unlink()
            where.rmdir()
        lock(handle, where)

    monkeypatch.setattr(run_lock, "_lock", late)
    with own_run(folder):
        assert str(os.getpid()) in (folder / ".lock").read_text()
        assert run_lock.is_owned(folder)
    assert removed and not folder.exists()


@pytest.mark.paddle
def test_train_refuses_a_folder_that_another_run_has(tmp_path: Path) -> None:
    from graphprobe.config.load import validate
    from graphprobe.training.run import run_training

    document = {
        "version": 1,
        "kind": "train",
        "student": {"program": "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"},
        "train": {"data": {"train": "digits?count=2&size=32"}, "output": str(tmp_path / "run")},
    }
    config, problems = validate(document)
    assert config is not None, problems
    with own_run(tmp_path / "run"), pytest.raises(CheckpointError, match="another run is writing"):
        run_training(config, where="t.yaml", device="cpu", log=lambda _: None)
    assert not (tmp_path / "run").exists()
