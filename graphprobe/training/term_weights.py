"""``weight: auto``: a term's weight by the norms of gradients, measured through the run.

A published weight belongs to the schedule, the size of images and the batch that it was published
with. What a weight does is seen at the student's variable that a pair names: there the gradients of
the term and of the task's own loss add up, and all layers in front receive their sum. The norms of
both are measured there on the batches of training, often at first, for the task's gradient falls
tenfold and more in the first steps. While the term's gradient is shorter than the task's, their sum
never points against the task's (by the Cauchy-Schwarz inequality), so a teacher that errs cannot
undo what labels teach. GradNorm (Chen et al. 2018, arXiv 1711.02257) balances norms of gradients as
well, at shared weights and by an optimiser of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Any

import numpy as np
import paddle

from graphprobe.training.objective import Term
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.programs import set_values
from graphprobe.training.runtime.step import Engine

# The norm of a weighted term's gradient, over that of the task's.
GRADIENT_RATIO = 0.5
# Every one of the first steps measures, then one in 200 of the run.
FIRST, MEASUREMENTS = 20, 200
# How much a new measurement counts, and how far one may differ from the weight before it.
BLEND, FARTHEST = 0.2, 10.0
# Weights stay in this range, so that their products with losses stay finite in float32.
SMALLEST, LARGEST = 1e-12, 1e12


@dataclass(frozen=True)
class AutoTerm:
    """A term whose weight is ``auto``.

    Args:
        name: as logs call it.
        loss: the name of its scalar, without a weight.
        weight: the name of the variable that holds its weight.
        features: the student's variables that its pairs name.
        usual: the weight that the references of its loss use.
    """

    name: str
    loss: str
    weight: str
    features: tuple[str, ...]
    usual: float


def auto_terms(terms: Sequence[Term]) -> list[AutoTerm]:
    """The terms whose weight is ``auto``."""
    return [
        AutoTerm(
            term.group.name,
            term.plain.name,
            term.weight,
            tuple(dict.fromkeys(pair.student for pair in term.group.pairs)),
            term.group.loss.default_weight,
        )
        for term in terms
        if term.weight is not None
    ]


def add_norms(
    program: Any, task: str | None, terms: Sequence[AutoTerm]
) -> dict[AutoTerm, tuple[str, str]]:
    """Let a paddle program compute the norms of the gradients that weights follow.

    Args:
        program: with the losses; ops are added at its end.
        task: the name of the task's own loss; None where there is none.

    Returns:
        for each term whose variables the task's gradient reaches too, names of two scalars: the L2
        norms, over these variables, of the task's gradient and of the term's without a weight.
    """
    if task is None:
        return {}
    block = program.global_block()
    ends = {p.name for p in program.all_parameters()}
    found = {}
    with paddle.static.program_guard(program), paddle.utils.unique_name.guard("norm_"):
        for term in terms:
            features = [block.var(name) for name in term.features]
            # The layers between need no gradients of their own.
            gradients = [
                [
                    gradient
                    for gradient in paddle.static.gradients(
                        block.var(loss), features, no_grad_set=ends
                    )
                    if gradient is not None
                ]
                for loss in (task, term.loss)
            ]
            if all(gradients):
                of_task, of_term = map(_norm, gradients)
                found[term] = of_task.name, of_term.name
    return found


def _norm(gradients: Sequence[Any]) -> Any:
    return paddle.sqrt(paddle.add_n([paddle.sum(paddle.square(g)) for g in gradients]))


class TermWeights:
    """Follows the weights of a run.

    Args:
        terms: whose weights are measured.
        total: iterations of the run.
    """

    def __init__(self, terms: Sequence[AutoTerm], total: int) -> None:
        self.terms = tuple(terms)
        self._every = max(1, total // MEASUREMENTS)

    def due(self, iteration: int) -> bool:
        """Whether this iteration measures; the first is 1."""
        return bool(self.terms) and (iteration <= FIRST or iteration % self._every == 0)

    def values(self, scope: Any) -> dict[str, float]:
        """The weights as they are, by term."""
        return {
            term.name: float(np.array(scope.find_var(term.weight).get_tensor())[0])
            for term in self.terms
        }

    def update(self, scope: Any, place: Any, norms: Sequence[float]) -> Mapping[str, float]:
        """Move every weight towards what was measured.

        Args:
            norms: as `add_norms` has them computed.

        Returns:
            the new weights, by term.
        """
        before = self.values(scope)
        for number, term in enumerate(self.terms):
            new = next_weight(before[term.name], *norms[2 * number : 2 * number + 2])
            set_values(scope, place, {term.weight: np.array([new], np.float32)})
        return self.values(scope)


def weigh_terms(
    engine: Engine, task: str | None, terms: Sequence[Term], total: int, log: Log
) -> TermWeights:
    """Let the engine measure the terms whose weight is to be found.

    Where the task's gradient does not come to a term's variable, there is nothing to measure by,
    and the term has the weight that the references of its loss use.

    Args:
        task: the name of the task's own loss; None where there is none.
        terms: all of them.
        total: iterations of the run.
        log: takes a line for each term that is not measured.
    """
    wanted = auto_terms(terms)
    found: dict[AutoTerm, tuple[str, str]] = {}

    def add(program: Any) -> list[str]:
        found.update(add_norms(program, task, wanted))
        return [name for pair in found.values() for name in pair]

    if wanted:
        engine.add_measurements(add)
    for term in wanted:
        if term not in found:
            value = np.array([term.usual], np.float32)
            set_values(engine.scope, engine.place, {term.weight: value})
            log(
                f"{term.name}: weight {term.usual:g}: no gradient of the task reaches its variables"
            )
    return TermWeights(tuple(found), total)


def next_weight(before: float, task: float, term: float) -> float:
    """A weight after one measurement.

    Args:
        before: the weight; 0 where nothing was measured yet.
        task: the norm of the task's gradient; term: that of the term's, without a weight.

    Returns:
        a geometric mean of the weight before and of the one at which the term's gradient is
        `GRADIENT_RATIO` of the task's; the weight before where a norm is zero or not finite, as
        where no box of the batch is at the term's level.
    """
    if not (0 < task < inf and 0 < term < inf):
        return before
    wanted = min(max(GRADIENT_RATIO * task / term, SMALLEST), LARGEST)
    if before <= 0:
        return wanted
    wanted = min(max(wanted, before / FARTHEST), before * FARTHEST)
    return exp((1 - BLEND) * log(before) + BLEND * log(wanted))
