"""Ask the public database of known weaknesses about every package of a lock file.

Runs pip-audit, itself installed from a lock with hashes, into .tools/audit. It reads the lock
alone: nothing that is audited is installed or run. Needs the network. Ends with 1 where a weakness
is known and with 3 where the database does not answer for some package.

    python tools/audit.py                       # every requirements/*.txt with hashes
    python tools/audit.py requirements/gpu.txt
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from install import NOT_HERE, ROOT, NotHere, locked_tool


def findings(report: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Of what pip-audit writes as json: a line a weakness, and the packages it was not told of."""
    found, unknown = [], []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unknown.append(str(package["name"]))
        for weak in package.get("vulns", ()):
            fixed = ", ".join(weak["fix_versions"]) or "no version"
            found.append(f"{package['name']} {package['version']}: {weak['id']}, mended in {fixed}")
    return found, unknown


def locks() -> Iterator[str]:
    """Every lock file with hashes."""
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        if "--hash=sha256:" in path.read_text(encoding="utf-8"):
            yield str(path.relative_to(ROOT))


def main() -> int:
    """Audit each lock; the worst of what came out."""
    python, status = locked_tool("audit") / "python", 0
    for path in sys.argv[1:] or locks():
        words = ["-m", "pip_audit", "-r", path, "--require-hashes", "--disable-pip", "-f", "json"]
        words += ["--progress-spinner", "off"]
        # Its last line calls what it could not ask about free of weaknesses.
        done = subprocess.run([str(python), *words], cwd=ROOT, capture_output=True, text=True)
        if not done.stdout:
            print(done.stderr, file=sys.stderr)
            return done.returncode or NOT_HERE
        report = json.loads(done.stdout)
        found, unknown = findings(report)
        asked = len(report["dependencies"]) - len(unknown)
        print(f"{Path(path).name}: {asked} packages asked about, {len(found)} known weaknesses")
        print("".join(f"  {line}\n" for line in found), end="")
        if unknown:
            few = ", ".join(unknown[:3])
            print(f"  the database does not answer for {len(unknown)} packages, first {few}")
        status = 1 if found or status == 1 else NOT_HERE if unknown else status
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotHere as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_HERE)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:4])} ... failed with status {error.returncode}")
