"""Look at a data set before it is trained on: what it holds and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.api.arguments import refuse_count, refuse_no_text
from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table, count_text
from graphprobe.data.image_files import ImageFolder
from graphprobe.data.open import open_data
from graphprobe.data.sample import Dataset, Image
from graphprobe.data.splits import train_and_val
from graphprobe.data.survey import Survey, draw_sheet, survey
from graphprobe.errors import DataError, DataProblems
from graphprobe.files import write_whole
from graphprobe.training.reporting.progress import Log

# Reading an image takes some milliseconds; a thousand give the shares well enough.
SOME = 1000
_EVERY = 500


@dataclass(frozen=True, repr=False)
class DataReport(Result):
    """What `inspect_data` found.

    Args:
        spec: the line that names the data, with its split.
        task: ``detection``, ``segmentation``, ``classification``, ``images`` or ``arrays``; empty
            where the data cannot be opened.
        samples: all that there are.
        survey: what the samples hold that were read; None where the data cannot be opened.
        sheet: uint8 [H, W, 3], some samples as stored and after augmentation; or None.
        warnings: what was odd but could be put right, a line each.
        problems: all that is wrong, a line each.
    """

    spec: str
    task: str = ""
    samples: int = 0
    survey: Survey | None = None
    sheet: Image | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def summary(self) -> str:
        """Task, samples and classes in a line."""
        if self.survey is None:
            return f"{self.spec}: {count_text(len(self.problems), 'problem')}"
        classes = f"classes: {len(self.survey.classes)}"
        text = f"{self.spec}: {self.task}, {count_text(self.samples, 'sample')}, {classes}"
        if self.problems:
            text += f", {count_text(len(self.problems), 'problem')}"
        return text

    def to_dict(self) -> dict[str, Any]:
        """All figures, with ``problems`` and ``warnings``."""
        found: dict[str, Any] = {
            "data": self.spec,
            "task": self.task or None,
            "samples": self.samples,
            "warnings": list(self.warnings),
            "problems": list(self.problems),
        }
        if self.survey is not None:
            found |= {
                "read": self.survey.read,
                "empty": self.survey.empty,
                "crowds": self.survey.crowds,
                "difficult": self.survey.difficult,
                "arrays": list(self.survey.arrays),
                "sizes": [{"height": h, "width": w} for h, w in self.survey.sizes],
                "objects_by_size": dict(
                    zip(("small", "medium", "large"), self.survey.by_size, strict=True)
                ),
                "classes": {
                    each.name: {"objects": each.objects, "images": each.images}
                    for each in self.survey.classes
                },
            }
        return found

    def to_rows(self) -> Table:
        """A row a class."""
        classes = () if self.survey is None else self.survey.classes
        return ("class", "objects", "images"), [(c.name, c.objects, c.images) for c in classes]

    def save_sheet(self, path: str | Path) -> None:
        """Write the sheet as a PNG file.

        Raises:
            DataError: there is none.
            GraphprobeError: the file cannot be written.
        """
        from graphprobe.data.draw_boxes import to_png

        if self.sheet is None:
            raise DataError("there are no images to draw", where=self.spec)
        write_whole(Path(path), to_png(np.asarray(self.sheet)))


def inspect_data(
    data: str,
    *,
    samples: int | None = SOME,
    sheet: int = 0,
    image: int = 416,
    seed: int = 0,
    progress: Log | None = None,
) -> DataReport:
    """Open a data set, read samples of it, and count what they hold.

    Args:
        data: ``name:PATH?split=...``; without a split the one that training takes.
        samples: how many to read, spread evenly; None for all, which finds every damaged image.
        sheet: rows of the sheet; 0 for none.
        image: side of the square that augmentation makes.
        seed: of the augmentation.
        progress: takes a line now and then.

    Returns:
        the report; what is wrong with the data is in its ``problems``.

    Raises:
        DataError: there is no such kind of data, or an option of the line is wrong.
        UsageError: `data` is no text, or a number makes no sense.

    Example:
        >>> report = graphprobe.inspect_data("digits?count=6&size=48", sheet=2)
        >>> report
        <DataReport: digits?count=6&size=48&split=train: detection, 6 samples, classes: 3>
        >>> report.save_sheet("sheet.png")
    """
    refuse_no_text(data, "data", hint="as voc:PATH or digits?count=200")
    for name, given, least in (("samples", samples, 1), ("sheet", sheet, 0), ("image", image, 1)):
        refuse_count(given, name, least=least)
    log = reporter(progress)
    spec, _ = train_and_val(data)
    try:
        found: Dataset = open_data(spec)
        if isinstance(found, ImageFolder):
            found = found.strict()
    except DataProblems as error:
        return DataReport(spec, problems=error.problems)
    total = len(found) if samples is None else min(samples, len(found))

    def report_count(count: int) -> None:
        if count % _EVERY == 0 and count < total:
            log(f"{count:,} of {total:,} samples read")

    figures = survey(found, samples, report_count)
    return DataReport(
        spec=spec,
        task=found.task,
        samples=len(found),
        survey=figures,
        sheet=draw_sheet(found, sheet, image, seed) if sheet else None,
        warnings=found.warnings,
        problems=figures.problems,
    )
