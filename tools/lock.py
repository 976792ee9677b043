"""Resolve requirements/*.txt anew: what make installs and audits with, uv and Deno."""

from __future__ import annotations

import tempfile
from pathlib import Path

from install import ROOT, find_uv, run


def main() -> None:
    # cpu3: Paddle 3.3.1 on every Python; none: what is tested without Paddle
    for name, extras in (
        ("cpu", ("cpu", "slim")), ("gpu", ("gpu", "slim")), ("cpu3", ("cpu3", "slim")),
        ("none", ("train",)),
    ):  # fmt: skip
        run(
            *find_uv(), "pip", "compile", "pyproject.toml", "--quiet",
            *(word for extra in extras for word in ("--extra", extra)),
            "--group", "dev", "--universal", "--python-version", "3.10",
            "--override", "requirements/overrides.txt", "--generate-hashes",
            "--no-header", "--no-emit-index-url", "-o", ROOT / "requirements" / f"{name}.txt",
        )  # fmt: skip

    for name, wanted in (
        ("uv", "uv>=0.9,<1"), ("audit", "pip-audit>=2.10,<3"), ("deno", "deno>=2.9,<3"),
    ):  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder) / f"{name}.in"
            given.write_text(f"{wanted}\n")
            run(
                *find_uv(), "pip", "compile", given, "--quiet", "--universal",
                "--python-version", "3.10", "--generate-hashes", "--no-header",
                "--no-emit-index-url", "--no-annotate",
                "-o", ROOT / "requirements" / f"{name}.txt",
            )  # fmt: skip


if __name__ == "__main__":
    main()
