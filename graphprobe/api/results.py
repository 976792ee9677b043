"""What every result offers: plain data for json, rows for pandas, a table for a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.errors import MissingDependency
from graphprobe.tables import Row, Table, count_text, html_table

if TYPE_CHECKING:
    import os

    from graphprobe.config import Config

__all__ = ["ConfigResult", "Result", "Row", "Table", "count_text", "html_table"]


class Result:
    """Base of the result types: a subclass gives what it is in a line, as plain data, as rows."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as the command line's json has it."""
        raise NotImplementedError

    def to_rows(self) -> Table:
        """Column names, and one row an entry."""
        raise NotImplementedError

    def summary(self) -> str:
        """One line with what was found."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """The rows as a ``pandas.DataFrame``.

        Raises:
            MissingDependency: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingDependency(
                "a table of pandas needs pandas, which is not installed", hint="pip install pandas"
            ) from error
        head, rows = self.to_rows()
        return pandas.DataFrame([tuple(row) for row in rows], columns=list(head))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary()}>"

    def _repr_html_(self) -> str:
        head, rows = self.to_rows()
        return html_table(self.summary(), head, rows)


class ConfigResult(Result):
    """A result that a config follows from: also gives that as YAML and writes it."""

    def to_config(self) -> Config:
        """The config.

        Raises:
            UsageError: none follows from the result.
        """
        raise NotImplementedError

    def _config_notes(self) -> Mapping[str, Sequence[str]]:
        """The comments of the config, by the key above which they stand."""
        raise NotImplementedError

    def to_yaml(self, file: str = "") -> str:
        """The text of the config, with what was found as comments.

        Args:
            file: what it will be called, for the command in its first comment.

        Raises:
            UsageError: as `to_config`.
        """
        from graphprobe.config import config_text

        return config_text(self.to_config(), file=file, notes=self._config_notes())

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write that text to a file, whole or not at all, and return its path.

        Raises:
            UsageError: as `to_config`, or the file's name does not end in .yaml.
            GraphprobeError: the file cannot be written.
        """
        from graphprobe.api.arguments import refuse_suffix
        from graphprobe.files import write_whole

        refuse_suffix(path, (".yaml", ".yml"), "a config is a YAML file")
        write_whole(Path(path), self.to_yaml(str(path)))
        return Path(path)
