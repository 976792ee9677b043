"""Ratios by what `sensitivity` measured: each group's own, at the least predicted loss."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from graphprobe.errors import UsageError
from graphprobe.programs import LoadedProgram
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.ratios import Limits, PruneChoice, open_choice

if TYPE_CHECKING:
    from graphprobe.config.sensitivity import Sensitivity

# A record, or the file that holds it.
SensitivityLike: TypeAlias = "str | os.PathLike[str] | Sensitivity"


class Record(NamedTuple):
    """What was measured, and what to call it in messages.

    Args:
        name: the file, where it came from one.
        content: the figures.
    """

    name: str
    content: Sensitivity

    @property
    def policy(self) -> str:
        """The policy that it was measured with."""
        return self.content.measured.policy

    @property
    def weights(self) -> str | None:
        """The weights that it was measured with; None for those beside an exported program."""
        measured = self.content.measured
        return None if measured.weights == measured.program else measured.weights

    def check(self, loaded: LoadedProgram, policy: str | None) -> None:
        """Hold it against the program and the policy that ratios are asked for.

        Raises:
            UsageError: it is for another program or policy.
        """
        measured = self.content.measured
        if measured.fingerprint != loaded.fingerprint:
            hint = f"name {measured.program}, or measure this program"
            raise UsageError("was measured on another program", where=self.name, hint=hint)
        if policy not in (None, measured.policy):
            raise UsageError(
                f"was measured with policy={measured.policy!r}",
                where=self.name,
                hint="leave the policy out, or measure with it",
            )

    def choose(self, found: PruneFindings, target: float | None, limits: Limits) -> Measured:
        """The ratios that reach a target at the least predicted loss.

        Raises:
            UsageError: there is no target, or it cannot be reached.
        """
        from graphprobe.data.metrics.names import LABELS_OF_PRUNING
        from graphprobe.pruning.allocation import allocate, predicted

        if target is None:
            where = f"sensitivity={self.name!r}"
            raise UsageError(
                "needs a target to choose for", where=where, hint="add target_flops=0.5"
            )
        curves = {group.convs[0]: group.curve for group in self.content.groups}
        choice = allocate(found, curves, target, limits)
        metric = LABELS_OF_PRUNING.get(self.content.measured.metric, self.content.measured.metric)
        note = (
            f"predicted to keep {predicted(choice, curves):.1%} of {metric} "
            f"{self.content.baseline:.4f} before fine-tuning"
        )
        leaders = [group.leader for group in open_choice(found, limits).groups]
        missing = [name for name in leaders if not curves.get(name)]
        if not missing:
            return Measured(choice, (note,))
        warning = (
            f"{self.name} does not hold what {len(missing)} of {len(leaders)} groups cost "
            f"(first: {missing[0]}); they stay whole"
        )
        return Measured(choice, (note,), (warning,))


class Measured(NamedTuple):
    """Ratios with what they are predicted to keep, and what is in doubt."""

    choice: PruneChoice
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_record(given: SensitivityLike | None) -> Record | None:
    """A record from its file, or as it is; None stays None.

    Raises:
        GraphprobeError: the file cannot be read, or holds something else.
    """
    if given is None:
        return None
    from graphprobe.config.sensitivity import Sensitivity, read_sensitivity

    if isinstance(given, Sensitivity):
        return Record("the record", given)
    return Record(os.fspath(given), read_sensitivity(Path(given)))
