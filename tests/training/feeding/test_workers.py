"""The loader gives the same batches whatever makes them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphprobe.data.augmentation import Augmentation
from graphprobe.data.batches import TrainBatches
from graphprobe.data.eval_batches import EvalBatches
from graphprobe.data.open import open_data
from graphprobe.errors import DataError

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def load():
    paddle = pytest.importorskip("paddle")
    paddle.enable_static()
    from graphprobe.training.feeding.workers import load_batches

    return load_batches


def same(a, b):
    return a.keys() == b.keys() and all(
        isinstance(b[name], np.ndarray)
        and a[name].dtype == b[name].dtype
        and (a[name] == b[name]).all()
        for name in a
    )


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_workers_change_nothing(load, workers):
    batches = TrainBatches(
        open_data("digits?count=9&size=64"), Augmentation((64, 96), mixup=True), 4
    )
    got = list(load(batches, 3, 8, workers=workers))
    assert len(got) == 5
    assert all(same(batches.batch(3 + k), feed) for k, feed in enumerate(got))


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_workers_end_with_the_iterator(load, taken):
    before = set(multiprocessing.active_children())
    batches = TrainBatches(open_data("digits?count=9&size=64"), Augmentation((64,)), 4)
    feeds = load(batches, 0, 3, workers=2)
    for _ in range(taken):
        next(feeds)
    assert bool(set(multiprocessing.active_children()) - before) == (taken > 0)
    feeds.close()
    assert set(multiprocessing.active_children()) <= before


def test_a_signal_to_the_whole_group_does_not_disturb_the_main_process():
    code = (
        "import multiprocessing, os, signal\n"
        "from graphprobe.training.feeding.workers import load_batches, paddle\n"
        "from graphprobe.data.batches import TrainBatches\n"
        "from graphprobe.data.open import open_data\n"
        "from graphprobe.data.augmentation import Augmentation\n"
        "paddle.enable_static()\n"
        "asked = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: asked.append(1))\n"
        "batches = TrainBatches(open_data('digits'), Augmentation((64,)), 2)\n"
        "it = load_batches(batches, 0, 9999, workers=2)\n"
        "next(it)\n"
        "assert len(multiprocessing.active_children()) == 2\n"
        "os.killpg(os.getpgid(0), signal.SIGTERM)\n"
        "for _ in range(9): next(it)\n"  # more than were made ahead
        "assert len(multiprocessing.active_children()) == 2\n"
        "it.close()\n"
        "print('saved', len(asked))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, start_new_session=True
    )
    assert (done.stdout, done.returncode) == ("saved 1\n", 0), done.stderr


@pytest.mark.parametrize("workers", [0, 1])
def test_evaluation_and_nothing_at_all(load, workers):
    batches = EvalBatches(open_data("digits?count=5&size=64"), 64, batch_size=2)
    assert [len(f["image"]) for f in load(batches, 0, len(batches), workers=workers)] == [2, 2, 1]
    assert list(load(batches, 2, 2, workers=workers)) == []


class Spoiled:
    """A data set whose third sample cannot be read, or ends its process."""

    task, class_names, warnings = "detection", ("a",), ()

    def __init__(self, deadly=False):
        self.good = open_data("digits?count=8&size=64")
        self.deadly = deadly
        self.owner = os.getpid()

    def __len__(self):
        return 8

    def sample(self, index):
        if index != 2:
            return self.good.sample(index)
        if self.deadly and os.getpid() != self.owner:
            os.kill(os.getpid(), signal.SIGKILL)
        # As a file may be named: with a line end, and bytes that are no UTF-8.
        raise DataError("is damaged", where="third\n\udcff.jpg", hint="replace it")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_sample_is_named(load, workers):
    with pytest.raises(DataError) as caught:
        list(load(TrainBatches(Spoiled(), Augmentation((64,)), 2), 0, 4, workers=workers))
    assert str(caught.value) == "third \udcff.jpg: is damaged; replace it"


def test_a_worker_that_dies_is_an_error(load):
    before = signal.getsignal(signal.SIGCHLD)
    with pytest.raises(DataError, match="a data worker died"):
        list(load(TrainBatches(Spoiled(deadly=True), Augmentation((64,)), 2), 0, 400, workers=1))
    assert signal.getsignal(signal.SIGCHLD) == before


class Large:
    """Batches that fill every pipe; a worker is killed once it has begun to hand over the first."""

    def batch(self, number):
        if number == 1:
            while written() == self.before:
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        self.before = written()
        return {"image": np.ones((64, 1 << 20), np.uint8)}


def written():
    """The bytes that this process has written so far."""
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["wchar"])


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_that_dies_while_it_hands_over_is_an_error(load):
    with pytest.raises(DataError, match="a data worker died"):
        list(load(Large(), 0, 4, workers=1))


def test_workers_end_with_a_killed_process():
    code = (
        "import os, signal\n"
        "from graphprobe.training.feeding.workers import load_batches, paddle\n"
        "from graphprobe.data.batches import TrainBatches\n"
        "from graphprobe.data.open import open_data\n"
        "from graphprobe.data.augmentation import Augmentation\n"
        "paddle.enable_static()\n"
        "batches = TrainBatches(open_data('digits'), Augmentation((64,)), 2)\n"
        "it = load_batches(batches, 0, 9999, workers=2)\n"
        "next(it)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # the workers hold the pipe too: communicate() returns only when all of them are gone
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL
