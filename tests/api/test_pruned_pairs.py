"""What an exported program is trained with where no config says it."""

from __future__ import annotations

from graphprobe.api.pairs import PairFindings
from graphprobe.api.pruned_pairs import boxless_loss
from graphprobe.ir import Pair, Program
from graphprobe.pairing.find import PairReport
from graphprobe.programs import LoadedProgram


def pairs(*losses: str) -> PairFindings:
    """A student and a teacher with a pair of each of these losses."""
    loaded = LoadedProgram("model.pdmodel", Program(()))
    shape = (-1, 8, 20, 20)
    found = tuple(
        Pair(f"s{n}", f"t{n}", shape, shape, "neck", loss, 1.0, 1.0, "neck_levels")
        for n, loss in enumerate(losses)
    )
    return PairFindings(loaded, loaded, PairReport(found))


def test_a_loss_that_wants_boxes_is_replaced() -> None:
    lines: list[str] = []
    assert boxless_loss(pairs("l2", "fgd", "fgd"), lines.append) == "relative_l2"
    assert lines == ["pairs: relative_l2 stands for fgd, since the data have no boxes"]


def test_losses_without_boxes_stay() -> None:
    lines: list[str] = []
    assert boxless_loss(pairs("l2", "cosine"), lines.append) is None
    assert lines == []
