"""How far a student's outputs agree with its teacher's, where no labels define what is right.

Batches are taken in one after the other. What is kept does not grow with them, but for the boxes of
detectors: six numbers a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphprobe.data.metrics.agreement_measures import Array, measure_of
from graphprobe.data.metrics.agreement_types import AgreementResult, OutputPair
from graphprobe.errors import DataError, TrainError, listed


class Agreement:
    """Takes in what both networks make of the same images, batch by batch.

    Args:
        pairs: which outputs are compared, and what they are.

    Raises:
        MissingDependency: boxes are compared, and pycocotools is not installed.
    """

    def __init__(self, pairs: Sequence[OutputPair]) -> None:
        self._measures = [measure_of(pair) for pair in pairs]
        self._samples = 0

    def add(self, student: Mapping[str, Array], teacher: Mapping[str, Array], count: int) -> None:
        """Take one batch in.

        Args:
            student: its outputs by name.
            teacher: its own, of the same images.
            count: how many images they are of.

        Raises:
            DataError: outputs that are compared differ in shape.
            TrainError: an output of the student holds numbers that are not finite.
        """
        for measure in self._measures:
            measure.add(student, teacher, count)
        self._samples += count

    def result(self, *, refuse_equal: bool = True) -> AgreementResult:
        """The figures of all that was taken in.

        Args:
            refuse_equal: whether a student that gives all images the same outputs is an error.

        Raises:
            DataError: nothing was.
            TrainError: the student gives all images the same outputs, and the teacher does not.
        """
        if not self._samples or not self._measures:
            what = "images" if self._measures else "outputs"
            raise DataError(f"there are no {what} to compare on", where="agreement")
        varying = [measure for measure in self._measures if measure.teacher.differs]
        stuck = [measure for measure in varying if not measure.student.differs]
        if refuse_equal and varying and len(stuck) == len(varying):
            names = listed(measure.pair.student for measure in stuck)
            raise TrainError(
                f"all outputs are equal: each of {self._samples} images gives the same {names}",
                where="student",
                hint="the training has failed; lower the learning rate, or prune less",
            )
        found = tuple(measure.result() for measure in self._measures)
        return AgreementResult(self._samples, found)
