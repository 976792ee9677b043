"""The learning rate as a pure function of the iteration: nothing to save, nothing to lose."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """A linear warm-up, then piecewise decay (PaddleDetection 0.x) or polynomial (PaddleSeg).

    Args:
        base: the learning rate after the warm-up.
        milestones: iterations from which the rate is multiplied by `gamma` once more.
        gamma: the factor of one milestone.
        warmup_steps: iterations of the warm-up; 0 for none.
        warmup_start: the share of `base` at iteration 0 of the warm-up.
        power: of the polynomial decay ``(1 - iteration / total) ** power``; 0 for piecewise.
        total: iterations of the run; only the polynomial decay needs it.
    """

    base: float
    milestones: Sequence[int] = ()
    gamma: float = 0.1
    warmup_steps: int = 0
    warmup_start: float = 0.0
    power: float = 0.0
    total: int = 0

    def at(self, iteration: int) -> float:
        """The learning rate of an iteration; the first one is 0."""
        if iteration < self.warmup_steps:
            share = iteration / self.warmup_steps
            return self.base * (self.warmup_start + (1.0 - self.warmup_start) * share)
        if self.power > 0:
            left = max(0.0, 1.0 - iteration / max(self.total, 1))
            return self.base * float(left**self.power)
        return self.base * self.gamma ** bisect_right(self.milestones, iteration)
