"""Images in, what a trained student finds in them out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.arguments import refuse_count
from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table, count_text
from graphprobe.api.settings import ConfigLike, Override
from graphprobe.api.trained_run import is_exported, no_data_named, open_trained_run
from graphprobe.errors import DataError, UsageError

if TYPE_CHECKING:
    from graphprobe.data.image_files import ImageFile
    from graphprobe.data.metrics.agreement_types import OutputPair
    from graphprobe.data.sample import Dataset
    from graphprobe.training.networks.exported import ExportedProgram
    from graphprobe.training.predict import Found, Skipped
    from graphprobe.training.predict_files import PredictionFolder
    from graphprobe.training.reporting.progress import Log


@dataclass(frozen=True, slots=True, repr=False)
class ImageFindings:
    """What was found in one image.

    Args:
        name: of the image.
        text: what was found, in words; why the image was left out where it could not be read.
        skipped: whether it could not be read.
    """

    name: str
    text: str
    skipped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """``name``, ``text`` and ``skipped``."""
        return asdict(self)

    def __repr__(self) -> str:
        return f"<ImageFindings of {self.name!r}: {len(self.text)} characters>"


@dataclass(frozen=True, repr=False)
class Predictions(Result):
    """What was found in all images; drawings and found.json are in `folder`.

    Args:
        images: one entry an image, in order.
        folder: what was written into.
        weights: where the weights come from.
        entries: the json of each entry of found.json.
        program: what was trained, as its config names it.
        looked_at: the images or data, how many, and their size as the network sees them.
    """

    images: tuple[ImageFindings, ...]
    folder: Path
    weights: str
    entries: tuple[str, ...] = ()
    program: str = ""
    looked_at: str = ""

    def __iter__(self) -> Iterator[ImageFindings]:
        return iter(self.images)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def skipped(self) -> int:
        """How many images could not be read."""
        return sum(image.skipped for image in self.images)

    def summary(self) -> str:
        """How many images, and where the drawings are."""
        read = len(self.images) - self.skipped
        left = f", {self.skipped} left out" if self.skipped else ""
        return f"{count_text(read, 'image')} drawn into {self.folder}{left}"

    def to_dict(self) -> dict[str, Any]:
        """``weights``, ``program``, ``data``, ``folder``, and ``images`` as found.json has them."""
        import json

        found = [json.loads(entry) for entry in self.entries]
        return {
            "weights": self.weights,
            "program": self.program,
            "data": self.looked_at,
            "folder": str(self.folder),
            "images": found,
        }

    def to_rows(self) -> Table:
        """A row an image."""
        return ("image", "found"), [(image.name, image.text) for image in self.images]


def predict(
    config: ConfigLike,
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    *,
    samples: int = 0,
    data: str | None = None,
    threshold: float = 0.5,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    override: Override = (),
    resume: str = "auto",
    weights: str | None = None,
    device: str = "auto",
    allow_code: bool = False,
    progress: Log | None = None,
    on_image: Callable[[ImageFindings], None] | None = None,
) -> Predictions:
    """Draw what a config's trained student finds in images, and list it in found.json.

    Args:
        config: a run's folder, a config or its file, of any kind; or an exported program, which
            looks with the parameters beside it.
        images: image files, or folders of them; one may come without a list around it.
        samples: take the first so many validation samples instead, beside their truth.
        data: where these are, as ``voc:PATH``; by default what the training was evaluated on.
        threshold: boxes scored lower are left out.
        output: the folder to write into (by default ``infer`` in the run's folder).
        force: replace files of an earlier run there.
        override: what it sets in the config.
        resume: a checkpoint's folder, or ``auto``: the best of the config's run, else its newest.
        weights: weights (a path or an address) in place of a checkpoint.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        progress: takes each line about the work; by default they are logged.
        on_image: is given what was found in each image as soon as it is there.

    Raises:
        CheckpointError: there are no weights, they are damaged, or of another model.
        ConfigError: the config has problems, or is for another program.
        DataError: none of the images can be read, or files of an earlier run are there.
        UsageError: neither or both of `images` and `samples`; or the run is of an exported
            program, none of whose outputs can be drawn.

    Example:
        >>> found = graphprobe.predict("runs/student", ["photos"], threshold=0.4)
        >>> found.folder
        PosixPath('runs/student/infer')
    """
    log = reporter(progress)
    from graphprobe.data.image_files import ImageFolder, find_images

    refuse_count(samples, "samples", least=0)
    paths = _paths(images)
    folder = None if output is None else Path(output)
    files: list[ImageFile] = []

    def look() -> None:
        if bool(paths) == bool(samples):
            hint = "name images, or give samples=N for the validation set"
            raise UsageError("what to look at is not clear", where="predict", hint=hint)
        files.extend(find_images(paths, leave_out=folder) if paths else ())

    if data is None and weights is None and resume == "auto" and is_exported(config):
        if samples:
            raise no_data_named(config)
        if paths:  # its config names data, and these are all that there is
            data = f"folder:{paths[0] if paths[0].is_dir() else paths[0].parent}"
    run = open_trained_run(
        config,
        override,
        resume=resume,
        weights=weights,
        data=data,
        allow_code=allow_code,
        log=log,
        look=look,
    )
    from graphprobe.data.preparation import labels_beside
    from graphprobe.data.splits import count_and_size, data_text
    from graphprobe.data.subset import first_subset
    from graphprobe.training.predict import find_objects, names_of_classes
    from graphprobe.training.predict_exported import find_in_images
    from graphprobe.training.predict_files import PredictionFolder, new_folder
    from graphprobe.training.runtime.device import choose_place

    settings = run.settings
    folder = folder if folder is not None else new_folder(Path(settings.train.output) / "infer")
    writer = PredictionFolder(
        folder, (), inputs=[file.path for file in files], force=force, sheet=bool(samples)
    )
    writer.refuse_existing(file.name for file in files)
    place = choose_place(device, log)
    trained = run.network("infer", place)
    exported = trained.network.exported
    read = None if exported is None else _readable(exported)
    shown: Dataset
    if samples:
        shown = first_subset(run.validation(trained), samples)
    elif exported is not None:
        shown = ImageFolder(files, labels_beside(exported.path))
    else:
        names = names_of_classes(settings.train, trained)
        shown = ImageFolder(files, names, trained.built.task)
    writer.class_names = shown.class_names
    every = []
    train = settings.train
    finds = (
        find_objects(train, trained, shown, place, threshold=threshold)
        if read is None
        else find_in_images(train, trained, read, shown, place, threshold=threshold)
    )
    with writer:
        for found in finds:
            every.append(_written(found, writer))
            if on_image is not None:
                on_image(every[-1])
    size = train.preparation.size if exported is not None else train.image_size
    if samples:
        looked_at = data_text(str(train.data.val), len(shown), size)
    else:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        looked_at = f"{paths[0]}{more}, {count_and_size(len(shown), size)}"
    made = Predictions(
        tuple(every),
        folder,
        trained.source,
        tuple(writer.entries),
        settings.student.program,
        looked_at,
    )
    if made.skipped == len(shown):
        raise DataError("none of the images could be read", where="predict")
    return made


def _paths(images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The images of a call, one or many.

    Raises:
        UsageError: what is given is no path, or holds something else.
    """
    if isinstance(images, (str, os.PathLike)):
        return [Path(images)]
    try:
        return [Path(image) for image in images]
    except TypeError as error:
        raise UsageError(
            "must be paths of images or folders", where="images", hint="give a list of paths"
        ) from error


def _readable(exported: ExportedProgram) -> OutputPair:
    """The output of an exported program that people read best.

    Raises:
        UsageError: none is boxes, a map of classes, a mask, or scores of classes.
    """
    from graphprobe.pairing.output_kinds import output_pairs
    from graphprobe.training.predict_exported import READABLE

    found = output_pairs(exported.program, exported.program)
    for kind in READABLE:
        for pair in found:
            if pair.kind == kind:
                return pair
    raise UsageError(
        "gives out numbers whose meaning is not known",
        where=exported.text,
        hint="evaluate measures how far it agrees with its teacher, export writes it for the code "
        "that reads the original's outputs",
    )


def _written(found: Found | Skipped, writer: PredictionFolder) -> ImageFindings:
    from graphprobe.training.predict import Skipped
    from graphprobe.training.predict_files import describe

    if isinstance(found, Skipped):
        return ImageFindings(found.name, found.reason, skipped=True)
    return ImageFindings(found.sample.name, describe(writer.write(found)))
