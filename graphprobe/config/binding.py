"""Whether a config was made for the program that it is used on."""

from __future__ import annotations

from graphprobe.config._base import ProgramRef
from graphprobe.errors import ConfigError, Problem
from graphprobe.ir import Program
from graphprobe.ir.fingerprint import fingerprint


def check_fingerprint(ref: ProgramRef, program: Program, *, key: str, where: str = "") -> None:
    """Refuse a config on a program other than its own.

    Args:
        ref: the program that the config names.
        program: what was loaded.
        key: the config's key of that program, ``student`` or ``teacher``.
        where: the config file.

    Raises:
        ConfigError: the fingerprints differ.
    """
    if ref.fingerprint is None:
        return
    found = fingerprint(program)
    if found != ref.fingerprint:
        source = program.origin.source
        message = f"this file was made for {ref.fingerprint}, but {source} is {found}"
        raise ConfigError(
            [Problem(f"{key}.fingerprint", message)],
            where=where,
            hint="make the config again for this program, or name the program that it was made for",
        )
