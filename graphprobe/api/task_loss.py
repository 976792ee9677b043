"""What labelled data teach an exported student, beside what a teacher does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.api.run_programs import is_exported, is_run, ref_of
from graphprobe.programs import LoadedProgram, load

if TYPE_CHECKING:
    from graphprobe.config import TaskSection
    from graphprobe.data.answer import Answer
    from graphprobe.data.sample import Dataset
    from graphprobe.ir import Program
    from graphprobe.training.reporting.progress import Log

_LOSSES = {"classification": "cross_entropy", "segmentation": "pixel_cross_entropy"}


def task_of(student: LoadedProgram, data: Dataset, log: Log) -> TaskSection | None:
    """The loss that labels give an exported program; None where they give none.

    Args:
        student: what is trained, or a run of it.
        data: that it is trained on.
        log: takes a line about what is learned from labels, or why nothing is.
    """
    from graphprobe.data.answer import Answer, find_answer
    from graphprobe.data.preparation import labels_beside
    from graphprobe.formats import add_ports, as_programdesc, find_file
    from graphprobe.pairing.output_kinds import output_kinds

    if not is_exported(student) or data.task in ("images", "arrays"):
        return None
    trained = student if not is_run(student.source) else load(ref_of(student).program)
    program = add_ports(as_programdesc(trained.program))
    named = labels_beside(find_file(Path(trained.source).expanduser(), trained.source))
    found: Answer | TaskSection | str = find_answer(program, named, output_kinds(program), data)
    if isinstance(found, Answer):
        found = _yolo(program, found) if data.task == "detection" else _of_scores(found, data.task)
    if isinstance(found, str):
        log(f"task: labels are not learned from: {found}")
        return None
    names = ", ".join(found.outputs)
    log(f"task: {found.loss} of {names} with labels of {len(found.classes)} classes")
    return found


def _of_scores(answer: Answer, task: str) -> TaskSection | str:
    from graphprobe.config import TaskSection

    output = answer.output
    if not output.logits:
        return f"no scores of classes are before {output.name}"
    return TaskSection.model_validate(
        {
            "loss": _LOSSES[task],
            "outputs": (output.logits,),
            "axis": output.logits_axis,
            "classes": answer.classes,
        }
    )


def _yolo(program: Program, answer: Answer) -> TaskSection | str:
    """The loss of what every yolo_box decodes, by its own attributes."""
    from graphprobe.config import TaskSection
    from graphprobe.ops.kinds import computed_by

    ops = [op for op in program.ops if computed_by(op.type) == "yolo"]
    if not ops:
        return "no yolo_box states the anchors of its boxes"
    if any(op.attrs.get("iou_aware") for op in ops):
        return "its yolo_box takes overlaps as well, which yolov3_loss does not learn"
    scales: set[Any] = {op.attrs.get("scale_x_y", 1.0) for op in ops}
    counts: set[Any] = {op.attrs.get("class_num") for op in ops}
    if len(scales) > 1 or len(counts) > 1 or max(answer.classes) >= counts.pop():
        return "its yolo_box differ in classes or scale"
    return TaskSection.model_validate(
        {
            "loss": "yolo",
            "outputs": tuple(op.input("X") for op in ops),
            "classes": answer.classes,
            "anchors": tuple(op.attrs["anchors"] for op in ops),
            "downsample": tuple(op.attrs["downsample_ratio"] for op in ops),
            "scale_x_y": float(scales.pop()),
        }
    )
