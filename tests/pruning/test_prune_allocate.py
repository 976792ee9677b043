"""Ratios by what was measured: the target is reached, at the least predicted loss."""

from __future__ import annotations

import itertools
import math
import random
import re

import numpy as np
import pytest

from graphprobe.errors import UsageError
from graphprobe.ir.builder import Builder
from graphprobe.pruning.allocation import allocate, predicted, rising
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import Limits, choose, open_choice

RATIOS = (0.1, 0.3, 0.5, 0.7, 0.9)


def chain(widths=(64, 32, 128, 16, 96)):
    """3x3 convolutions one after the other; the last one's channels are the output."""
    b = Builder()
    x = b.feed("image", (-1, 3, 32, 32))
    for i, width in enumerate((*widths, 5)):
        x = b.conv(x, width, 3, name=f"c{i}")
    return b.build([x])


def branches(width=12):
    """Two pairs of convolutions that share nothing but the picture, so that savings add up."""
    b = Builder()
    image = b.feed("image", (-1, 3, 32, 32))
    ends = [b.conv(b.conv(image, width, k, name=f"in{k}"), 4, k, name=f"out{k}") for k in (1, 5)]
    return b.build(ends)


def noisy(found, seed, best=1.0):
    """A curve for every group: it rises on the whole, with some noise, to about `best`."""
    rng = random.Random(seed)
    return {
        g.leader: [
            (r, min(best * r ** rng.uniform(0.5, 5) + rng.uniform(-0.02, 0.02), 1.0))
            for r in RATIOS
        ]
        for g in open_choice(found, Limits()).groups
    }


def share(choice):
    return 1 - choice.after.flops / choice.before.flops


def ratios(choice):
    return {g.leader: r for g, r in zip(choice.groups, choice.ratios, strict=True)}


@pytest.mark.parametrize("seed", range(30))
def test_the_target_is_reached_and_hardly_more(seed, random_net):
    found = find_prunable(random_net(seed) if seed % 2 else chain(), "coupled")
    groups = open_choice(found, Limits()).groups
    curves = noisy(found, seed)
    if not groups:
        return
    most = share(choose(found, 0.9))
    for target in (0.25 * most, 0.6 * most, 0.95 * most):
        choice = allocate(found, curves, target)
        assert share(choice) >= target
        assert all(0 < ratio <= 0.9 for ratio in choice.ratios)
        # Whole channels go: the last ones may take a little more than was asked for.
        widest = max(1 / part.channels for g in groups for part in g.parts)
        assert share(choice) <= target + max(2 * widest, 0.01), (seed, target)


@pytest.mark.parametrize("seed", range(20))
def test_more_is_asked_for_more_is_cut_of_every_group(seed):
    found = find_prunable(chain(), "coupled")
    curves = noisy(found, seed)
    before = dict.fromkeys(curves, 0.0)
    for target in (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9):
        after = {**dict.fromkeys(curves, 0.0), **ratios(allocate(found, curves, target))}
        assert all(after[name] >= before[name] - 1e-9 for name in curves), (seed, target)
        before = after


@pytest.mark.parametrize(
    "limits", [Limits(round_to=8), Limits(min_channels=24), Limits(round_to=4, min_channels=12)]
)
def test_what_must_stay_stays(limits):
    found = find_prunable(chain(), "coupled")
    choice = allocate(found, noisy(found, 3), 0.4, limits)
    assert share(choice) >= 0.4
    program = found.channels.program
    for group in choice.groups:
        name = group.leader
        before, after = (program.shape(name) or (0,))[0], choice.shapes[name][0]
        assert after < before and after % limits.round_to == 0
        assert after >= min(before, limits.min_channels)


def test_a_group_that_may_not_be_cut_is_not():
    found = find_prunable(chain(), "coupled")
    choice = allocate(found, noisy(found, 1), 0.3, Limits(keep=re.compile("^c2")))
    assert "c2.w_0" not in choice.params and "c3.w_0" in choice.params


def test_no_choice_of_channels_is_cheaper():
    """Against all choices of channels, where savings add up and curves are convex."""
    width, program = 12, branches(12)
    found = find_prunable(program, "coupled")
    for seed in range(10):
        rng = random.Random(seed)
        curves = {f"in{k}.w_0": _power(rng.uniform(1.0, 4.0)) for k in (1, 5)}
        for target in (0.2, 0.5, 0.7):
            choice = allocate(found, curves, target)
            kept = math.prod(math.exp(-_cost(curves[n], r)) for n, r in ratios(choice).items())
            assert predicted(choice, curves) == pytest.approx(kept)
            cost = sum(_cost(curves[n], r) for n, r in ratios(choice).items())
            best = min(
                sum(_cost(curves[n], c / width) for n, c in zip(curves, gone, strict=True))
                for gone in itertools.product(range(width), repeat=2)
                if _saved(dict(zip(curves, gone, strict=True)), width) >= target
            )
            # A channel more of either branch is as near as whole channels can come.
            step = max(_cost(c, 0.95) - _cost(c, 0.95 - 1 / width) for c in curves.values())
            assert cost <= best + step, (seed, target)


def _power(power):
    return [(step / 24, 0.9 * (step / 24) ** power) for step in range(1, 24)]


def _cost(curve, ratio):
    at, loss = zip((0.0, 0.0), *curve, strict=True)
    return -math.log(1 - float(np.interp(ratio, at, loss)))


def _saved(gone, width):
    work = {f"in{k}.w_0": (3 + 4) * k * k for k in (1, 5)}
    return sum(work[n] * c / width for n, c in gone.items()) / sum(work.values())


def test_what_costs_nothing_goes_first_and_evenly():
    found = find_prunable(chain((32, 32, 32, 32)), "coupled")
    free = {"c1.w_0", "c3.w_0"}
    curves = {
        g.leader: [(r, 0.0 if g.leader in free else r) for r in RATIOS]
        for g in open_choice(found, Limits()).groups
    }
    chosen = ratios(allocate(found, curves, 0.3))
    assert set(chosen) == free and len(set(chosen.values())) == 1
    assert set(ratios(allocate(found, curves, 0.93))) == set(curves)


def test_a_group_that_lost_everything_is_not_free_to_go():
    """Its loss cannot grow any more, and yet it is dearer than one that loses a little."""
    found = find_prunable(chain((32, 32)), "coupled")
    curves = {"c0.w_0": [(0.1, 1.0), (0.9, 1.0)], "c1.w_0": [(0.1, 0.02), (0.9, 0.6)]}
    assert set(ratios(allocate(found, curves, 0.3))) == {"c1.w_0"}


def test_a_group_that_was_not_measured_stays_whole():
    found = find_prunable(chain(), "coupled")
    curves = noisy(found, 0)
    del curves["c1.w_0"]
    curves["c4.w_0"] = []
    assert not {"c1.w_0", "c4.w_0"} & set(allocate(found, curves, 0.5).params)


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0, float("nan")])
def test_a_target_that_makes_no_sense(target):
    found = find_prunable(chain(), "coupled")
    with pytest.raises(UsageError, match="target_flops"):
        allocate(found, noisy(found, 0), target)


def test_a_target_out_of_reach_says_how_far_it_goes():
    found = find_prunable(chain(), "coupled")
    curves = {name: curve[:2] for name, curve in noisy(found, 0).items()}
    with pytest.raises(UsageError, match=r"at most 5\d\.\d% .* measure at larger ratios"):
        allocate(found, curves, 0.9)


@pytest.mark.paddle
def test_rising_is_isotonic_regression():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(0)
    for _ in range(100):
        at = np.sort(rng.uniform(0.01, 0.99, 8))
        losses = at + rng.normal(0, 0.4, 8)
        mine = rising(list(zip(at, losses, strict=True)))
        wanted = IsotonicRegression().fit_transform(at, np.clip(losses, 0, 1))
        assert mine[0] == (0.0, 0.0)
        np.testing.assert_allclose([loss for _, loss in mine[1:]], wanted, atol=1e-12)
