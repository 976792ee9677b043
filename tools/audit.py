"""Ask the public database of known weaknesses about every package of a lock file.

Runs pip-audit, itself installed from a lock with hashes, into .tools/audit. It reads the lock
alone: nothing that is audited is installed or run. Needs the network.

    python tools/audit.py                       # requirements/cpu.txt
    python tools/audit.py requirements/gpu.txt
"""

from __future__ import annotations

import subprocess
import sys

from install import NOT_HERE, ROOT, NotHere, locked_tool


def main() -> int:
    python = locked_tool("audit") / "python"
    for path in sys.argv[1:] or ["requirements/cpu.txt"]:
        words = ["-m", "pip_audit", "-r", path, "--require-hashes", "--disable-pip"]
        if subprocess.run([str(python), *words], cwd=ROOT).returncode:
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotHere as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_HERE)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:4])} ... failed with status {error.returncode}")
