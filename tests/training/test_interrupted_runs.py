"""Runs that are killed, fill a disk, or lose a picture: what is left is whole, and goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from graphprobe.training.weights.checkpoint import read_newest

pytestmark = pytest.mark.paddle

KILLS = 20


def write(path: Path, plain: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(plain))
    return str(path)


def tree(*roots: Path) -> dict[str, tuple[int, int]]:
    """Every file under some folders with its size and time of change."""
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*")):
            status = path.lstat()
            if not path.is_dir():
                found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def arrays(folder: Path, iteration: int) -> dict[str, Any]:
    found = {}
    for name in ("weights", "optimizer"):
        path = folder / "checkpoints" / f"{iteration:06d}" / f"{name}.npz"
        with np.load(path) as loaded:
            found |= {f"{name}/{key}": loaded[key] for key in loaded.files}
    return found


def lines_of(folder: Path) -> list[str]:
    return (folder / "metrics.jsonl").read_text().splitlines()


def losses(folder: Path) -> list[tuple[int, float, float]]:
    lines = [json.loads(line) for line in lines_of(folder)]
    return [(line["iter"], line["lr"], line["loss/total"]) for line in lines]


def newest(folder: Path) -> int:
    latest = folder / "checkpoints" / "latest"
    return int(latest.read_text()) if latest.exists() else 0


def test_killed_at_random_moments_it_ends_bit_equal(
    warm: Any, tmp_path: Path, document: Any
) -> None:
    """SIGKILL 20 times, a third of them while it starts, the others while it steps and saves."""
    options = {"max_iters": 4 * KILLS, "snapshot_iter": 1, "keep_last": 2, "eval_iter": 20}
    whole, folder = tmp_path / "whole", tmp_path / "parts"
    config = write(tmp_path / "whole.yaml", document(whole, **options))
    begin = time.monotonic()
    assert warm.wait(warm.start(tmp_path / "log", "train", config)) == 0
    life = time.monotonic() - begin
    stepping = sum(json.loads(line)["seconds"] for line in lines_of(whole)[1:])
    config = write(tmp_path / "parts.yaml", document(folder, **options))
    draw = random.Random(0)
    for _ in range(KILLS):
        before, more = newest(folder), draw.randrange(3)
        pid = warm.start(tmp_path / "log", "train", config, "-r", "auto")
        while newest(folder) < before + more:
            time.sleep(0.001)
        end = time.monotonic() + draw.uniform(0, stepping / 40 if more else life - stepping)
        while time.monotonic() < end and newest(folder) < before + 3:
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        assert warm.wait(pid) == -signal.SIGKILL
    assert warm.wait(warm.start(tmp_path / "log", "train", config, "-r", "auto")) == 0
    one, other = arrays(whole, 4 * KILLS), arrays(folder, 4 * KILLS)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(other[name], array, err_msg=name)
    assert losses(whole) == losses(folder)
    results = [json.loads((path / "result.json").read_text()) for path in (whole, folder)]
    assert len({(r["value"], r["best"], r["best_iteration"]) for r in results}) == 1
    assert "damaged" not in (tmp_path / "log").read_text()
    assert not list((folder / "checkpoints").glob(".tmp-*"))


def test_killed_at_each_step_of_a_save_the_newest_or_the_one_before_is_whole(
    warm: Any, tmp_path: Path
) -> None:
    """A process that dies before its n-th call to the file system, for every n of one save."""
    script = str(Path(__file__).parent / "save_and_die.py")
    found = []
    for calls in range(100):
        root = tmp_path / str(calls)
        pid = warm.start(tmp_path / "log", str(root), str(calls), script=script)
        status = warm.wait(pid)
        said: list[str] = []
        newest = read_newest(root, said.append)
        assert said == []
        assert newest is not None
        found.append(newest.iteration)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    else:
        pytest.fail("a save took more than 100 calls")
    assert calls > 10
    assert found == sorted(found)
    assert set(found) == {1, 2}


def test_a_full_disk_ends_the_run_with_one_line_and_it_goes_on(
    warm: Any, tmp_path: Path, document: Any
) -> None:
    """Files may grow to a limit that the first checkpoints stay under: the system refuses more."""
    folder = tmp_path / "run"
    config = write(tmp_path / "t.yaml", document(folder, snapshot_iter=1, max_iters=2))
    assert warm.wait(warm.start(tmp_path / "first", "train", config)) == 0
    size = (folder / "checkpoints" / "000002" / "weights.npz").stat().st_size
    longer = write(tmp_path / "t.yaml", document(folder, snapshot_iter=1, max_iters=4))
    log = tmp_path / "log"
    pid = warm.start(log, "train", longer, "-r", "auto", limit=(size // 2))
    assert warm.wait(pid) == 2
    last = log.read_text().splitlines()[-1]
    assert last.startswith("error: ")
    assert "000003: the checkpoint cannot be written (File too large); free some space" in last
    names = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert names == ["000001", "000002", "best", "latest"]
    assert warm.wait(warm.start(log, "train", longer, "-r", "auto")) == 0
    assert [line[0] for line in losses(folder)] == [1, 2, 3, 4]


def test_a_missing_picture_is_named(warm: Any, tmp_path: Path, document: Any) -> None:
    """A picture that goes away after the list was checked: a worker finds out."""
    data = tmp_path / "voc"
    make_voc(data, count=4)
    plain = document(tmp_path / "run", workers=1, max_iters=1000, log_iter=1)
    plain["train"]["data"] = {"train": f"voc:{data}?split=train", "val": None}
    pid = warm.start(tmp_path / "log", "train", write(tmp_path / "t.yaml", plain))
    metrics = tmp_path / "run" / "metrics.jsonl"
    while not metrics.exists():
        time.sleep(0.01)
    gone = data / "JPEGImages" / "0.png"
    gone.unlink()
    assert warm.wait(pid) == 2
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert last.startswith("error: ")
    assert str(gone) in last


def make_voc(root: Path, count: int) -> None:
    """A VOC folder with a square of one of two classes in each picture."""
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / name).mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (40, 40), (200, 20 * number, 0)).save(root / f"JPEGImages/{number}.png")
        (root / f"Annotations/{number}.xml").write_text(
            f"<annotation><filename>{number}.png</filename>"
            "<size><width>40</width><height>40</height><depth>3</depth></size>"
            f"<object><name>{'ab'[number % 2]}</name><bndbox><xmin>5</xmin><ymin>5</ymin>"
            "<xmax>20</xmax><ymax>20</ymax></bndbox></object></annotation>"
        )
    (root / "ImageSets/Main/train.txt").write_text("".join(f"{n}\n" for n in range(count)))


def test_nothing_outside_of_its_folder_changes(warm: Any, tmp_path: Path, document: Any) -> None:
    """The home, the working folder, the temporary one, and files beside those of the run."""
    homes = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "PWD")}
    for place in homes.values():
        place.mkdir()
        (place / "000001").write_text("mine")
    folder = tmp_path / "runs" / "mine"
    (folder / "checkpoints").mkdir(parents=True)
    mine = [folder / "notes.txt", folder / "checkpoints" / "notes", tmp_path / "runs" / "000001"]
    for path in mine:
        path.write_text("mine")
    plain = document(folder, snapshot_iter=1, eval_iter=2, keep_last=2, workers=1)
    config = write(tmp_path / "t.yaml", plain)
    before = tree(tmp_path)
    env = {name: str(place) for name, place in homes.items()}
    assert warm.wait(warm.start(tmp_path / "log", "train", config, **env)) == 0
    after = tree(tmp_path)
    assert {name: after[name] for name in before} == before
    new = {Path(name).relative_to(tmp_path) for name in after.keys() - before.keys()}
    assert {path for path in new if path.parts[:2] != ("runs", "mine")} == {Path("log")}
    kept = {path.parts[3] for path in new if path.parts[2:3] == ("checkpoints",)}
    best = (folder / "checkpoints" / "best").read_text().strip()
    assert kept == {"000005", "000006", best, "best", "latest"}
