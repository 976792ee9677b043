"""A command that refuses an option which it would otherwise take the last of, in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from graphprobe.errors import UsageError


class OnceCommand(TyperCommand):
    """Each option that holds one value may be given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Count the options, then parse as usual.

        Raises:
            UsageError: an option that holds one value is given more often.
        """
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(list(args))
            counts = Counter(id(param) for param in order)
            for param in order:
                if isinstance(param, TyperOption) and not (param.multiple or param.is_flag):
                    self._refuse(param, counts[id(param)])
        return super().parse_args(ctx, args)

    def _refuse(self, param: TyperOption, count: int) -> None:
        if count < 2:
            return
        name = max(param.opts, key=len)
        hint = "one call writes one file" if name == "--output" else "give it once"
        raise UsageError(f"is given {count} times and holds one value", where=name, hint=hint)
