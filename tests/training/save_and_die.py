"""A script: save checkpoint 1, then 2, and die by SIGKILL before the n-th call to the system.

``save_and_die.py ROOT N``: calls that change files are counted from the start of the second save.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.training.weights.checkpoint import write_checkpoint

CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree")
root, left = Path(sys.argv[1]), int(sys.argv[2])


def save(iteration: int) -> None:
    """Write a checkpoint that can be told from the other."""
    weights = {"w": np.full((300, 300), iteration, np.float32)}
    write_checkpoint(root, iteration, weights, {"v": np.zeros(3, np.float32)}, {"seed": 1})


def count(event: str, _arguments: Any) -> None:
    """Die where the counted call would be."""
    global left
    if event in CHANGES:
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1


save(1)
sys.addaudithook(count)
save(2)
left = -1
