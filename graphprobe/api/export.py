"""Write a trained student for inference."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table
from graphprobe.api.run_programs import is_program_file
from graphprobe.api.settings import ConfigLike, Override
from graphprobe.api.trained_run import open_trained_run
from graphprobe.errors import DataError, UsageError
from graphprobe.files import refuse_taken
from graphprobe.training.reporting.progress import Log
from graphprobe.training.weights.lod_tensor import LEGACY

if TYPE_CHECKING:
    from graphprobe.config import Config
    from graphprobe.zoo import Built

# Of programs, parameters and settings as Paddle's libraries name them.
_SUFFIXES = (".pdmodel", ".pdiparams", ".json", ".yml", ".yaml")


@dataclass(frozen=True, repr=False)
class ExportedModel(Result):
    """What was written.

    Args:
        files: the program, its parameters, and the settings of deploy scripts beside them.
        weights: where the weights come from.
        image: how an image is prepared for it.
        difference: of an exported program that was trained: the largest difference of its outputs
            in Paddle's inference engine from those of the training, over the largest value; None
            of others.
    """

    files: tuple[Path, ...]
    weights: str
    image: str
    difference: float | None = None

    def summary(self) -> str:
        """The files."""
        return ", ".join(map(str, self.files))

    def to_dict(self) -> dict[str, Any]:
        """The fields; paths as text."""
        files = [str(path) for path in self.files]
        return {
            "files": files,
            "weights": self.weights,
            "image": self.image,
            "difference": self.difference,
        }

    def to_rows(self) -> Table:
        """A row a file."""
        return ("file",), [(str(path),) for path in self.files]


def export(
    config: ConfigLike,
    output: str | os.PathLike[str] | None = None,
    *,
    name: str = "model",
    legacy: bool = False,
    force: bool = False,
    override: Override = (),
    resume: str = "auto",
    weights: str | None = None,
    device: str = "auto",
    allow_code: bool = False,
    progress: Log | None = None,
) -> ExportedModel:
    """Write a trained student as model.pdmodel and model.pdiparams.

    Beside them stand its preparation and labels: infer_cfg.yml as PaddleDetection reads it or
    deploy.yaml as PaddleSeg does, and inference.yml as PaddleX does.

    An exported program that was trained is written in its own form, with the settings beside it,
    and its outputs in Paddle's inference engine are held against those of the training.

    Args:
        config: a run's folder, a config or its file, of any kind.
        output: the folder (by default ``export`` in the run's folder).
        name: of the files, before their suffixes; PaddleX wants ``inference``.
        legacy: name the files __model__ and __params__, as Paddle 1.x does.
        force: replace a model and settings that are in `output` already.
        override: what it sets in the config.
        resume: a checkpoint's folder, or ``auto``: the best of the config's run, else its newest.
        weights: weights (a path or an address) in place of a checkpoint.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        progress: takes each line about the work; by default they are logged.

    Raises:
        CheckpointError: there are no weights, they are damaged, or of another model.
        ConfigError: the config has problems, or is for another program.
        ExportError: what was written gives other outputs than the trained network.
        UsageError: `name` is not a plain file name, `config` is an exported program, or `output`
            holds a model or settings already.

    Example:
        >>> graphprobe.export("runs/student", "student").files
        (PosixPath('student/model.pdmodel'), PosixPath('student/model.pdiparams'), ...)
    """
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsageError("must be letters, digits, dots and dashes", where=f"name={name!r}")
    if isinstance(config, (str, os.PathLike)) and is_program_file(config):
        hint = "graphprobe.convert writes it in another form"
        raise UsageError("is an exported program, not a run", where=os.fspath(config), hint=hint)
    if output is not None:
        refuse_taken(Path(output), _of_models(Path(output)), force=force)
    log = reporter(progress)
    run = open_trained_run(
        config, override, resume=resume, weights=weights, allow_code=allow_code, log=log
    )
    from graphprobe.training.deploy_settings import write_deploy_settings
    from graphprobe.training.export import export_trained
    from graphprobe.training.feeding.pixels import pixel_values
    from graphprobe.training.runtime.device import choose_place
    from graphprobe.zoo import EXPORTED

    place = choose_place(device, log)
    trained, settings = run.network("infer", place), run.settings
    folder = Path(output) if output is not None else Path(settings.train.output) / "export"
    files, difference = export_trained(trained, place, folder, name=name, legacy=legacy)
    if difference is None:  # an exported program has its own settings beside it
        count = int(trained.built.meta.get("num_classes", 0))
        classes = trained.class_names or tuple(map(str, range(count)))
        program = settings.student.program
        files += write_deploy_settings(trained.built, settings.train, classes, files, program)
    exported = trained.built.task == EXPORTED
    image = (
        _image(settings, trained.built)
        if exported
        else str(pixel_values(settings.train, trained.built))
    )
    return ExportedModel(tuple(files), trained.source, image, difference)


def _of_models(folder: Path) -> list[str]:
    """The files of a folder that an export may write: of a model, or settings beside one."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else ()
    return [p.name for p in paths if p.suffix in _SUFFIXES or p.name in LEGACY]


def _image(settings: Config, built: Built) -> str:
    """How the images of an exported program are prepared, where anything states it."""
    from graphprobe.training.feeding.inputs import images_text

    try:
        return images_text(settings.train, built)
    except DataError as error:  # a program that is fed arrays
        return error.message
