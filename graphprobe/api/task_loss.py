"""What labelled data teach an exported student, beside what a teacher does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphprobe.config import TaskSection
    from graphprobe.data.sample import Dataset
    from graphprobe.training.networks.source import NetworkSource
    from graphprobe.training.reporting.progress import Log


def task_of(source: NetworkSource, data: Dataset, log: Log) -> TaskSection | None:
    """The loss that labels give an exported program; None where they give none.

    Args:
        source: of the student.
        data: that it is trained on.
        log: takes a line that says what is learned from labels, or why nothing is.
    """
    from graphprobe.config import TaskSection
    from graphprobe.pairing.output_kinds import output_kinds
    from graphprobe.training.labelled import Answer, find_answer

    if source.exported is None or data.task in ("images", "arrays"):
        return None
    kinds = output_kinds(source.exported.program)
    answer = find_answer(source.build("eval"), kinds, data)
    if isinstance(answer, Answer) and not answer.output.logits:
        answer = f"no scores of classes are before {answer.output.name}"
    if not isinstance(answer, Answer):
        log(f"task: labels are not learned from: {answer}")
        return None
    found = answer.output
    log(f"task: cross entropy of {found.logits} with labels of {len(answer.classes)} classes")
    return TaskSection(
        loss="cross_entropy",
        outputs=(found.logits,),
        axis=found.logits_axis,
        classes=answer.classes,
    )
