"""Ask the public database of known weaknesses about every package of a lock file.

Runs pip-audit, itself installed from a lock with hashes, into .tools/audit. It reads the lock
alone: nothing that is audited is installed or run. Needs the network.

    python tools/audit.py                       # requirements/cpu.txt
    python tools/audit.py requirements/gpu.txt
"""

from __future__ import annotations

import os
import subprocess
import sys

from install import ROOT, TOOLS, choose_python, find_uv, run

AUDIT = TOOLS / "audit"
LOCK = "requirements/audit.txt"


def main() -> int:
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")
    python = AUDIT / "bin" / "python"
    stamp = AUDIT / ".installed"
    lock = (ROOT / LOCK).read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        uv = find_uv()
        run(*uv, "venv", "--quiet", "--clear", "--python", choose_python(), AUDIT)
        run(
            *uv, "pip", "install", "--quiet", "--python", python, "--require-hashes",
            "--no-deps", "-r", LOCK,
        )  # fmt: skip
        stamp.write_text(lock)
    for path in sys.argv[1:] or ["requirements/cpu.txt"]:
        words = ["-m", "pip_audit", "-r", path, "--require-hashes", "--disable-pip"]
        if subprocess.run([str(python), *words], cwd=ROOT).returncode:
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:4])} ... failed with status {error.returncode}")
