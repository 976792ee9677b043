"""Write docs/commands.md: the help of every command, as the command prints it at 80 columns."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "commands.md"
HEAD = """\
# Commands

<!-- Written by `make docs` from the commands themselves; edit those. -->

Each command and all of its options, as `graphprobe COMMAND --help` prints them. A PROGRAM is a
file or folder of any Paddle version, a run's folder, `zoo:NAME?option=value` or
`package.module:function` ([reading programs](reading-programs.md)). Exit status: 0 done, 1 the
answer is no, 2 bad use or unreadable input.
"""


def page() -> str:
    """The whole page."""
    from graphprobe_cli.main import COMMANDS

    parts = (f"\n## {name}\n\n```\n{help_of(name)}```\n" for name in COMMANDS)
    return HEAD + "".join(parts)


def help_of(name: str) -> str:
    """What ``graphprobe NAME --help`` prints."""
    import typer
    from graphprobe_cli.main import build_app
    from typer.testing import CliRunner

    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "80"
    app = build_app()
    assert isinstance(app, typer.Typer)
    found = CliRunner().invoke(app, [name, "--help"], prog_name="graphprobe", terminal_width=80)
    lines = (line.rstrip() for line in found.output.strip("\n").split("\n"))
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
