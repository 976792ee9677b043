"""A page that shows commands, what they printed and the pictures that they drew.

Commands are run for the page; nothing on it is written by hand but the sentences between them.
What a machine or a moment decides is left out, so that another run makes nearly the same page.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

COLUMNS = 80
# Times, and what is counted by them.
_TIMES = (
    (re.compile(r"eta \d+:\d\d:\d\d|eta \d+ days?, \d+:\d\d:\d\d"), "eta ..."),
    (re.compile(r"[\d.,]+ (images/s|img/s)"), r"... \1"),
    (re.compile(r"(data) [\d.]+%"), r"\1 ..."),
    (re.compile(r"[\d.]+% waiting for data"), "... waiting for data"),
    (re.compile(r"(?<![\w.])[\d.,]+ (s|ms|min)(?![\w/])"), r"... \1"),
    (re.compile(r"(latency .*ms .*)[+-][\d.]+%"), r"\1..."),
    (re.compile(r"(?<=time )(.*)"), lambda found: re.sub(r"\d\d:\d\d:\d\d", "     ...", found[0])),
)
# Said of a slow or busy machine alone.
_OF_THE_MOMENT = re.compile(r"[a-z]+ing .* \.\.\.|warning: other work disturbs this machine.*")
Call = Callable[[Sequence[str]], tuple[int, str]]


class CommandFailed(Exception):
    """A command of the page ended with another status than expected."""


def call_program(program: Path, folder: Path, environment: dict[str, str]) -> Call:
    """Run a program in a folder; standard error stands between standard output as it came."""

    def call(words: Sequence[str]) -> tuple[int, str]:
        done = subprocess.run(
            [program, *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return call


@dataclass
class Transcript:
    """Two pages of the same commands, with sentences in English and in Chinese.

    Args:
        call: runs graphprobe with words, in `folder`; its status and all that it printed.
        folder: where the commands run.
        images: where pictures for the pages go.
    """

    call: Call
    folder: Path
    images: Path
    english: list[str] = field(default_factory=list)
    chinese: list[str] = field(default_factory=list)

    def say(self, english: str, chinese: str) -> None:
        """A paragraph or a heading."""
        self.english.append(textwrap.fill(english, 100) if english[0] != "#" else english)
        self.chinese.append(chinese)

    def run(
        self, *words: str, ends: tuple[int, int] | None = None, status: int = 0, show: bool = True
    ) -> None:
        """Run graphprobe, and show the command and its output.

        Args:
            words: of the command.
            ends: how many lines of the output's beginning and end are shown; None: all.
            status: that the command ends with.
            show: whether its output is.

        Raises:
            CommandFailed: it ends with another status.
        """
        line = wrapped_command(["graphprobe", *words])
        print(line, file=sys.stderr, flush=True)
        found, output = self.call(words)
        if found != status:
            raise CommandFailed(f"{line}\n{output}\nstatus {found}, not {status}")
        self.shown([line, *(shortened(tidy(output), ends) if show else ())])

    def shown(self, lines: Sequence[str]) -> None:
        """Lines of a terminal."""
        text = "\n".join(["```console", *lines, "```"])
        self.english.append(text)
        self.chinese.append(text)

    def picture(self, file: str, name: str, caption: str, *, width: int, height: int = 0) -> None:
        """A picture that a command drew, as a small file for the pages.

        Args:
            file: in `folder`.
            name: of the small file.
            caption: for those who do not see it.
            width: of it, at most.
            height: from the top, of the picture as drawn; 0: all of it.
        """
        self.images.mkdir(parents=True, exist_ok=True)
        with Image.open(self.folder / file) as drawn:
            picture = drawn.convert("RGB")
        picture = (
            picture.crop((0, 0, picture.width, min(height, picture.height))) if height else picture
        )
        if picture.width > width:
            scale = width / picture.width
            picture = picture.resize(
                (width, round(picture.height * scale)), Image.Resampling.LANCZOS
            )
        picture.quantize(128).save(self.images / name, optimize=True)
        self.english.append(f"![{caption}](images/{name})")
        self.chinese.append(f"![{caption}](../images/{name})")

    def pages(self) -> tuple[str, str]:
        """The English and the Chinese page."""
        english, chinese = ("\n\n".join(parts) + "\n" for parts in (self.english, self.chinese))
        return english, chinese


def wrapped_command(words: Sequence[str]) -> str:
    """A command as it is typed; a long one goes on in the next line after a backslash."""
    lines = ["$"]
    for word in map(shlex.quote, words):
        if len(lines[-1]) + len(word) + 3 > COLUMNS:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def tidy(output: str) -> list[str]:
    """Lines of at most 80 columns, without what the moment decides."""
    lines: list[str] = []
    for line in output.strip().splitlines() if output.strip() else ():
        if _OF_THE_MOMENT.fullmatch(line):
            continue
        for pattern, by in _TIMES:
            line = pattern.sub(by, line)
        lines += folded(line.rstrip())
    return lines


def folded(line: str) -> list[str]:
    """A line as a terminal of 80 columns shows it, broken between words."""
    if len(line) <= COLUMNS:
        return [line]
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent="    ", break_on_hyphens=False, break_long_words=True
    )


def shortened(lines: Sequence[str], ends: tuple[int, int] | None) -> list[str]:
    """The first and the last lines, with a mark between."""
    if ends is None or len(lines) <= sum(ends) + 1:
        return list(lines)
    first, last = ends
    return [*lines[:first], "...", *lines[len(lines) - last :]]
