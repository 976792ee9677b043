"""graphprobe doctor: what is installed here, and what will work."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import typer

from graphprobe.api.doctor import Card, Diagnosis, diagnose

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, OUTPUT, Format, deliver, terminal_width

_WORKS = {True: "yes", False: "no ", None: "?  "}


def command(form: Format = FORMAT, output: Path = OUTPUT) -> None:
    """Show versions, Paddle's build, and what will work.

    Exit status 1 where something that is installed is broken.

    Example: graphprobe doctor --format json -o doctor.json
    """
    found = diagnose()
    deliver(found, lambda: _lines(found, terminal_width()), form=form, output=output)
    if not found.ok:
        raise typer.Exit(ANSWER_IS_NO)


def _lines(found: Diagnosis, width: int) -> Iterator[str]:
    rows = [(name, version or "not installed") for name, version in found.versions.items()]
    rows.insert(3, ("paddle", _build(found)))
    rows += [(f"card {n}", _card(card)) for n, card in enumerate(found.cards)]
    rows.append(("threads", f"{found.threads} of {found.cores} cores"))
    names = max(len(name) for name, _ in rows)
    for name, text in rows:
        yield _wrapped(f"{name:<{names}}  ", text, width)
    yield ""
    for one in found.abilities:
        yield _wrapped(f"{_WORKS[one.works]}  ", one.what, width)
        yield _wrapped("     ", one.note, width)


def _wrapped(head: str, text: str, width: int) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _build(found: Diagnosis) -> str:
    build = found.paddle
    if build is None:
        return "not installed"
    parts = [build.version or "unknown version", ", ".join(build.packages) or "not from a wheel"]
    parts.append(f"CUDA {build.cuda}" if build.cuda else "for CPUs")
    if build.cuda:
        parts.append(
            f"code for {' '.join(build.archs)}" if build.archs else "code for unknown cards"
        )
    return "; ".join(parts)


def _card(card: Card) -> str:
    return f"{card.name}, compute capability {card.capability}, driver {card.driver}"
