"""What the fuzzer runs: the readers of programs, whole commands, and the readers of other files."""

from __future__ import annotations

import contextlib
import functools
import io
import random
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from corpus import networks, seeds
from fuzz_files import Wrong, file_seeds, mutate_file, own_folder, read_file
from graphprobe_cli.main import build_app, run
from mutate import mutate
from mutate_program import mutate_program

from graphprobe.errors import GraphprobeError
from graphprobe.formats import load_bytes
from graphprobe.ir import build_dataflow
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.ir.listing import list_vars, undeclared

Mutate = Callable[[bytes, bytes, random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """Something that is given inputs.

    Args:
        seeds: where to start.
        mutate: an input, another one, chance -> the next input.
        run: runs an input; True where it was taken, False where it was refused as it should be.
        real: whether programs that nobody here wrote are seeds too.
    """

    seeds: Callable[[], list[bytes]]
    mutate: Mutate
    run: Callable[[bytes], bool]
    real: bool = False


def read_program(data: bytes) -> bool:
    """Read a program and use it."""
    try:
        program = load_bytes(data, "fuzz")
    except GraphprobeError:
        return False
    build_dataflow(program)
    fingerprint(program)
    list_vars(program)
    undeclared(program)
    return True


def mutate_any(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Mostly what a program says, sometimes its bytes and fields."""
    return mutate_program(data, rng) if rng.randrange(4) else mutate(data, other, rng)


# ------------------------------------------------------------------------------------- commands
# Every command that reads programs.
LINES = (
    "vars {} --teacher {}",
    "vars {} --format csv --all",
    "pairs --student {} --teacher {}",
    "pairs --student {} --teacher {} -o {d}/p.yaml",
    "prune-regex {}",
    "prune-regex {} --policy coupled -o {d}/q.yaml",
    "prune-regex {} --policy coupled -o {d}/q.yaml",
    "prune-regex {} --policy coupled --format json",
    "prune-regex {} --target-flops 0.3",
    "draw {} -o {d}/a.svg",
    "draw {} -o {d}/a.html --level op",
    "draw {} -o {d}/a.dot",
    "draw {} -o {d}/a.pdf",
    "draw {} -o {d}/r.svg --level raw",
    "draw {} -o {d}/a.graphml",
    "report --student {} -o {d}/r.html",
    "export {} --form pdmodel -o {d}/out",
)
# Exit status of a fault of graphprobe itself.
_OWN_FAULT = 3
_ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def run_command(data: bytes) -> bool:
    """Run one whole command on a program; which one follows from its bytes.

    Raises:
        Wrong: exit status 3, another than 0, 1 and 2, or a character that acts in what it says.
    """
    folder = own_folder()
    (folder / "model").write_bytes(data)
    line = LINES[zlib.crc32(data) % len(LINES)]
    words = [w.format(str(folder / "model"), d=folder) for w in line.split()]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(_app(words[0]), words, debug=True)
    said = out.getvalue() + err.getvalue()
    if status == _OWN_FAULT:
        raise Wrong(f"{line}\n{said}\n{_place(said)}")
    if "left out for a fault" in said:
        raise Wrong(f"{line}\n{said}\n{_place(said)}")
    if status not in (0, 1, 2):
        raise Wrong(f"{line}: status {status}")
    if status != 2 and any(unicodedata.category(c) in _ACTING for c in said if c != "\n"):
        raise Wrong(f"{line} prints what acts")
    return status != 2


# Parsers are made of signatures, in 20 ms.
_app = functools.cache(build_app)


def _place(said: str) -> str:
    return said.rpartition(" at ")[2].partition(")")[0] + " " + said.rpartition("fault")[0][-60:]


def all_programs() -> list[bytes]:
    """The small programs of the readers, and networks with every kind of rule."""
    return [*networks(), *seeds()]


TARGETS = {
    "readers": Target(seeds, mutate, read_program, real=True),
    "commands": Target(all_programs, mutate_any, run_command),
    "files": Target(file_seeds, mutate_file, read_file),
}
