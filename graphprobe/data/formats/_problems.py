"""Collect what is wrong with a data set, and report it in one line."""

from __future__ import annotations

from graphprobe.errors import DataProblems

_SHOWN = 3
_KEPT = 10_000


class Problems:
    """Everything wrong with one data set; an error names the first few, with the total.

    Args:
        where: what messages call the data set.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.texts: list[str] = []
        self._hint = ""
        self.total = 0

    def add(self, text: str, hint: str = "") -> None:
        """Note one problem; the first hint given is the one shown."""
        self.total += 1
        self._hint = self._hint or hint
        if len(self.texts) < _KEPT:
            self.texts.append(text)

    def raise_if_any(self) -> None:
        """Raise what was noted.

        Raises:
            DataError: something was.
        """
        if not self.total:
            return
        text = "; ".join(self.texts[:_SHOWN])
        left = self.total - len(self.texts[:_SHOWN])
        if left:
            text += f"; and {left} more problem{'s' if left > 1 else ''}"
        raise DataProblems(text, self.texts, where=self.where, hint=self._hint)
