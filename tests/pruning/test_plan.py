"""The one plan of pruning: what follows from it, its two written forms, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphprobe.config import PruneSection
from graphprobe.errors import CheckpointError
from graphprobe.pruning.plan import (
    AttrChange,
    KeptPositions,
    PrunedAttr,
    PrunedAxis,
    PruneGroup,
    PrunePart,
    PrunePlan,
)
from graphprobe.pruning.plan_json import plan_from_json, plan_to_json
from graphprobe.pruning.plan_problems import plan_problems


@pytest.fixture
def ranked() -> PrunePlan:
    """Of 4 channels, 1 and 3 go; each takes two positions of the flattened input of ``fc``."""
    part = PrunePart(
        4,
        (
            PrunedAxis(("a", "a_b"), 0, 4, "out", 1, ((0, 4),)),
            PrunedAxis(("fc",), 0, 10, "in", 2, ((2, 8),)),
        ),
        (PrunedAttr("reshape2", "y", None, "shape", (0, 4, 5), 1),),
        removed=(1, 3),
    )
    return PrunePlan((PruneGroup(3, ("a",), (part,), 0.5),), "coupled", round_to=2)


def test_a_ranked_plan_says_every_change(ranked):
    assert ranked.axes == {
        "a": {0: KeptPositions(4, (0, 2))},
        "a_b": {0: KeptPositions(4, (0, 2))},
        "fc": {0: KeptPositions(10, (0, 1, 2, 3, 6, 7))},
    }
    assert ranked.attr_updates == (
        AttrChange("reshape2", "y", None, "shape", (0, 4, 5), (0, 2, 5)),
    )
    assert list(ranked.removed_inputs()) == [("fc", 0, [4, 5, 8, 9])]
    assert ranked.channels == {"a": (4, 2)} and ranked.leaders == {"a": "a"}
    assert ranked.shape_after("fc", (10, 3)) == (6, 3)


def test_shapes_are_known_before_channels_are_ranked(ranked):
    unranked = ranked.with_ratios([0.75])
    assert not unranked.axes and not unranked.attr_updates
    # One of four would stay; two do, for a multiple of two stays.
    assert unranked.shapes_after({"a": (4, 8), "fc": (10, 3)}) == {"a": (2, 8), "fc": (6, 3)}
    assert unranked.with_ratios([0.0]).shapes_after({"a": (4, 8)}) == {}


def test_a_checkpoint_and_a_config_hold_the_same_plan(ranked):
    assert plan_from_json(plan_to_json(ranked)) == ranked
    section = PruneSection.of(ranked, regex="^a$")
    assert PruneSection.model_validate(section.model_dump(mode="json")).plan() == (
        ranked.with_ratios([0.5])
    )


def test_the_first_form_of_checkpoints_is_read():
    plan = plan_from_json(
        {
            "axes": {"a": {"0": [4, [0, 2]]}, "fc": {"0": [10, [0, 1, 2, 3, 6, 7]]}},
            "attrs": [["reshape2", "y", None, "shape", [0, 4, 5], [0, 2, 5]],
                      ["conv2d", "z", "w", "groups", 4, 2]],
            "channels": {"a": [4, 2]},
            "firsts": {"a": "a", "b": "a"},
        }
    )  # fmt: skip
    assert plan.axes["fc"] == {0: KeptPositions(10, (0, 1, 2, 3, 6, 7))}
    assert [(u.before, u.after) for u in plan.attr_updates] == [((0, 4, 5), (0, 2, 5)), (4, 2)]
    assert plan.leaders == {"a": "a", "b": "a"}


@pytest.mark.parametrize(
    "change",
    [
        {"groups": [{}]},
        {"groups": 3},
        {"groups": [{"group": 0, "layers": ["a"], "ratio": 0.5, "parts": [
            {"channels": 2, "removed": "5", "axes": [], "attrs": []}]}]},
        {"groups": [{"group": 0, "layers": ["a"], "ratio": 0.5, "parts": [
            {"channels": 2, "removed": None, "axes": [[["a"], 0, 2, "out", "0-3"]],
             "attrs": []}]}]},
        {"round_to": None},
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_is_refused(ranked, change):
    with pytest.raises(CheckpointError, match="run/best: its pruning plan is damaged"):
        plan_from_json({**plan_to_json(ranked), **change}, where="run/best")


def test_what_contradicts_itself_is_named(ranked):
    (group,) = ranked.groups
    (part,) = group.parts
    twice = replace(part.axes[0], ranges=((0, 2), (1, 2)))
    far = replace(part.axes[1], ranges=((8, 8),))
    bad = replace(ranked, groups=(replace(group, parts=(replace(part, axes=(twice, far)),)), group))
    found = [str(problem.message) for problem in plan_problems(bad)]
    assert "a is also in groups[0]" in found
    assert "8-15/2 goes beyond the 10 positions of the axis" in found
    assert any("pruned twice" in message for message in found)


def test_what_is_summed_over_is_zero_where_it_is_made():
    axes = (PrunedAxis(("q", "k"), 1, 8, "out", 1, ((0, 8),)),)
    plan = PrunePlan((PruneGroup(0, ("q",), (PrunePart(8, axes, (), (2, 5), summed=True),)),))
    assert [row[:2] for row in plan.removed_inputs()] == [("q", 1), ("k", 1)]
    assert plan_from_json(plan_to_json(plan)) == plan
    part = PruneSection.of(plan).plan().groups[0].parts[0]
    assert part.summed and part.removed is None
