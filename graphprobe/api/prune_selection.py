"""What is prunable in a program and what is selected of it, in every form that callers want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphprobe.api.results import ConfigResult, Table, count_text
from graphprobe.api.run_programs import is_run, ref_of
from graphprobe.collector import collector_paused
from graphprobe.errors import UsageError, listed
from graphprobe.ir import PruneDecision
from graphprobe.ops.work.count import NetworkSize, work_text
from graphprobe.programs import LoadedProgram
from graphprobe.pruning.plan import PruneGroup
from graphprobe.pruning.ratios import PruneChoice

if TYPE_CHECKING:
    import networkx as nx

    from graphprobe.config import PruneConfig, TrainSection
    from graphprobe.drawing.folding.fold import Level
    from graphprobe.emit.slim.outcome import Outcomes

_STATUSES = ("prunable", "follower", "blocked")


@dataclass(frozen=True, repr=False)
class PruneSelection(ConfigResult):
    """What `find_prunable` and `choose_ratios` give.

    Args:
        program: what would be pruned.
        choice: the decisions, the groups that are selected and their ratios.
        regex: matches the first filters of the selected groups and no other parameter.
        weights: what the ratios were measured with; None where they were not measured.
        notes: what the choice is predicted to come to.
        warnings: what is in doubt.
        train: the schedule that follows from the data; None where none were named.
        image: H and W in pixels at which multiply-adds are counted; None for what is fed no
            images, or images of several sizes.
    """

    program: LoadedProgram
    choice: PruneChoice
    regex: str
    weights: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    train: TrainSection | None = None
    image: tuple[int, int] | None = None

    @property
    def policy(self) -> str:
        """``seeds`` or ``coupled``."""
        return self.choice.found.policy

    @property
    def decisions(self) -> tuple[PruneDecision, ...]:
        """One for each convolution, in program order."""
        return self.choice.found.decisions

    @property
    def linears(self) -> tuple[PruneDecision, ...]:
        """One for each fully connected layer, in program order; none under ``seeds``."""
        return self.choice.found.linears

    @property
    def groups(self) -> tuple[PruneGroup, ...]:
        """The groups that are selected; empty where nothing can be pruned."""
        return self.choice.groups

    @property
    def ratios(self) -> tuple[float, ...]:
        """The share of channels removed, group by group."""
        return self.choice.ratios

    @property
    def params(self) -> list[str]:
        """The first filter of each selected group."""
        return self.choice.params

    @property
    def unsupported_ops(self) -> dict[str, int]:
        """Op types that channels reach and that are not followed, with their number."""
        return self.choice.found.unsupported

    @property
    def before(self) -> NetworkSize:
        """Multiply-adds and parameters of the network as it is."""
        return self.choice.before

    @property
    def after(self) -> NetworkSize:
        """The same after pruning."""
        return self.choice.after

    def __iter__(self) -> Iterator[PruneDecision]:
        return iter(self.decisions)

    def __len__(self) -> int:
        return len(self.decisions)

    def summary(self) -> str:
        """How many convolutions of which status, and what the selection comes to."""
        counts = [(s, sum(d.status == s for d in self.decisions)) for s in _STATUSES]
        parts = ", ".join(f"{number} {status}" for status, number in counts if number)
        text = f"{count_text(len(self), 'convolution')} of {self.program.source}: {parts}"
        return "; ".join((text, *self.sizes()))

    def sizes(self) -> list[str]:
        """What the pruning comes to, in lines; none where nothing is selected."""
        a, b = self.before, self.after
        if not self.groups or not a.flops:
            return []
        ratios = sorted(set(self.ratios))
        ratio = f"{ratios[0]:g}" if len(ratios) == 1 else f"{ratios[0]:g} to {ratios[-1]:g}"
        return [
            f"ratio {ratio}: multiply-adds {work_text(a.flops)} -> {work_text(b.flops)} "
            f"(-{1 - b.flops / a.flops:.1%}), parameters {a.params / 1e6:.3g} M -> "
            f"{b.params / 1e6:.3g} M, {a.megabytes:.3g} MB -> {b.megabytes:.3g} MB",
            *_beside(a, b),
        ]

    @collector_paused()
    def to_dict(self) -> dict[str, Any]:
        """``regex``, ``params``, ``policy``, ``convs``, ``linears``, ``groups``, ``before``, ..."""
        chosen = {group.number for group in self.groups}
        return {
            "regex": self.regex,
            "params": self.params,
            "policy": self.policy,
            "unsupported_ops": self.unsupported_ops,
            "convs": [_conv(d, d.group in chosen) for d in self.decisions],
            "linears": [_conv(d, d.group in chosen) for d in self.linears],
            "groups": [
                {"group": group.number, "ratio": ratio, "convs": list(group.layers)}
                for group, ratio in zip(self.groups, self.ratios, strict=True)
            ],
            "before": _size(self.before),
            "after": _size(self.after),
        }

    def to_rows(self) -> Table:
        """A row a convolution, then a row a fully connected layer."""
        head = ("param", "op", "type", "shape", "groups", "status", "reason", "at", "path", "group")
        return head, [
            (
                d.param,
                d.op,
                d.type,
                "x".join(map(str, d.shape)) or "unknown",
                d.groups,
                d.status,
                d.reason or "",
                "" if d.at is None else f"{d.at.op} {d.at.type}",
                " > ".join(d.path),
                d.group,
            )
            for d in (*self.decisions, *self.linears)
        ]

    def to_networkx(self, level: Level = "op") -> nx.DiGraph[str]:
        """The program with the status of its convolutions, as `Picture.to_networkx` has it.

        Args:
            level: how far to fold: ``stage``, ``block``, ``unit`` or ``op``.

        Raises:
            MissingDependency: networkx is not installed.
            UsageError: there is no such level.
        """
        from graphprobe.api.draw import draw

        return draw(self.program, prune=self).to_networkx(level)

    def to_config(self) -> PruneConfig:
        """The config that prunes the selected groups and then trains.

        Raises:
            UsageError: nothing is selected, or the program has no name that a config could give.
        """
        from graphprobe.emit import prune_config

        self._refuse()
        config = prune_config(self.choice, self.program.program, self.regex, weights=self.weights)
        if self.train is not None:
            config = config.model_copy(update={"train": self.train})
        if is_run(self.program.source):
            config = config.model_copy(update={"student": ref_of(self.program)})
        return config

    def _config_notes(self) -> Mapping[str, Sequence[str]]:
        """What the selection comes to, as a comment of that config."""
        return {"summary": self.sizes()}

    def emit(self, emit: str) -> str:
        """The selection in the words of another tool.

        Args:
            emit: ``slim1x`` (PaddleSlim 1.x), ``ppdet1x`` (PaddleDetection 0.x), ``ppdet2x`` or
                ``ppdet`` (PaddleDetection 2.x), ``act`` (PaddleSlim's auto-compression).

        Raises:
            UsageError: no such form.
        """
        from graphprobe.config.write import comment
        from graphprobe.emit import find_prune_emitter

        text = find_prune_emitter(emit).text(self.choice, self.regex)
        # Whoever opens the file later does not see what was printed when it was written.
        warned = "".join(f"{comment(line)}\n" for line in self._warned(emit, every=True))
        return warned + text

    def emit_warnings(self, emit: str) -> tuple[str, ...]:
        """What the tool that reads `emit` will not do as it is selected here.

        Raises:
            UsageError: no such form.
        """
        return tuple(self._warned(emit, every=False))

    @cached_property
    def _outcomes(self) -> Outcomes:
        """What PaddleSlim does with each filter: both the text and the warnings ask."""
        from graphprobe.emit import slim_outcomes

        return slim_outcomes(self.choice)

    def _warned(self, emit: str, *, every: bool) -> Iterator[str]:
        """A sentence for each thing that the tool will not do; `every` names all its filters."""
        from graphprobe.emit import find_prune_emitter

        def which(names: Sequence[str]) -> str:
            return ", ".join(names) if every else f"first: {names[0]}"

        lost, failing = self._outcomes
        for why in dict.fromkeys(failing.values()):
            wrong = [name for name, reason in failing.items() if reason == why]
            yield (
                f"PaddleSlim fails on {len(wrong)} of {len(self.params)} filters "
                f"({which(wrong)}): {why}; keep them whole, or train with graphprobe, which "
                "prunes them"
            )
        if lost:
            through = " or ".join(dict.fromkeys(lost.values()))
            yield (
                f"PaddleSlim leaves {len(lost)} of {len(self.params)} filters as they are "
                f"({which(tuple(lost))}): it does not prune through {through}, as graphprobe's "
                "own trainer does"
            )
        if find_prune_emitter(emit).one_ratio and len(set(self.ratios)) > 1:
            yield "PaddleSlim 1.x finds one ratio for all filters; those chosen here are lost"

    def _refuse(self) -> None:
        self.program.require_name("program")
        if not self.groups:
            raise UsageError("nothing to prune", where=self.program.source)


def _conv(d: PruneDecision, selected: bool) -> dict[str, Any]:
    return {
        "param": d.param,
        "op": d.op,
        "type": d.type,
        "shape": list(d.shape),
        "groups": d.groups,
        "status": d.status,
        "selected": selected,
        "reason": d.reason,
        "at": None if d.at is None else {"op": d.at.op, "type": d.at.type},
        "path": list(d.path),
        "group": d.group,
        "detail": d.detail,
    }


def _beside(size: NetworkSize, after: NetworkSize) -> Iterator[str]:
    """What the multiply-adds of layers leave out."""
    if size.products:
        less = f" -> {work_text(after.products)}" if after.products != size.products else ""
        yield f"beside layers, products of features multiply {work_text(size.products)}{less}"
    if size.uncounted:
        yield f"not counted: {listed(size.uncounted)}"


def _size(size: NetworkSize) -> dict[str, Any]:
    """As JSON has it; multiply-adds are null where some could not be counted, never less."""
    return {
        "flops": None if size.uncounted else size.flops,
        "params": size.params,
        "megabytes": round(size.megabytes, 3),
        "products": size.products,
        "uncounted": list(size.uncounted),
    }
