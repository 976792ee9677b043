"""Write docs/operators.md from the table of operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from graphprobe.ops.rows import OperatorRow, operator_rows

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operators.md"
HEAD = """\
# Operators

<!-- Written by `make docs` from graphprobe/ops/families; edit these. -->

{count} operators of Paddle 1.x, 2.x and 3.x are known, in {families} families; each family is a
file of `graphprobe/ops/families/`. Operators in one entry share all answers. An operator that is
not here is reported: `pairs` warns and knows no stride behind it but what declared sizes give,
`prune-regex` reports `unsupported_op` where channels reach it, a drawing counts it, and its
multiply-adds are not known.

"""


def page() -> str:
    """The whole page."""
    rows = operator_rows()
    families = list(dict.fromkeys(row.family for row in rows))
    return HEAD.format(count=len(rows), families=len(families)) + "\n".join(_sections(rows))


def _sections(rows: list[OperatorRow]) -> Iterator[str]:
    for family, members in groupby(rows, key=lambda row: row.family):
        yield f"## {family}\n"
        for answers, alike in groupby(members, key=_answers):
            yield from _entry(answers, list(alike))


def _answers(row: OperatorRow) -> tuple[str, ...]:
    return row.kind, row.channels, row.spatial, row.shapes, row.work


def _entry(answers: tuple[str, ...], rows: list[OperatorRow]) -> Iterator[str]:
    kind, channels, spatial, shapes, work = answers
    yield ", ".join(f"`{row.type}`" for row in rows) + f": **{kind}**\n"
    yield f"- channels: {channels}"
    yield f"- H, W and stride: {spatial}"
    yield f"- sizes: {shapes}"
    yield f"- multiply-adds: {work}"
    labels = [f"`{row.type}` is *{row.label}*" for row in rows if row.label != row.type]
    if labels:
        yield f"- in drawings {', '.join(labels)}"
    names = [f"`{row.pir}` is `{row.type}`" for row in rows if row.pir]
    if names:
        yield f"- in PIR {', '.join(names)}"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
