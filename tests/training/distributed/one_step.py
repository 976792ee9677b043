"""A script: one step of a small network in each of several processes; what came out goes to a file.

The norms use their moving statistics: those of a batch would differ between its parts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import paddle

from graphprobe.config import load_config
from graphprobe.training.assemble import make_engine
from graphprobe.training.distributed.process_group import init_process_group
from graphprobe.training.distributed.ranks import rank
from graphprobe.training.feeding.feeding import open_sets, train_batches
from graphprobe.training.student import open_student

config = load_config(Path(sys.argv[1]))
place = paddle.CPUPlace()
with init_process_group(place) as group:
    student = open_student(config, place, where=sys.argv[1], log=print)
    for op in student.main.global_block().ops:
        if op.type == "batch_norm":
            op._set_attr("use_global_stats", True)
    loss = student.main.global_block().var(student.built.loss)
    names = list(student.shapes())
    engine = make_engine(config, student, {"total": loss}, place)
    engine.use_collective(group.size)
    if rank():  # as if this process had begun with other weights
        for name in names:
            tensor = student.scope.find_var(name).get_tensor()
            tensor.set(np.array(tensor) + 1, place)
    group.broadcast(student.main, student.scope, names, 0)
    first = engine.values(names)
    batches = train_batches(
        config.train, open_sets(config.train, student.built).train, student.built
    )
    losses = engine.losses(1, batches.batch(0))
    engine.share_gradients()
    found = {f"gradient/{name}": value for name, value in engine.gradients().items()}
    found |= {f"first/{name}": value for name, value in first.items()}
    engine.step(2, batches.batch(1), 0.01)
    found |= {f"after/{name}": engine.values([name])[name] for name in engine.parameters}
    found["loss"] = np.array(group.mean([losses["total"]]))
np.savez(sys.argv[2], **found)
