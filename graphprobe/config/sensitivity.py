"""The record of ``graphprobe sensitivity``: what pruning each group costs, and what it was measured
with. One json file, read with every problem named at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from graphprobe.config._base import Count, Name, Positive, Section
from graphprobe.config._problems import problems_of
from graphprobe.config.json_file import read_json
from graphprobe.errors import ConfigError, Problem
from graphprobe.ir.findings import Policy
from graphprobe.pruning.plan import Criterion

_AGAIN = "measure again what pruning each group costs"
Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(gt=0, lt=1)]


class SensitivityPoint(Section):
    """One group pruned alone.

    `ratio` of its channels went and `kept` stayed; `value` is the metric then, `loss` the share of
    the unpruned network's metric that it lost (below 0 where it rose), `flops` the share of the
    network's multiply-adds that went.
    """

    ratio: Ratio
    kept: Positive
    value: Share
    loss: Annotated[float, Field(le=1)]
    flops: Share


class SensitivityGroup(Section):
    """A group of prune.yaml: its filters, the first one ranks, and its points by ratio."""

    group: Count
    convs: tuple[Name, ...] = Field(min_length=1, strict=False)
    channels: Positive
    points: tuple[SensitivityPoint, ...] = Field(default=(), strict=False)

    @property
    def curve(self) -> list[tuple[float, float]]:
        """(ratio, loss), ascending."""
        return [(point.ratio, point.loss) for point in self.points]


class Measured(Section):
    """What the figures hold for; another network, data set or ranking needs another file."""

    program: Name
    fingerprint: Annotated[str, Field(pattern="^sha256:[0-9a-f]{16}$")]
    weights: Name = Field(description="where they were read from")
    weights_sha256: Name = Field(description="of the arrays")
    data: Name
    samples: Positive
    image: Positive
    policy: Policy
    criterion: Criterion
    metric: Name

    def differences(self, other: Measured) -> list[str]:
        """``key is mine, not theirs`` for all that must be the same; names of things need not."""
        mine, theirs = self.model_dump(), other.model_dump()
        return [
            f"{key} is {mine[key]}, not {theirs[key]}"
            for key in mine
            if key not in ("program", "weights") and mine[key] != theirs[key]
        ]


class Sensitivity(Section):
    """All that was measured; `baseline` is the metric of the unpruned network."""

    version: Literal[1]
    kind: Literal["sensitivity"]
    measured: Measured
    baseline: Annotated[float, Field(gt=0, le=1)]
    groups: tuple[SensitivityGroup, ...] = Field(default=(), strict=False)

    @property
    def ratios(self) -> list[float]:
        """Every ratio that some group was measured at, ascending."""
        return sorted({point.ratio for group in self.groups for point in group.points})

    def with_point(self, name: str, point: SensitivityPoint) -> Sensitivity:
        """The same with one more point of the group that the filter `name` leads."""
        groups = tuple(
            g.model_copy(update={"points": tuple(sorted((*g.points, point), key=_by_ratio))})
            if g.convs[0] == name
            else g
            for g in self.groups
        )
        return self.model_copy(update={"groups": groups})

    def text(self) -> str:
        """The whole file: stable, sorted json."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def _by_ratio(point: SensitivityPoint) -> float:
    return point.ratio


def read_sensitivity(path: Path) -> Sensitivity:
    """Read what ``graphprobe sensitivity`` wrote.

    Raises:
        GraphprobeError: the file cannot be read, is too large, or is not json.
        ConfigError: it is another file, or damaged; all problems at once.
    """
    document = read_json(path, _AGAIN)
    if not isinstance(document, dict) or document.get("kind") != "sensitivity":
        raise ConfigError(
            [Problem("kind", "not a sensitivity record")], where=str(path), hint=_AGAIN
        )
    try:
        found = Sensitivity.model_validate(document)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Sensitivity), where=str(path), hint=_AGAIN) from error
    problems = list(_doubled(found))
    if problems:
        raise ConfigError(problems, where=str(path), hint=_AGAIN)
    return found


def _doubled(found: Sensitivity) -> Iterator[Problem]:
    leaders: set[str] = set()
    for i, group in enumerate(found.groups):
        if group.convs[0] in leaders:
            yield Problem(f"groups[{i}].convs[0]", f"{group.convs[0]} is listed twice")
        leaders.add(group.convs[0])
        ratios = [point.ratio for point in group.points]
        if ratios != sorted(set(ratios)):
            yield Problem(f"groups[{i}].points", "the ratios must ascend, each once")
