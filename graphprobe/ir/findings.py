"""What graphprobe finds in programs: plain data that analysis makes and the rest reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

Status: TypeAlias = Literal["prunable", "follower", "blocked"]
Reason: TypeAlias = Literal[
    "depthwise", "concat", "residual", "output", "grouped", "shared", "unsupported_op", "first"
]
Policy: TypeAlias = Literal["seeds", "coupled"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


class ReasonText(NamedTuple):
    """A reason for people.

    Args:
        short: a few words, for the legend of a drawing.
        about: follows ``its`` or ``their``, for one convolution or several.
    """

    short: str
    about: str


REASONS: dict[Reason, ReasonText] = {
    "depthwise": ReasonText(
        "one filter a channel, follows its input",
        "channels are those of the input, and are pruned with them",
    ),
    "concat": ReasonText("channels joined with others", "channels are joined with others"),
    "residual": ReasonText(
        "tied by an addition", "channels are combined one by one with another layer's"
    ),
    "output": ReasonText("makes an output", "channels are an output of the network"),
    "grouped": ReasonText(
        "filters in groups, pruned only together", "channels are tied by the groups of a layer"
    ),
    "shared": ReasonText("filter used twice", "filter is used more than once"),
    "unsupported_op": ReasonText(
        "meets an op that is not followed", "channels reach an op that is not followed"
    ),
    "first": ReasonText("first layer", "input is that of the network"),
}


class Adapter(NamedTuple):
    """What a student feature passes through so that it can be compared with the teacher's.

    Args:
        in_channels: channels of the student's feature.
        out_channels: channels of the teacher's; equal to `in_channels` where no 1x1
            convolution is needed.
        resize: whether the student's feature is resized to the teacher's H and W.
        parameters: how many numbers the 1x1 convolution trains (weights and bias).
    """

    in_channels: int
    out_channels: int
    resize: bool
    parameters: int


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A student variable and the teacher variable that it should come to resemble.

    Args:
        student: the student program's own variable name.
        teacher: the teacher program's own variable name, without any merge prefix.
        student_shape: sizes, -1 where unknown.
        teacher_shape: sizes, -1 where unknown.
        role: what the two are, as ``yolo head, stride 32``.
        loss: name of a loss in `graphprobe.losses`.
        weight: factor of the loss in the total; ``auto`` in a config that has it measured.
        score: 0 to 1; docs/scores.md defines it.
        rule: the pair rule that proposed it.
        evidence: why, in plain words.
        adapter: what makes the shapes equal, or None.
        part: which input of a loss of several parts, as ``0.objectness``; empty otherwise.
        stride: pixels of the student's image to a place, where it is one whole number.
    """

    student: str
    teacher: str
    student_shape: tuple[int, ...]
    teacher_shape: tuple[int, ...]
    role: str
    loss: str
    weight: float | Literal["auto"]
    score: float
    rule: str
    evidence: tuple[str, ...] = ()
    adapter: Adapter | None = None
    part: str = ""
    stride: int | None = None

    def __repr__(self) -> str:
        return f"<Pair {self.student} <- {self.teacher}: {self.role}, {self.term}>"

    @property
    def term(self) -> str:
        """Loss and weight, as ``l2 × 100``."""
        weight = self.weight if isinstance(self.weight, str) else f"{self.weight:g}"
        return f"{self.loss} × {weight}"


class Site(NamedTuple):
    """An op that a decision points at."""

    op: int
    type: str


class PruneDecision(NamedTuple):
    """What may be done with the output channels of one convolution, and why.

    Args:
        param: name of the filter.
        op: id of the convolution.
        type: its op type.
        shape: the filter's shape, [out, in/groups, kh, kw].
        groups: the convolution's groups.
        status: prunable, follower (its channels go with another's) or blocked.
        reason: why not prunable; None where it is.
        at: the op that stops it; None where nothing does.
        path: names of the variables from the convolution to `at`.
        group: number of the set of convolutions whose channels go together.
        detail: one sentence for people.
    """

    param: str
    op: int
    type: str
    shape: tuple[int, ...]
    groups: int
    status: Status
    reason: Reason | None = None
    at: Site | None = None
    path: tuple[str, ...] = ()
    group: int = 0
    detail: str = ""
