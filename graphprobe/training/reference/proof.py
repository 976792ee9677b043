"""Prove that a converted model computes what its source does, on random inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.errors import ExportError, listed
from graphprobe.ir import Program
from graphprobe.training.reference.executor import run_reference
from graphprobe.training.runtime.compare import (
    EQUAL,
    largest_difference,
    relative_difference,
    trial_input,
)
from graphprobe.training.runtime.inference_engine import run_unoptimised

# How often the rounding of one order of sums may stand in that of another.
_ROUNDINGS = 4.0
# What kernels of Paddle 2.6.2 add of their own, measured: a softmax over 18,385 classes is 2.2e-5
# away from the exact one of the same inputs.
_KERNELS = {"softmax": 5e-5}
# What Paddle raises where it cannot read or run a program; NotImplementedError is one of the first.
_PADDLE_FAILS = (RuntimeError, ValueError, KeyError, IndexError, OSError)
# How the line begins in which Paddle says what is wrong: with all of its calls, and without.
_SAYS = re.compile(r"\s*(?:\(\w+\) |(?=\w+Error: ))(.+)")


@dataclass(frozen=True, slots=True)
class Proof:
    """What a comparison came to.

    Args:
        by: what computed the source's outputs: ``Paddle 2.6.2`` or ``numpy``; empty where nothing
            was compared.
        difference: the largest one, as a share of the largest value; None where nothing was.
        compared: how many tensors.
        unknown: operators that the numpy executor does not know; what they read was compared.
        reason: why nothing was compared.
        limit: what counted as equal: more than `EQUAL` where single precision explains it.
    """

    by: str = ""
    difference: float | None = None
    compared: int = 0
    unknown: tuple[str, ...] = ()
    reason: str = ""
    limit: float = EQUAL

    def __str__(self) -> str:
        """One line for people."""
        if self.difference is None:
            return f"not proven: {self.reason}"
        what = "1 tensor differs" if self.compared == 1 else f"{self.compared} tensors differ"
        text = f"proven: {what} by at most {self.difference:.1e} from {self.by}"
        if self.difference > EQUAL:
            text += f" (single precision explains up to {self.limit:.1e})"
        if not self.unknown:
            return text
        return f"{text}, up to what it does not know: {listed(self.unknown)}"


def prove_conversion(
    source: Path, params: Path | None, program: Program, weights: Arrays, made: tuple[Path, Path]
) -> Proof:
    """Run source and result on the same random inputs and compare.

    Args:
        source: the file of the source program.
        params: the one file of its parameters; None where it has a file for each, or none.
        program: what the source holds.
        weights: its stored tensors by name.
        made: the program and the parameters that were written.

    Raises:
        ExportError: the result cannot be run where the source can, or its outputs are others. It
            is no proof, and no error, where Paddle has no kernel on the CPU for what numpy ran: a
            card may have one.
    """
    feed = _random_feed(program)
    if feed is None:
        return Proof(reason="an input has no known shape")
    if _engine_reads(program) and params is not None:
        wanted, reason = _try_engine(source, params, feed)
        if wanted is None:
            return Proof(reason=f"Paddle {paddle.__version__} cannot run the source ({reason})")
        found, reason = _try_engine(*made, feed)
        if found is None:
            raise _does_not_run(made[0], reason)
        return _compared(f"Paddle {paddle.__version__}", found, wanted)
    return _by_numpy(program, weights, feed, made)


def _engine_reads(program: Program) -> bool:
    """Whether the Paddle that is installed runs a source itself: Paddle 2 reads no PIR."""
    return program.origin.kind != "pir" or int(paddle.__version__.split(".")[0]) >= 3


def _by_numpy(
    program: Program, weights: Arrays, feed: Mapping[str, NDArray[Any]], made: tuple[Path, Path]
) -> Proof:
    """In double precision, so that what differs is the result's own rounding."""
    try:
        outcome = run_reference(program, _doubled(weights), _doubled(feed))
    except (ValueError, IndexError, TypeError, KeyError, MemoryError) as error:
        first = " ".join(str(error).split())[:100]
        return Proof(reason=f"the numpy executor cannot run the source ({first})")
    ends = outcome.ends(program)
    unknown = tuple(sorted(outcome.unknown))
    if not ends:
        return Proof(reason=f"the numpy executor does not know {listed(unknown)}")
    wanted = [outcome.values[name] for name in ends]
    try:
        found = _static(made, feed, ends)
    except NotImplementedError as error:
        reason = f"Paddle {paddle.__version__} cannot run the result on a CPU ({_reason(error)})"
        return Proof(reason=reason)
    except _PADDLE_FAILS as error:
        raise _does_not_run(made[0], _reason(error)) from error
    limits = [EQUAL] * len(ends)
    if (
        largest_difference(found, wanted) > EQUAL
    ):  # so much that single precision itself may be the cause
        single = run_reference(program, weights, feed).values
        makers = {n: op.type for op in program.blocks[0].ops for n in op.output_names()}
        limits = [
            max(
                EQUAL,
                _ROUNDINGS * relative_difference(single[name], want),
                _KERNELS.get(makers.get(name, ""), 0.0),
            )
            for name, want in zip(ends, wanted, strict=True)
        ]
    return _compared("a numpy executor", found, wanted, unknown, limits)


def _doubled(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in arrays.items()}


def _compared(
    by: str,
    found: list[NDArray[Any]],
    wanted: list[NDArray[Any]],
    unknown: tuple[str, ...] = (),
    limits: list[float] | None = None,
) -> Proof:
    """The proof, where outputs differ by `EQUAL` at most, or by the limit of each."""
    if len(found) != len(wanted):
        raise ExportError(f"the result has {len(found)} outputs, the source {len(wanted)}")
    differences = list(map(relative_difference, found, wanted))
    worst = max(differences, default=0.0)
    allowed = limits or [EQUAL] * len(differences)
    # NaN is no proof either.
    if not all(d <= limit for d, limit in zip(differences, allowed, strict=True)):
        raise ExportError(
            f"the result computes other numbers than the source: they differ by {worst:.1e} of the "
            f"largest value (by {by})",
            hint="report it with the program; nothing was written",
        )
    return Proof(by, worst, len(found), unknown, limit=max(allowed, default=EQUAL))


def _random_feed(program: Program) -> dict[str, NDArray[Any]] | None:
    """What each input is fed; None where one has no known shape or type."""
    rng = np.random.default_rng(0)
    feed: dict[str, NDArray[Any]] = {}
    for name in program.feeds:
        var = program.var(name)
        if var is None or var.shape is None or var.dtype == "unknown":
            return None
        feed[name] = trial_input(rng, var.shape, var.dtype)
    return feed


def _try_engine(
    program: Path, params: Path, feed: Mapping[str, NDArray[Any]]
) -> tuple[list[NDArray[Any]] | None, str]:
    """The outputs in the inference engine; None with the reason where it cannot run."""
    try:
        return run_unoptimised(program, params, feed), ""
    except _PADDLE_FAILS as error:
        return None, _reason(error)


def _reason(error: Exception) -> str:
    """The line of Paddle's report that says what is wrong."""
    found = [match[1] for line in str(error).splitlines() if (match := _SAYS.match(line))]
    return " ".join((found or [type(error).__name__])[-1].split()).rstrip(".")[:160]


def _does_not_run(made: Path, reason: str) -> ExportError:
    return ExportError(
        f"Paddle {paddle.__version__} cannot run the result: {reason}",
        where=made.name,
        hint="report it with the program; nothing was written",
    )


def _static(
    made: tuple[Path, Path], feed: Mapping[str, NDArray[Any]], names: list[str]
) -> list[NDArray[Any]]:
    """Tensors inside of the result, by name."""
    paddle.enable_static()
    executor = paddle.static.Executor(paddle.CPUPlace())
    with paddle.static.scope_guard(paddle.static.Scope()):
        prefix = str(made[0].with_suffix(""))
        program, inputs, _ = paddle.static.load_inference_model(prefix, executor)
        wanted = {name: feed[name] for name in inputs}
        found: list[NDArray[Any]] = executor.run(program, feed=wanted, fetch_list=names)
    return [np.asarray(array) for array in found]
