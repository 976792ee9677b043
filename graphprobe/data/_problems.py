"""Collect what is wrong with a data set, and say it in one line."""

from __future__ import annotations

from graphprobe.errors import DataError

_SHOWN = 3


class Problems:
    """Everything wrong with one data set: the first few are told, with the total."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._first: list[str] = []
        self._hint = ""
        self.total = 0

    def add(self, text: str, hint: str = "") -> None:
        """Note one problem; the first hint given is the one shown."""
        self.total += 1
        self._hint = self._hint or hint
        if len(self._first) < _SHOWN:
            self._first.append(text)

    def raise_if_any(self) -> None:
        """Raise what was noted.

        Raises:
            DataError: something was.
        """
        if not self.total:
            return
        text = "; ".join(self._first)
        left = self.total - len(self._first)
        if left:
            text += f"; and {left} more problem{'s' if left > 1 else ''}"
        raise DataError(text, where=self._where, hint=self._hint)
