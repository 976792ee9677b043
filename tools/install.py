"""Make .venv with everything that the lock file of a device names, and graphprobe editable.

Runs on the python3 of the machine with its standard library alone. A second run does nothing
while the lock files and pyproject.toml stay as they are.
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
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
# The one version of uv whose files have these hashes.
PINNED_UV = ("--require-hashes", "-r", "requirements/uv.txt")
STAMP = VENV / ".graphprobe-installed"


def run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, cwd=ROOT)


def wanted(device: str) -> str:
    """What must be equal for an earlier installation to still be good."""
    digest = hashlib.sha256(device.encode())
    for name in ("pyproject.toml", f"requirements/{device}.txt"):
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
    return ">=3.10,<3.14"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    device = parser.parse_args().device
    stamp = wanted(device)
    if STAMP.exists() and STAMP.read_text() == stamp:
        return
    os.environ.pop("VIRTUAL_ENV", None)
    # Certificates that the machine trusts (a company's proxy, say), as pip does.
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    uv = find_uv()
    # cpu and gpu builds of Paddle overwrite each other's files, so start from nothing.
    run(*uv, "venv", "--quiet", "--clear", "--python", choose_python(), VENV)
    print(f"installing requirements/{device}.txt into .venv", flush=True)
    python = VENV / "bin" / "python"
    run(
        *uv, "pip", "install", "--quiet", "--python", python, "--require-hashes",
        # without compiled files every start would parse all of its imports again
        "--compile-bytecode",
        # the lock is complete; resolving again would bring back what overrides.txt leaves out
        "--no-deps", "-r", f"requirements/{device}.txt",
    )  # fmt: skip
    # built by the locked setuptools in .venv; build isolation would fetch one without a hash
    run(
        *uv, "pip", "install", "--quiet", "--python", python, "--no-build-isolation",
        "--no-deps", "-e", ".",
    )  # fmt: skip
    STAMP.write_text(stamp)
    print("installed: .venv/bin/graphprobe", flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:4])} ... failed with status {error.returncode}")
