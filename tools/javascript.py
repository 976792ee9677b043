"""Format, lint, type-check and unit-test the scripts of the HTML page and of the report.

Deno does all four. It is installed into .tools/deno from a lock with hashes, which needs the
network once; the checks need none. Exit status: 3 where Deno cannot be had, or is not there (test
and types do not fetch it).

    python tools/javascript.py                # format, lint and types: what make lint asks for
    python tools/javascript.py format         # write the files as the formatter wants them
    python tools/javascript.py test           # the unit tests in tests/drawing/web
    python tools/javascript.py types FILES    # the types of these files alone
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from install import NOT_HERE, ROOT, TOOLS, NotHere, locked_tool

PAGE = "graphprobe/drawing/web"
TESTS = "tests/drawing/web"
DENO = TOOLS / "deno" / "bin" / "deno"
# Nothing is fetched, and nothing is asked.
OFFLINE = ("--no-remote", "--no-npm")


def deno(*words: str) -> int:
    """Run Deno with its cache in .tools and without a look for newer versions."""
    given = {
        "DENO_DIR": str(TOOLS / "deno" / "cache"), "DENO_NO_UPDATE_CHECK": "1",
        # what it says is about the scripts, not about itself
        "RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0",
    }  # fmt: skip
    if not sys.stdout.isatty():
        given["NO_COLOR"] = "1"
    return subprocess.run([str(DENO), *words], cwd=ROOT, env={**os.environ, **given}).returncode


def scripts(folder: str) -> list[str]:
    found = (ROOT / folder).glob("*.[jt]s")
    return sorted(str(path.relative_to(ROOT)) for path in found)


def lint() -> int:
    files = [*scripts(PAGE), *scripts(TESTS)]
    return (
        deno("fmt", "--quiet", "--check", "deno.json", *files)
        or deno("lint", "--quiet", *files)
        # apart, so that a script of the page that takes what only Deno has is found
        or deno("check", "--quiet", *OFFLINE, *scripts(PAGE))
        or deno("check", "--quiet", *OFFLINE, *scripts(TESTS))
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("lint", "format", "test", "types"), default="lint"
    )
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    if given.what in ("lint", "format"):
        locked_tool("deno")
    elif not DENO.exists():
        raise NotHere("error: Deno is not in .tools/deno; make lint fetches it")
    if given.what == "format":
        return deno("fmt", "--quiet", "deno.json", *scripts(PAGE), *scripts(TESTS))
    if given.what == "test":
        return deno("test", *OFFLINE, "--no-check", "--no-prompt", TESTS)
    if given.what == "types":
        files = [str(path.resolve()) for path in given.files]
        return deno("check", "--quiet", "--config", "deno.json", *OFFLINE, *files)
    return lint()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotHere as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_HERE)
