"""Make .venv with everything that the lock file of a device names, and graphprobe editable.

Runs on the python3 of the machine with its standard library alone. A second run does nothing
while the lock files and pyproject.toml stay as they are. Exit status: 3 where this machine has no
Python, or is no platform, for what is asked; 1 for any other failure.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
# The one version of uv whose files have these hashes.
PINNED_UV = ("--require-hashes", "-r", "requirements/uv.txt")
# The environment of each Paddle that tests ask for by its version: its lock file, the Pythons to
# look for, first the one wanted most, and those that it can have. Where the first are not found,
# 3.3.1 and none take this python3; 2.6.2-3.10 asks for that Python, which has to be there.
PADDLES = {
    "2.6.2": ("cpu", ("3.11", "3.12", "3.10"), ("3.10", "3.11", "3.12")),
    "3.3.1": ("cpu3", ("3.13",), ("3.10", "3.11", "3.12", "3.13")),
    "none": ("none", ("3.10",), ("3.10", "3.11", "3.12", "3.13")),
}
NAMES = (*PADDLES, *(f"{name}-{one}" for name, (*_, every) in PADDLES.items() for one in every))
# What uv looks for where this python3 is too old or too new.
ANY_PYTHON = ">=3.10,<3.14"
NOT_HERE = 3


class NotHere(SystemExit):
    """This machine has no Python, or is no platform, for what is asked; says so in one line."""


def run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, cwd=ROOT)


def wanted(lock: str, python: str) -> str:
    """What must be equal for an earlier installation to still be good."""
    digest = hashlib.sha256(f"{lock} {python}".encode())
    for name in ("pyproject.toml", f"requirements/{lock}.txt"):
        digest.update((ROOT / name).read_bytes())
    # An editable install names this folder; a moved clone needs another.
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def find_uv() -> list[str]:
    """The machine's uv, or one put into .tools by whatever this python3 offers."""
    on_path = shutil.which("uv")
    if on_path:
        return [on_path]
    local = TOOLS / "bin" / "uv"
    if not local.exists():
        print("installing uv into .tools", flush=True)
        ways = (
            lambda: (
                run(sys.executable, "-m", "venv", "--clear", TOOLS),
                run(TOOLS / "bin" / "python", "-m", "pip", "install", "-q", *PINNED_UV),
            ),
            lambda: (
                shutil.rmtree(TOOLS, ignore_errors=True),
                run(sys.executable, "-m", "pip", "install", "-q", "--target", TOOLS, *PINNED_UV),
            ),
        )
        for way in ways:
            try:
                way()
                break
            except (subprocess.CalledProcessError, OSError):
                continue
        else:
            sys.exit(
                "error: this python3 has neither venv nor pip; install uv, or your system's "
                "python3-venv package, and run make again"
            )
    return [str(local)]


def choose_python() -> str:
    """This python3 where it is one that Paddle has wheels for, else what uv finds."""
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return sys.executable
    return ANY_PYTHON


def find_python(version: str) -> str | None:
    """The interpreter of a version like 3.13 that this machine has, on its PATH or in pyenv."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    names = [f"python{version}"]
    pyenv = subprocess.run(
        ["pyenv", "prefix", version], capture_output=True, text=True, check=False
    ) if shutil.which("pyenv") else None  # fmt: skip
    if pyenv and pyenv.returncode == 0:
        names.append(str(Path(pyenv.stdout.strip()) / "bin" / "python"))
    for name in names:
        if shutil.which(name):
            # one of pyenv's stand-ins on the PATH may be there and not run
            words = [name, "-c", "import sys; print(sys.executable)"]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout.strip()
    return None


def python_for(paddle: str) -> str:
    """The interpreter of an environment for one Paddle; ends with one line where there is none."""
    paddle, _, named = paddle.partition("-")
    versions = (named,) if named else PADDLES[paddle][1]
    if paddle == "2.6.2" and not named and (3, 10) <= sys.version_info[:2] <= (3, 12):
        return sys.executable
    for version in versions:
        found = find_python(version)
        if found:
            return found
    if named:
        raise NotHere(f"error: no Python {named} was found")
    if paddle == "2.6.2":
        raise NotHere("error: Paddle 2.6.2 needs Python 3.10 to 3.12, and none of them was found")
    return choose_python()


def locked_tool(name: str) -> Path:
    """The programs of an environment in .tools that holds what requirements/NAME.txt locks."""
    folder, lock = TOOLS / name, f"requirements/{name}.txt"
    stamp, text = folder / ".installed", (ROOT / lock).read_text()
    if stamp.exists() and stamp.read_text() == text:
        return folder / "bin"
    os.environ.pop("VIRTUAL_ENV", None)
    # Certificates that the machine trusts (a company's proxy, say), as pip does.
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    uv = find_uv()
    print(f"installing {lock} into .tools/{name}", flush=True)
    run(*uv, "venv", "--quiet", "--clear", "--python", choose_python(), folder)
    words = [
        *uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"),
        "--require-hashes", "--no-deps", "-r", lock,
    ]  # fmt: skip
    done = subprocess.run(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        why = " ".join(done.stderr.split())[:400]
        raise NotHere(f"error: {lock} cannot be installed into .tools/{name}: {why}")
    stamp.write_text(text)
    return folder / "bin"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--paddle", choices=NAMES, help="an environment of its own")
    parser.add_argument("--into", default=".venv", help="folder of the environment")
    given = parser.parse_args()
    if sys.platform != "linux":
        raise NotHere(f"error: requirements/*.txt are for Linux, this is {sys.platform}")
    lock = PADDLES[given.paddle.partition("-")[0]][0] if given.paddle else given.device
    base = python_for(given.paddle) if given.paddle else choose_python()
    venv = ROOT / given.into
    python = venv / "bin" / "python"
    mark = venv / ".graphprobe-installed"
    stamp = wanted(lock, base if given.paddle else "")
    if mark.exists() and mark.read_text() == stamp:
        return
    os.environ.pop("VIRTUAL_ENV", None)
    # Certificates that the machine trusts (a company's proxy, say), as pip does.
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    uv = find_uv()
    # cpu and gpu builds of Paddle overwrite each other's files, so start from nothing.
    try:
        run(*uv, "venv", "--quiet", "--clear", "--python", base, venv)
    except subprocess.CalledProcessError:
        if base != ANY_PYTHON:
            raise
        raise NotHere(f"error: no Python {ANY_PYTHON} was found or could be fetched") from None
    print(f"installing requirements/{lock}.txt into {given.into}, a minute or two", flush=True)
    # uv's own bars where somebody looks on; logs get no bar.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    run(
        *uv, "pip", "install", *quiet, "--python", python, "--require-hashes",
        # without compiled files every start would parse all of its imports again
        "--compile-bytecode",
        # the lock is complete; resolving again would bring back what overrides.txt leaves out
        "--no-deps", "-r", f"requirements/{lock}.txt",
    )  # fmt: skip
    # built by the locked setuptools in the environment; build isolation would fetch one without
    # a hash
    run(
        *uv, "pip", "install", "--quiet", "--python", python, "--no-build-isolation",
        "--no-deps", "-e", ".",
    )  # fmt: skip
    mark.write_text(stamp)
    print(f"installed: {given.into}/bin/graphprobe", flush=True)
    if not given.paddle:
        print(f"next: make demo, or {given.into}/bin/graphprobe --help", flush=True)


if __name__ == "__main__":
    try:
        main()
    except NotHere as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_HERE)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:4])} ... failed with status {error.returncode}")
