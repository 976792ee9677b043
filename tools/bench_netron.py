"""Show a program in one browser by Netron and by our page: python tools/bench_netron.py FILE...

Netron (pip install netron) reads the file in the browser; its time is from the moment on which its
question about cookies is answered to that on which nodes are drawn. Ours is from the file to the
page, in a process of its own and imports included, and then to nodes on the screen. Model Explorer
has no reader of Paddle's formats.
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_ROUNDS = 3
_PORT = 8878
_NODES = "document.querySelectorAll('#target g.node').length"
_READY = f"document.body !== null && document.body.className === 'default' && {_NODES} > 0"
_ACCEPT = "document.getElementById('message-button')"


def browser_module() -> Any:
    """The browser of the tests."""
    path = Path(__file__).parents[1] / "tests" / "drawing" / "_browser.py"
    spec = importlib.util.spec_from_file_location("bench_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seconds(run: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def netron_seconds(browser: Any, file: Path) -> tuple[float, int]:
    """Median seconds until Netron has drawn a file, and how many nodes it draws."""
    import netron

    netron.start(str(file), address=("127.0.0.1", _PORT), browse=False)
    times = []
    try:
        for _ in range(_ROUNDS):
            # A page that was there before would be taken for the new one.
            browser.call("Page.navigate", url="about:blank")
            browser.call("Page.navigate", url=f"http://127.0.0.1:{_PORT}")
            browser.until(f"{_READY} || ({_ACCEPT} && {_ACCEPT}.offsetParent !== null)")
            assert not browser.run(_READY), "it did not ask"
            browser.run(f"{_ACCEPT}.click()")
            times.append(seconds(lambda: browser.until(_READY)))
            browser.call("Network.clearBrowserCookies")
            nodes = int(browser.run(_NODES))
    finally:
        netron.stop()
    return statistics.median(times), nodes


def page_seconds(browser: Any, file: Path, folder: Path) -> tuple[float, float, int]:
    """Median seconds to make our page and to open it, and how many nodes it shows."""
    page = folder / "page.html"
    command = [str(Path(sys.executable).parent / "graphprobe"), "draw", str(file), "-o", str(page)]
    made = [seconds(lambda: subprocess.run(command, check=True, stderr=subprocess.DEVNULL))
            for _ in range(_ROUNDS)]  # fmt: skip
    opened = [seconds(lambda: browser.open(page)) for _ in range(_ROUNDS)]
    nodes = int(browser.run("document.querySelectorAll('.node').length"))
    return statistics.median(made), statistics.median(opened), nodes


def main(files: list[str]) -> None:
    module = browser_module()
    found = module.find()
    if found is None or importlib.util.find_spec("netron") is None:
        print("Netron beside our page: needs a Chromium and pip install netron")
        return
    for name in files:
        file = Path(name)
        with tempfile.TemporaryDirectory() as folder:
            browser = module.Browser(found, Path(folder) / "home")
            made, opened, shown = page_seconds(browser, file, Path(folder))
            theirs, nodes = netron_seconds(browser, file)
            browser.close()
        print(
            f"{file.name}: Netron {theirs:.2f} s ({nodes:,} nodes); our page {made:.2f} s to make, "
            f"{opened:.2f} s to open ({shown:,} nodes, folded)",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
