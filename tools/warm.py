"""Start commands of graphprobe as processes of their own, each forked after paddle is imported.

Run as a script, it reads a json line for each process to start::

    {"run": ["train", "c.yaml"], "script": "", "log": "file", "env": {...}, "limit": -1}

(of the command line, or of a script with these arguments) and answers with its pid.
``{"wait": pid}`` is answered with its exit status when it has ended. Importing paddle takes
seconds, so tests that start dozens of processes would take minutes without this.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import runpy
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any


class Warm:
    """The process that forks, seen from a test."""

    def __enter__(self) -> Warm:
        words = [sys.executable, __file__]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Not by closing its stdin: processes that were forked meanwhile hold it open as well.
        self._process.kill()
        self._process.wait()

    def start(self, log: Path, *words: str, script: str = "", limit: int = -1, **env: str) -> int:
        """Start a process; its output goes to the end of `log`, PWD is where it runs.

        Args:
            limit: bytes beyond which the system lets none of its files grow.

        Returns:
            its pid.
        """
        more = {"env": env, "run": words, "script": script, "limit": limit}
        return self._ask({"log": str(log), **more})

    def wait(self, pid: int) -> int:
        """The exit status of a process that was started here; minus the signal that killed it."""
        return self._ask({"wait": pid})

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def serve() -> None:
    """Answer requests until there are no more."""
    from graphprobe.training.runtime.process import import_paddle

    import_paddle()
    for name in ("graphprobe.training.run", "graphprobe_cli.train"):
        importlib.import_module(name)  # for the processes to come

    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                os._exit(become(request))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def become(request: dict[str, Any]) -> int:
    """What the forked process does; its exit status."""
    output = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(request["env"])
    os.chdir(request["env"].get("PWD", "."))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    sys.argv[1:] = request["run"]
    try:
        if request["script"]:
            runpy.run_path(request["script"], run_name="__main__")
        else:
            from graphprobe_cli.main import main

            main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - no child may come back into the loop above
        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    serve()
