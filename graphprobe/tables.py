"""Rows and columns: their types, and how a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Row: TypeAlias = Sequence[Any]
Table: TypeAlias = "tuple[Sequence[str], list[Row]]"

_MOST_ROWS = 60


def html_table(caption: str, head: Iterable[str], rows: Sequence[Row]) -> str:
    """An HTML table of the first rows; the rest is counted below it.

    Args:
        caption: one line above the table.
        head: column names.
        rows: cells of any kind; text is escaped.
    """
    from html import escape  # commands print text alone

    shown = "".join(
        f"<tr>{''.join(f'<td>{escape(_text(cell))}</td>' for cell in row)}</tr>"
        for row in rows[:_MOST_ROWS]
    )
    left = len(rows) - _MOST_ROWS
    more = f"<p>and {left} more rows</p>" if left > 0 else ""
    columns = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (
        f"<p>{escape(caption)}</p><table><thead><tr>{columns}</tr></thead>"
        f"<tbody>{shown}</tbody></table>{more}"
    )


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def count_text(number: int, noun: str) -> str:
    """``1 pair``, ``2 pairs``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def html_facts(caption: str, facts: Mapping[str, Any]) -> str:
    """An HTML table with a row a fact; what is None is left out."""
    rows = [(name, value) for name, value in facts.items() if value is not None]
    return html_table(caption, ("", ""), rows)
