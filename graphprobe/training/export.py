"""Write a network for inference: ``.pdmodel``/``.pdiparams``, or ``__model__``/``__params__``.

An exported program is written as it was, with other parameters: its own ops, version and names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.data.sample import Arrays
from graphprobe.errors import ExportError
from graphprobe.files import write_whole
from graphprobe.training.deploy_inputs import with_deploy_inputs
from graphprobe.training.evaluate import run_feed
from graphprobe.training.networks.exported import ExportedProgram
from graphprobe.training.runtime.compare import EQUAL, largest_difference, trial_input
from graphprobe.training.runtime.inference_engine import run_unoptimised
from graphprobe.training.runtime.programs import get_values, plain_bytes, state_shapes
from graphprobe.training.trained import Trained
from graphprobe.training.weights.beside import settings_files
from graphprobe.training.weights.lod_tensor import LEGACY, tensor_bytes
from graphprobe.zoo import Built


def export_trained(
    trained: Trained, place: Any, folder: Path, *, name: str = "model", legacy: bool = False
) -> tuple[list[Path], float | None]:
    """Write a trained network, and compare what the files give with what it gives.

    Args:
        trained: built for inference.
        place: where it runs.
        folder: made if it is not there.
        name: as `export_network`; an exported program keeps its own.
        legacy: as `export_network`.

    Returns:
        the files, program and parameters first, and the largest difference of an output in
        Paddle's inference engine, as a share of the largest value; None of a network that was no
        exported program.

    Raises:
        ExportError: the files give other outputs.
    """
    exported = trained.network.exported
    if exported is None:
        files = export_network(
            trained.built, trained.scope, place, folder, name=name, legacy=legacy
        )
        return files, None
    shapes = state_shapes(trained.built.main)
    arrays = get_values(trained.scope, sorted(shapes))
    content = trained.network.pruned_content(trained.plan)
    files = _write_program(exported, content, arrays, folder, legacy=legacy)
    difference = _difference(trained, files, place)
    if not difference <= EQUAL:
        raise ExportError(
            f"its outputs differ by {difference:.1e} of the largest from the trained network's",
            where=str(folder),
            hint="report this program",
        )
    return files, difference


def _write_program(
    exported: ExportedProgram,
    content: bytes,
    arrays: Arrays,
    folder: Path,
    *,
    legacy: bool,
) -> list[Path]:
    """In the form of the program that was trained; of Paddle 3's json, as ProgramDesc."""
    records = {name: tensor_bytes(array) for name, array in sorted(arrays.items())}
    model, params = LEGACY
    if not legacy and exported.path.name != model:
        stem = exported.path.stem
        model, params = f"{stem}.pdmodel", f"{stem}.pdiparams"
    contents = {params: b"".join(records.values())}
    if not legacy and exported.has_single_files:
        contents = records
    settings = {file.name: file.read_bytes() for file in settings_files(exported.path)}
    folder.mkdir(parents=True, exist_ok=True)
    # The program is last: whoever finds it finds the rest.
    for name, data in {**contents, **settings, model: content}.items():
        write_whole(folder / name, data)
    return [folder / name for name in (model, *contents, *settings)]


def _difference(trained: Trained, files: list[Path], place: Any) -> float:
    """Of the outputs for random numbers, in the inference engine without its optimisations."""
    rng = np.random.default_rng(0)
    feed = {name: trial_input(rng, shape, dtype) for name, shape, dtype in trained.built.feeds}
    wanted = run_feed(paddle.static.Executor(place), trained.built, feed, trained.scope)
    given = trained.network.exported
    assert given is not None  # noqa: S101 - callers look
    single = given.has_single_files and files[0].name == LEGACY[0]
    # The file has the names of the export; in the trained network the image is called image.
    own = dict(zip(given.program.feeds, feed.values(), strict=True))
    found = run_unoptimised(files[0], None if single else files[1], own)
    return largest_difference(found, wanted)


def export_network(
    built: Built, scope: Any, place: Any, folder: Path, *, name: str = "model", legacy: bool = False
) -> list[Path]:
    """Write the program from its inputs to its outputs, and its parameters in one file.

    Args:
        built: a network built for inference.
        scope: holds its weights.
        place: where the weights are.
        folder: made if it is not there.
        name: of the two files, before their suffixes.
        legacy: give them the names of Paddle 1.x instead, and a detector the inputs that
            PaddleDetection 0.x feeds (`im_size`, not `im_shape` and `scale_factor`).

    Returns:
        the two files.
    """
    main, inputs = built.main, [feed for feed, _, _ in built.feeds]
    if not legacy:
        main, inputs = with_deploy_inputs(main, inputs)
    block = main.global_block()
    feeds = [block.var(feed) for feed in inputs]
    fetches = [block.var(output) for output in built.outputs.values()]
    executor = paddle.static.Executor(place)
    program = paddle.static.normalize_program(main, feeds, fetches)
    with paddle.static.scope_guard(scope):
        params = paddle.static.serialize_persistables(feeds, fetches, executor, program=program)
    names = LEGACY if legacy else (f"{name}.pdmodel", f"{name}.pdiparams")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file for file in names]
    write_whole(paths[1], params)
    write_whole(paths[0], plain_bytes(program))
    return paths
