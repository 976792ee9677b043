"""Resolve requirements/cpu.txt and requirements/gpu.txt anew from pyproject.toml."""

from __future__ import annotations

from install import ROOT, find_uv, run


def main() -> None:
    for device in ("cpu", "gpu"):
        run(
            *find_uv(), "pip", "compile", "pyproject.toml", "--quiet", "--extra", device,
            "--extra", "slim", "--group", "dev", "--universal", "--python-version", "3.10",
            "--override", "requirements/overrides.txt", "--generate-hashes",
            "--no-header", "--no-emit-index-url", "-o", ROOT / "requirements" / f"{device}.txt",
        )  # fmt: skip


if __name__ == "__main__":
    main()
