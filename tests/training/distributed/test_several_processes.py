"""Several processes that train one network: equal steps, one voice, one end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.paddle

HERE = Path(__file__).parent


def write(path: Path, plain: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(plain))
    return str(path)


def launcher_says(number: int, count: int, port: int) -> dict[str, str]:
    ends = [f"127.0.0.1:{port + i}" for i in range(count)]
    return {
        "PADDLE_TRAINER_ID": str(number),
        "PADDLE_TRAINERS_NUM": str(count),
        "PADDLE_TRAINER_ENDPOINTS": ",".join(ends),
        "PADDLE_CURRENT_ENDPOINT": ends[number],
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start(warm: Any, folder: Path, count: int, *words: str, script: str = "") -> list[int]:
    """`count` processes as the launcher starts them; each has its log in `folder`."""
    port = free_port()
    return [
        warm.start(
            folder / f"log.{number}",
            *(word.replace("RANK", str(number)) for word in words),
            script=script,
            **launcher_says(number, count, port),
        )
        for number in range(count)
    ]


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def steps(folder: Path) -> list[dict[str, Any]]:
    log = folder / "metrics.jsonl"
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def weights(folder: Path) -> dict[str, Any]:
    latest = (folder / "checkpoints" / "latest").read_text().strip()
    with np.load(folder / "checkpoints" / latest / "weights.npz") as found:
        return dict(found)


# The losses of all but the first are divided by objects or pixels of the batch.
STUDENTS = {
    "yolov3_mobilenet_v1?num_classes=2&scale=0.05": {},
    "retinanet_r50?num_classes=2&scale=0.05&frozen=false": {"image_size": 64},
    "gfl_r18vd?num_classes=2&scale=0.05&frozen=false": {"image_size": 64},
    "deeplabv3p_mobilenetv2?num_classes=3&scale=0.1&size=65": {
        "image_size": 65,
        "augment": {"expand": False, "crop": True},
        "data": {"train": "digits_seg?count=12&classes=2&size=65", "val": None},
    },
}


@pytest.mark.parametrize("student", STUDENTS, ids=[name.partition("_")[0] for name in STUDENTS])
def test_two_processes_step_as_one_with_the_whole_batch(
    student: str, warm: Any, tmp_path: Path, document: Any
) -> None:
    script = str(HERE / "one_step.py")
    found = {}
    for count in (1, 2):
        plain = document(tmp_path / "run", batch_size=4 // count, **STUDENTS[student])
        plain["student"]["program"] = f"zoo:{student}"
        config = write(tmp_path / f"{count}.yaml", plain)
        pids = start(warm, tmp_path, count, config, f"{tmp_path}/{count}.RANK.npz", script=script)
        assert [warm.wait(pid) for pid in pids] == [0] * count, (tmp_path / "log.0").read_text()
        for number in range(count):
            with np.load(tmp_path / f"{count}.{number}.npz") as arrays:
                found[count, number] = dict(arrays)
    whole, first, second = found[1, 0], found[2, 0], found[2, 1]
    assert whole.keys() == first.keys() == second.keys()
    least = 50 if student.startswith("gfl") else 100  # ResNet18 has fewer parameters
    assert sum(name.startswith("gradient/") for name in whole) > least
    assert any(np.abs(a).max() > 0.01 for n, a in whole.items() if n.startswith("gradient/"))
    for name, array in whole.items():
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        bound = 1e-5 * max(1.0, float(np.abs(array).max()))
        np.testing.assert_allclose(first[name], array, rtol=0, atol=bound, err_msg=name)


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory, document: Any) -> tuple[Path, str]:
    """A run of two processes that `paddle.distributed.launch` started, and what it said."""
    folder = tmp_path_factory.mktemp("launched")
    config = write(folder / "t.yaml", document(folder / "run", snapshot_iter=1, workers=1))
    command = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"]
    command += ["--log_dir", "logs", str(Path(sys.executable).with_name("graphprobe"))]
    done = subprocess.run(
        [*command, "train", config],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return folder, (folder / "logs" / "workerlog.0").read_text()


def test_the_launcher_starts_a_run_that_speaks_once(launched: tuple[Path, str]) -> None:
    folder, said = launched
    assert sorted(path.name for path in folder.iterdir()) == ["logs", "run", "t.yaml"]
    assert [line["iter"] for line in steps(folder / "run")] == [1, 2, 3, 4, 5, 6]
    assert {line["images"] for line in steps(folder / "run")} == {4}
    result = json.loads((folder / "run" / "result.json").read_text())
    assert result["iterations"] == 6
    assert result["value"] is not None
    assert "iter 6/6" in said
    other = (folder / "logs" / "workerlog.1").read_text()
    assert "iter " not in other
    assert "program" not in other
    state = json.loads((folder / "run" / "checkpoints" / "000006" / "state.json").read_text())
    assert state["processes"] == 2


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_ends_the_other_and_the_run_goes_on(
    warm: Any, tmp_path: Path, document: Any, launched: tuple[Path, str], victim: int
) -> None:
    folder = tmp_path / "run"
    config = write(tmp_path / "t.yaml", document(folder, snapshot_iter=1, workers=1))
    pids = start(warm, tmp_path, 2, "train", config)
    until(lambda: (folder / "checkpoints" / "000002").exists())
    os.kill(pids[victim], signal.SIGKILL)
    begin = time.monotonic()
    assert warm.wait(pids[1 - victim]) == 2
    assert time.monotonic() - begin < 60
    assert warm.wait(pids[victim]) == -signal.SIGKILL
    last = (tmp_path / f"log.{1 - victim}").read_text().splitlines()[-1]
    assert re.fullmatch(rf"error: process {victim} of 2 is gone; .* with --resume auto", last)
    pids = start(warm, tmp_path, 2, "train", config, "-r", "auto")
    assert [warm.wait(pid) for pid in pids] == [0, 0], (tmp_path / "log.0").read_text()
    assert [line["iter"] for line in steps(folder)] == [1, 2, 3, 4, 5, 6]
    whole, parts = weights(launched[0] / "run"), weights(folder)
    assert whole.keys() == parts.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(parts[name], array, err_msg=name)


def test_a_signal_to_one_stops_and_saves_all(warm: Any, tmp_path: Path, document: Any) -> None:
    folder = tmp_path / "run"
    plain = document(folder, snapshot_iter=1000, max_iters=1000)
    pids = start(warm, tmp_path, 2, "train", write(tmp_path / "t.yaml", plain))
    # A step is one of both, so both take signals now.
    until(lambda: len(steps(folder)) > 0)
    for _ in range(3):  # as the launcher does
        os.kill(pids[1], signal.SIGTERM)
    assert [warm.wait(pid) for pid in pids] == [130, 130]
    assert len(list((folder / "checkpoints").glob("0*"))) == 1
    assert "saved iteration" in (tmp_path / "log.0").read_text()


def test_an_error_of_one_is_told_by_the_other(warm: Any, tmp_path: Path, document: Any) -> None:
    """Process 1 finds the folder of a run; process 0 another one without."""
    (tmp_path / "1" / "checkpoints").mkdir(parents=True)
    (tmp_path / "1" / "checkpoints" / "latest").write_text("000001\n")
    for number in (0, 1):
        write(tmp_path / f"{number}.yaml", document(tmp_path / str(number)))
    pids = start(warm, tmp_path, 2, "train", str(tmp_path / "RANK.yaml"))
    assert [warm.wait(pid) for pid in pids] == [2, 2]
    assert re.search(
        r"error: process 1 of 2 ended: .*already holds a run", (tmp_path / "log.0").read_text()
    )


def test_synchronous_norms_are_refused_on_a_cpu(warm: Any, tmp_path: Path, document: Any) -> None:
    config = write(tmp_path / "t.yaml", document(tmp_path / "run", sync_bn=True))
    pids = start(warm, tmp_path, 2, "train", config)
    assert [warm.wait(pid) for pid in pids] == [2, 2]
    logs = [(tmp_path / f"log.{number}").read_text() for number in (0, 1)]
    assert any("sync_batch_norm runs on GPUs only" in log for log in logs)
