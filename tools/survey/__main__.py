"""Export every network of the survey, look at each, and write the table of docs/coverage.md.

    make survey                                the networks that the installed libraries offer
    PADDLEDETECTION=FOLDER make survey         detectors too, by the configs of that checkout
    python -m tools.survey --only resnet18     some of them, printed and not written
    python -m tools.survey --resume            go on with a survey that was stopped

A network that does not export with the libraries at hand is listed as such; a crash, a row
without a reason, a failed proof, a pair by position alone or more multiply-adds left than a network
of its kind should keep fails the survey.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.survey.models import NO_LIMIT, Entry, entries, limits

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "survey"
SITE = CACHE / "site"
PAGE = ROOT / "docs" / "coverage.md"
# Installed beside the stack without their own pins, which fit no current Python.
PACKAGES = (
    "paddleclas==2.6.0 paddleseg==2.8.0 paddledet==2.6.0 easydict prettytable ujson tqdm wcwidth "
    "opencv-python-headless==4.10.0.84 shapely pyclipper terminaltables typeguard==2.13.3 filelock"
)
HEAD = """# Coverage: networks of other authors

Written by `make survey` (tools/survey): each network is exported from its library with random
weights and looked at with the commands of graphprobe. What each column holds:

| column | what it is |
|---|---|
| rows | convolutions and linear layers: rows of `prune-regex --policy coupled` |
| seeds, coupled | how many of the rows can be pruned under each policy (seeds: convolutions only) |
| left | the share of multiply-adds left at `--ratio 0.5`, seeds / coupled; `-`: not counted |
| MACs | multiply-adds by graphprobe over those counted from executed shapes, minus 1; \
`-`: unknown |
| alone | groups that were pruned alone and proven, of all groups; those led by linear layers |
| together | the difference with all groups pruned, as a share of the largest output |
| pairs | pairs of the network with itself / with its smaller sibling as the student |
| s | seconds of `prune-regex --policy coupled` / of the PDF, on two busy cores |

A proof compares the pruned network with the whole one whose weights read zeros where channels are
gone: which these are is read off the parameters, without graphprobe's own masking
(tools/survey/prove.py). Differences are of float32 sums in another order; one above 2e-4 fails.
Where proving all groups alone takes too long, six of them stand for all.

"""


def install() -> list[str]:
    """The libraries of the survey in a folder of their own; what cannot be had is left out."""
    if not SITE.exists():
        print("survey: installing PaddleClas, PaddleSeg and PaddleDetection", flush=True)
        words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(SITE)]
        subprocess.run([*words, *PACKAGES.split()], check=False, cwd=ROOT)
    return [str(SITE)]


def export(entry: Entry, folder: Path, extra: list[str]) -> str | None:
    """Export one network; what went wrong, or None."""
    if (folder / f"{entry.name}.pdmodel").exists():
        return None
    if entry.library == "PaddleDetection" and "PADDLEDETECTION" not in os.environ:
        return "set PADDLEDETECTION to a checkout with its configs"
    words = ("-m", "tools.survey.export", entry.name, str(folder), *extra)
    status, _, err = _run(*words, timeout=900)
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return None if status == 0 else (lines[-1] if lines else f"ended with {status}")[:120]


def look(entry: Entry, folder: Path, *, resume: bool = False) -> dict[str, Any]:
    """The figures of one network, kept beside it; a crash of the look is a failure of it."""
    kept = folder / f"{entry.name}.json"
    if resume and kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    found = _look(entry, folder)
    kept.write_text(json.dumps(found), encoding="utf-8")
    return found


def _look(entry: Entry, folder: Path) -> dict[str, Any]:
    smaller = entry.smaller
    if smaller is not None and not (folder / f"{smaller}.pdmodel").exists():
        smaller = None
    words = ("-m", "tools.survey.check", entry.name, str(folder), *([smaller] if smaller else []))
    status, out, err = _run(*words, timeout=2400)
    if status:
        return {"name": entry.name, "failures": [err.strip()[-300:] or f"ended with {status}"]}
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _run(*words: str, timeout: int) -> tuple[int, str, str]:
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    try:
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, timeout=timeout,
            check=False, cwd=ROOT, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 124, "", f"took more than {timeout} s"
    return done.returncode, done.stdout, done.stderr


def table(found: list[tuple[Entry, dict[str, Any]]]) -> Iterator[str]:
    """The lines of the table, by library."""
    yield "| network | ops | rows | seeds | coupled | left | MACs | alone | together | pairs | s |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for entry, figures in found:
        seeds, coupled = figures.get("seeds", {}), figures.get("coupled", {})
        pairs = [figures.get(key, {}).get("pairs") for key in ("pairs_self", "pairs_sibling")]
        seconds = (coupled.get("seconds"), figures.get("seconds_pdf"))
        cells = (
            entry.name,
            figures.get("ops", "?"),
            coupled.get("rows", "?"),
            seeds.get("prunable", "?"),
            coupled.get("prunable", "?"),
            f"{seeds.get('left') or '-'} / {coupled.get('left') or '-'}",
            _shown(figures.get("macs_error"), "+.1%"),
            _alone(figures),
            _shown(figures.get("together"), ".0e"),
            " / ".join(_shown(n, "d") for n in pairs),
            " / ".join(_shown(s, ".1f") for s in seconds),
        )
        yield f"| {' | '.join(map(str, cells))} |"


def _shown(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)


def _alone(figures: dict[str, Any]) -> str:
    if "groups" not in figures:
        return "?"
    linear = f", {figures['linear']} linear" if figures["linear"] else ""
    return f"{figures['alone']} of {figures['groups']}{linear}"


def beyond(entry: Entry, figures: dict[str, Any]) -> Iterator[str]:
    """Where pruning leaves more multiply-adds than it does in a network of this kind."""
    for policy, most, kind in limits(entry.name):
        left = figures.get(policy, {}).get("left")
        if left is None or left > most:
            yield f"{policy}: {_shown(left, '.3f')} of the multiply-adds left ({kind}: {most})"


def page(found: list[tuple[Entry, dict[str, Any]]], left_out: dict[str, str]) -> str:
    """docs/coverage.md."""
    proven = [f for _, f in found if f.get("alone") and not f["failures"]]
    whole = [f for f in proven if f["alone"] == f["groups"]]
    linear = [f for f in whole if f["linear"]]
    lines = [
        HEAD.rstrip("\n"),
        "",
        f"{len(found)} networks. All groups alone and all of them together are proven on",
        f"{len(whole)}, linear layers among the groups of {len(linear)}; a sample of groups and",
        f"all of them together on {len(proven) - len(whole)} more. "
        f"{sum(f.get('alone', 0) + bool(f.get('alone')) for f in proven):,} proofs in all,",
        f"{sum(f.get('linear', 0) for f in proven):,} of them of groups that linear layers lead.",
        "",
        "## Multiply-adds left at ratio 0.5",
        "",
        "| network | policy | left | at most | kind |",
        "|---|---|---|---|---|",
    ]
    for entry, figures in found:
        for policy, most, kind in limits(entry.name):
            left = _shown(figures.get(policy, {}).get("left"), ".3f")
            lines += [f"| {entry.name} | {policy} | {left} | {most} | {kind} |"]
    lines += ["", *(line for text in NO_LIMIT for line in textwrap.wrap(text, 100)), ""]
    for library in dict.fromkeys(entry.library for entry, _ in found):
        lines += [f"## {library}", ""]
        lines += [*table([row for row in found if row[0].library == library]), ""]
    if left_out:
        lines += ["## Not exported", "", "With the libraries at hand:", ""]
        lines += [f"- {name}: {why}" for name, why in sorted(left_out.items())]
        lines += [""]
    return "\n".join(lines)


def main() -> None:
    """Run the survey; exit 1 where anything failed."""
    options = argparse.ArgumentParser(prog="survey")
    options.add_argument("--only", nargs="*", default=[], help="names of networks")
    options.add_argument("--folder", type=Path, default=CACHE / "models", help="exported files")
    options.add_argument("--exported", action="store_true", help="take only what lies there")
    options.add_argument("--resume", action="store_true", help="keep the figures that lie there")
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    extra = [] if given.exported else install()
    found: list[tuple[Entry, dict[str, Any]]] = []
    left_out: dict[str, str] = {}
    failed = 0
    for entry in entries():
        if given.only and entry.name not in given.only:
            continue
        there = (given.folder / f"{entry.name}.pdmodel").exists()
        why = ("not exported" if given.exported and not there else None) or export(
            entry, given.folder, extra
        )
        if why is not None:
            left_out[entry.name] = why
            print(f"{entry.name}: left out: {why}", flush=True)
            continue
        figures = look(entry, given.folder, resume=given.resume)
        found.append((entry, figures))
        print(list(table([(entry, figures)]))[-1], flush=True)
        for failure in (*figures["failures"], *beyond(entry, figures)):
            failed += 1
            print(f"  FAILED: {failure}", flush=True)
    if not given.only:
        PAGE.write_text(page(found, left_out), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
