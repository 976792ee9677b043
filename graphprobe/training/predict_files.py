"""Write what a network finds into a folder, without touching what was there before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from graphprobe.data.draw_boxes import (
    contact_sheet,
    draw_marks,
    draw_mask,
    draw_truth,
    fit_width,
    histogram,
    palette_png,
    to_png,
)
from graphprobe.data.sample import Image
from graphprobe.errors import GraphprobeError
from graphprobe.files import write_whole
from graphprobe.training.predict import Found

FOUND, SHEET = "found.json", "sheet.png"
# Rows of the sheet of truth and finds; it is laid out in memory.
MOST_ROWS = 50


def new_folder(wanted: Path) -> Path:
    """`wanted` where there is nothing yet, else the first free one of wanted-2, wanted-3, ..."""
    number = 1
    folder = wanted
    while folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


class PredictionFolder:
    """Takes finds one by one; a context manager.

    For an image ``a/x.jpg`` it writes ``a/x.jpg.png``, the image with what was found, and for
    segmentation ``a/x.jpg.mask.png``, class numbers with a palette. ``found.json`` is a list with
    an entry an image, written whole at the end; `entries` has their json.

    Args:
        folder: is made where it is missing.
        class_names: by index.
        inputs: files that are never written to.
        force: replace other files that are there already.
        sheet: also write ``sheet.png``, truth beside finds.

    Raises:
        GraphprobeError: a file is there already; the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        class_names: Sequence[str],
        *,
        inputs: Iterable[Path] = (),
        force: bool = False,
        sheet: bool = False,
    ) -> None:
        self.folder, self.class_names, self._force, self._sheet = folder, class_names, force, sheet
        self._inputs = {path.resolve() for path in inputs}
        self._made: set[Path] = set()
        self._rows: list[tuple[str, list[Image]]] = []
        self.entries: list[str] = []

    def __enter__(self) -> PredictionFolder:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot be made ({error.strerror or error})"
            raise GraphprobeError(reason, where=str(self.folder)) from error
        self._place(FOUND)
        if self._sheet:
            self._place(SHEET)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            entries = ",".join(f"\n {entry}" for entry in self.entries)
            write_whole(self.folder / FOUND, f"[{entries}\n]\n")
        if kind is None and self._rows:
            names, rows = zip(*self._rows, strict=True)
            sheet = contact_sheet(list(rows), ("truth", "found"), list(names))
            write_whole(self.folder / SHEET, to_png(sheet))

    def refuse_existing(self, names: Iterable[str]) -> None:
        """Look for what stands in the way before anything is computed.

        Raises:
            GraphprobeError: a file is there already.
        """
        for name in names:
            self._refuse(self.folder / f"{name}.png")

    def write(self, found: Found) -> dict[str, Any]:
        """Write one image's files; its entry in the json.

        Raises:
            GraphprobeError: one of them is there already, or cannot be written.
        """
        name = found.sample.name
        document = as_document(found, self.class_names)
        drawn = draw(found, self.class_names)
        target = self._place(f"{name}.png")
        with suppress(FileExistsError):
            target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, to_png(drawn))
        if found.mask is not None:
            write_whole(self._place(f"{name}.mask.png"), palette_png(found.mask))
            document["mask"] = f"{name}.mask.png"
        if self._sheet and len(self._rows) < MOST_ROWS:
            row = [fit_width(draw_truth(found.sample, self.class_names)), fit_width(drawn)]
            self._rows.append((name, row))
        self.entries.append(json.dumps(document, ensure_ascii=False, sort_keys=True))
        return document

    def _place(self, name: str) -> Path:
        """Where a new file goes."""
        path = self.folder / name
        self._refuse(path)
        self._made.add(path)
        return path

    def _refuse(self, path: Path) -> None:
        if path.resolve() in self._inputs:
            hint = "name another folder for output"
            raise GraphprobeError("is one of the inputs", where=str(path), hint=hint)
        if path in self._made:
            raise GraphprobeError("would be written twice", where=str(path), hint="rename an input")
        if os.path.lexists(path) and not self._force:
            hint = "name another folder for output, or set force=True to replace it"
            raise GraphprobeError("is there already", where=str(path), hint=hint)


def draw(found: Found, class_names: Sequence[str]) -> Image:
    """The image with what was found drawn on it."""
    if found.mask is None:
        return draw_marks(found.sample.image, found.marks, class_names)
    return draw_mask(found.sample.image, found.mask, class_names)


def as_document(found: Found, class_names: Sequence[str]) -> dict[str, Any]:
    """Plain data: boxes, the best first; for segmentation the share of each class."""
    height, width = found.sample.size
    entry: dict[str, Any] = {"image": found.sample.name, "height": height, "width": width}
    if found.mask is not None:
        counts = histogram(found.mask)
        shares = {
            _name(label, class_names): round(count / found.mask.size, 4)
            for label, count in enumerate(counts)
            if count
        }
        return {**entry, "classes": shares}
    if found.ranking:
        ranks = [
            {"class": _name(label, class_names), "score": score and round(score, 4)}
            for label, score in found.ranking
        ]
        return {**entry, "ranking": ranks}
    boxes = [
        {
            "class": _name(mark.label, class_names),
            "score": round(mark.score or 0.0, 4),
            "box": [round(side, 2) for side in mark.box],
        }
        for mark in reversed(found.marks)
    ]
    return {**entry, "boxes": boxes}


def describe(document: dict[str, Any]) -> str:
    """One line of what was found, as ``2 objects: dog 0.91, cat 0.55``."""
    if "classes" in document:
        shares = sorted(document["classes"].items(), key=lambda item: -item[1])
        return ", ".join(f"{name} {share:.0%}" for name, share in shares[:4])
    if "ranking" in document:
        ranks = document["ranking"][:3]
        return ", ".join(
            r["class"] + ("" if r["score"] is None else f" {r['score']:.2f}") for r in ranks
        )
    boxes = document["boxes"]
    if not boxes:
        return "nothing"
    few = ", ".join(f"{box['class']} {box['score']:.2f}" for box in boxes[:3])
    more = ", ..." if len(boxes) > 3 else ""
    return f"{len(boxes)} object{'s' if len(boxes) > 1 else ''}: {few}{more}"


def _name(label: int, class_names: Sequence[str]) -> str:
    return class_names[label] if 0 <= label < len(class_names) else str(label)
