"""Keep built programs on disk, so that a fast command need not import paddle twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
from functools import cache
from pathlib import Path

from graphprobe.errors import GraphprobeError
from graphprobe.files import write_whole
from graphprobe.version import __version__
from graphprobe.zoo._build import serialize
from graphprobe.zoo._options import ZooSpec, parse_zoo, zoo_plugin

MAGIC = b"graphprobe zoo program 1\n"


def zoo_bytes(text: str) -> bytes:
    """The serialized ProgramDesc of a bundled model, from the cache where it is there.

    Args:
        text: as ``zoo:yolov3_r34?size=320``.

    Raises:
        LoadError: an unknown model or option, or a value that the model refuses.
        MissingDependency: paddle is not installed and the program is not in the cache.
    """
    spec = parse_zoo(text)
    path = cache_folder() / f"{spec.name}-{_key(spec)}.pdmodel"
    found = _read(path)
    if found is not None:
        return found
    content = serialize(spec)
    _write(path, content)
    return content


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/graphprobe/zoo``, by default under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path("~/.cache").expanduser()
    return base / "graphprobe" / "zoo"


def _key(spec: ZooSpec) -> str:
    """A name that changes with the options, the code that builds and graphprobe's version."""
    text = f"{__version__}\n{_source_hash(Path(__file__).parent)}\n{spec}"
    plugin = zoo_plugin(spec.name)
    if plugin is not None:
        source = plugin.source()
        text += f"\n{plugin.package}\n{_source_hash(source.parent) if source else ''}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def _source_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _read(path: Path) -> bytes | None:
    """The content of a cache file; None where it is missing or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    start = len(MAGIC) + 32
    content = data[start:]
    whole = data[:start] == MAGIC + hashlib.sha256(content).digest()
    return content if whole and content else None


def _write(path: Path, content: bytes) -> None:
    """Write if possible: a cache that cannot be written costs time, never a result."""
    with contextlib.suppress(OSError, GraphprobeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, MAGIC + hashlib.sha256(content).digest() + content)
