"""Look at one exported network as a user would, and hold every answer against something else.

    python -m tools.survey.check NAME FOLDER [SMALLER]     prints one json line

Multiply-adds are counted again from the shapes that Paddle executes, and prunings are proven by a
checker that shares no code with graphprobe: which channels are gone is read off the parameters
themselves, and the whole network must give the same outputs once nothing reads those channels.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.survey.models import TOLERANCE, WHOLE, entries

GRAPHPROBE = str(Path(sys.executable).with_name("graphprobe"))


def command(*words: str, timeout: int = 120) -> tuple[int, str, str, float]:
    """Run graphprobe; its status, output, messages and seconds."""
    start = time.perf_counter()
    done = subprocess.run(
        [GRAPHPROBE, *words], capture_output=True, text=True, timeout=timeout, check=False
    )
    return done.returncode, done.stdout, done.stderr, time.perf_counter() - start


def look(name: str, folder: Path, smaller: str | None) -> dict[str, Any]:
    """Every figure of one network; what fails is listed under ``failures``."""
    model = str(folder / f"{name}.pdmodel")
    size = next(entry.size for entry in entries() if entry.name == name)
    found: dict[str, Any] = {"name": name, "failures": []}
    read(found, model)
    for policy in ("seeds", "coupled"):
        prune(found, model, policy)
    pairs(found, model, str(folder / f"{smaller or name}.pdmodel"))
    draw(found, model)
    execute(found, folder / name, size)
    return found


def read(found: dict[str, Any], model: str) -> None:
    status, out, err, seconds = command("vars", model, "--format", "json")
    if status:
        found["failures"].append(f"vars: {err.strip()[-200:]}")
        return
    program = json.loads(out)["programs"][0]
    found["ops"], found["seconds_vars"] = program["ops"], round(seconds, 2)


def prune(found: dict[str, Any], model: str, policy: str) -> None:
    words = ("prune-regex", model, "--policy", policy, "--ratio", "0.5", "--format", "json")
    status, out, err, seconds = command(*words)
    if status > 1 or "Traceback" in err:
        found["failures"].append(f"prune-regex {policy}: {err.strip()[-200:]}")
        return
    answer = json.loads(out)
    rows = answer["convs"] + answer.get("linears", [])
    unexplained = [
        row["param"]
        for row in rows
        if row["status"] == "blocked"
        and not (row["reason"] and row["at"])
        and row["reason"] not in ("depthwise", "grouped", "shared", "output", "first")
    ]
    if unexplained:
        found["failures"].append(f"{policy}: no reason for {unexplained[:3]}")
    found[policy] = {
        "rows": len(rows),
        "prunable": sum(row["status"] != "blocked" for row in rows),
        "seconds": round(seconds, 2),
        "reasons": _count(row["reason"] for row in rows if row["status"] == "blocked"),
    }
    before, after = answer.get("before"), answer.get("after")
    if before and after and before["flops"] and after["flops"] is not None:
        found[policy]["left"] = round(after["flops"] / before["flops"], 3)


def _count(words: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found


def pairs(found: dict[str, Any], model: str, student: str) -> None:
    """The network with itself, then with its smaller sibling."""
    for key, other in (("pairs_self", model), ("pairs_sibling", student)):
        if key == "pairs_sibling" and other == model:
            continue
        words = ("pairs", "--student", other, "--teacher", model, "--format", "json")
        status, out, err, seconds = command(*words)
        if status > 1 or "Traceback" in err:
            found["failures"].append(f"{key}: {err.strip()[-200:]}")
            continue
        answer = json.loads(out)
        by_position = [
            pair["student"]
            for pair in answer["pairs"]
            if pair["score"] >= 1 and any(", by " in text for text in pair["evidence"])
        ]
        if by_position:
            found["failures"].append(f"{key}: sure by position alone: {by_position[:3]}")
        if key == "pairs_self":
            crossed = [p["student"] for p in answer["pairs"] if p["student"] != p["teacher"]]
            if crossed:
                found["failures"].append(f"{key}: a value is not its own pair: {crossed[:3]}")
        found[key] = {
            "pairs": len(answer["pairs"]),
            "roles": _count(p["role"].split(",")[0] for p in answer["pairs"]),
            "losses": _count(p["loss"] for p in answer["pairs"]),
            "warnings": len(answer["warnings"]),
            "seconds": round(seconds, 2),
        }


def draw(found: dict[str, Any], model: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("pdf", "html"):
            file = Path(folder) / f"x.{suffix}"
            status, _, err, seconds = command("draw", model, "-o", str(file))
            if status or not file.exists():
                found["failures"].append(f"draw {suffix}: {err.strip()[-200:]}")
            else:
                found[f"seconds_{suffix}"] = round(seconds, 2)


def execute(found: dict[str, Any], stem: Path, size: tuple[int, int]) -> None:
    """Multiply-adds by executed shapes, and the pruning against the whole."""
    from tools.survey.prove import Whole

    whole = Whole(stem, size)
    counted = whole.multiply_adds()
    found["executed_macs"] = counted
    found["claimed_macs"] = claimed = whole.claimed()
    if claimed is not None and counted:
        found["macs_error"] = round(claimed / counted - 1, 4)
    try:
        proofs, groups = whole.proofs(every=stem.name in WHOLE)
    except Exception as error:  # noqa: BLE001 - one network must not end the survey
        found["failures"].append(f"proof: {type(error).__name__}: {str(error)[-300:]}")
        return
    alone = proofs[:-1]
    found["groups"] = groups
    found["alone"], found["linear"] = len(alone), sum(proof.linear for proof in alone)
    found["together"] = proofs[-1].difference if proofs else None
    found["largest"] = max((proof.difference for proof in proofs), default=None)
    for proof in proofs:
        if not proof.difference <= TOLERANCE:
            found["failures"].append(f"proof of {proof.name}: differs by {proof.difference:.1e}")


def main() -> None:
    """Print the figures of what the command line names."""
    name, folder, *smaller = sys.argv[1:]
    print(json.dumps(look(name, Path(folder), smaller[0] if smaller else None)))


if __name__ == "__main__":
    main()
