"""What a loss must offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from graphprobe.ir import Shape

Check = Callable[[Sequence[Shape], Sequence[Shape]], list[str]]
Targets = Callable[[Mapping[str, Any]], tuple[str, ...]]


def _nothing(options: Mapping[str, Any]) -> tuple[str, ...]:
    del options
    return ()


class Loss(NamedTuple):
    """A loss between variables of a student and of a teacher.

    Args:
        name: what configs call it.
        inputs: the parts that it takes from each side, in order; one for a plain pair.
        default_weight: the factor that the references use.
        check: shapes of the student's and the teacher's variables, a shape an input, -1 where
            unknown -> what is wrong, a sentence each; empty where they fit.
        build: ``build(student_vars, teacher_vars, **options)`` adds the loss to the current
            paddle program and returns a scalar variable, or several by name that add up to the
            loss. Both arguments are lists in the order of `inputs`; no gradient reaches the
            teacher. Parameters that it creates are trained with the student, kept in checkpoints
            and left out of exports.
        targets: options -> names of the maps that it is fed beside them, float32 [N, 1, h, w],
            made from the boxes of a batch (graphprobe/data/target_kinds); `build` gets their
            variables as ``targets``.
        levels: whether it takes levels of a detector's pyramid and nothing else.
        options: what `build` takes beside the variables, with the defaults.
        needs_code: whether it runs the user's own code (an option `code`).
    """

    name: str
    inputs: tuple[str, ...]
    default_weight: float
    check: Check
    build: Callable[..., Any]
    targets: Targets = _nothing
    levels: bool = False
    options: Mapping[str, Any] = MappingProxyType({})
    needs_code: bool = False

    @property
    def takes_targets(self) -> bool:
        """Whether it is fed maps that are made from the boxes of a batch."""
        return self.targets is not _nothing


def detach(variables: Sequence[Any]) -> list[Any]:
    """Keep gradients from the teacher's variables."""
    for variable in variables:
        variable.stop_gradient = True
    return list(variables)


def known(a: int, b: int) -> bool:
    """Whether two sizes are both known."""
    return a >= 0 and b >= 0


def class_axis(shape: Shape) -> int:
    """The dimension of channels or classes: 1 of [N, C, H, W], the last of anything else."""
    return 1 if len(shape) == 4 else -1


def by_stride(*names: str) -> Targets:
    """Targets of the level whose stride is in the options: ``NAME_8`` for stride 8."""
    return lambda options: tuple(f"{name}_{options['stride']}" for name in names)


def same_shape(student: Shape, teacher: Shape, what: str = "") -> list[str]:
    """Why two shapes differ, one sentence; empty where they fit. An unknown size fits any."""
    sides = f"{what + ': ' if what else ''}student {list(student)}, teacher {list(teacher)}"
    if len(student) != len(teacher):
        return [f"{sides}: {len(student)} and {len(teacher)} dimensions"]
    pairs = enumerate(zip(student, teacher, strict=True))
    differ = [f"{i} ({s} and {t})" for i, (s, t) in pairs if known(s, t) and s != t]
    return [f"{sides}: different in dimension {', '.join(differ)}"] if differ else []
