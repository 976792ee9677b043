"""The main job on scenes of real handwritten digits: read, pair, prune, draw, train, compare.

Every step shows its command before its output. Everything is left in runs/demo/.

python tools/demo.py                  # as `make demo` does, some minutes
python tools/demo.py --share 0.1      # every command, with a tenth of the training
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = Path("runs/demo")
STUDENT = "zoo:yolov3_mobilenet_v1?num_classes=3&scale=0.1"
TEACHER = "zoo:yolov3_r34?num_classes=3&scale=0.25"

# What all three runs share: 3 classes of digits in pictures of 64 pixels.
TRAIN = """\
train:
  data:
    train: digits?count=2000&size=64
    val: digits?split=val&count=200&size=64
    cache_mb: 200
  augment: {{distort: false, expand: false, crop: false, flip: false}}
  image_size: 64
  batch_size: 16
  max_iters: {steps}
  learning_rate: {{base: 0.02, warmup_steps: 30, milestones: [{first}, {second}]}}
  clip_norm: 35.0
  workers: 0
  snapshot_iter: 300
  log_iter: 50
  output: {output}
"""
STEPS = {"teacher": 700, "student": 900, "distill": 900}
ALONE = """\
# The {name} alone.
version: 1
kind: train
student:
  program: {program}
"""


def main() -> int:
    """Run every step; the first that fails ends the demo with its status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the steps of each training")
    share = parser.parse_args().share
    if share < 1:
        STEPS.update({name: max(round(steps * share), 40) for name, steps in STEPS.items()})
    os.chdir(ROOT)
    begin = time.perf_counter()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    analyse()
    configs = write_configs()
    train(configs)
    evaluate(configs)
    summary()
    say(f"\nDone in {time.perf_counter() - begin:.0f} s. Everything is in {OUT}/.")
    tool = os.path.relpath(Path(sys.executable).with_name("graphprobe"))
    say(f"next: {tool} compare {OUT}/runs/student {OUT}/runs/distill -o curves.svg")
    say(f"      {tool} data images:FOLDER, with a folder of your own; docs/tour.md goes on")
    return 0


def analyse() -> None:
    """Variables, pairs, prunable convolutions and a drawing of the two programs."""
    title("1. The variables of both programs (those of the heads shown)")
    both = [STUDENT, "--teacher", TEACHER]
    run("vars", *both, "-o", f"{OUT}/variables.json")
    run("vars", *both, "--match", r"^conv2d_(6|14|20|22|28|36)\.tmp_1$")
    title("2. What matches what")
    run("pairs", "--student", STUDENT, "--teacher", TEACHER, "-o", f"{OUT}/distill.yaml")
    title("3. What can be pruned, and why not the rest")
    run("prune-regex", STUDENT, "--ratio", "0.5", "-o", f"{OUT}/prune.yaml")
    run("prune-regex", STUDENT, "--format", "json", into=OUT / "prune.json", show=False)
    regex = json.loads((OUT / "prune.json").read_text())["regex"]
    (OUT / "regex.txt").write_text(regex + "\n")
    title("4. Both programs, drawn")
    run("draw", STUDENT, "--teacher", TEACHER, "--pairs", f"{OUT}/distill.yaml",
        "--prune", f"{OUT}/prune.yaml", "-o", f"{OUT}/programs.pdf")  # fmt: skip


def write_configs() -> dict[str, Path]:
    """The configs of the three runs; the one of the distillation is what `pairs` wrote."""
    title("5. The configs of the three runs")
    configs = {name: OUT / f"{name}.yaml" for name in STEPS}
    for name, program in (("teacher", TEACHER), ("student", STUDENT)):
        configs[name].write_text(ALONE.format(name=name, program=program) + settings(name))
    pairs = configs["distill"].read_text().partition("\ntrain:\n")[0]
    # 100 is for pictures of 608 pixels and 90,000 steps; `check` suggests what suits here.
    pairs = pairs.replace("weight: 100.0", "weight: 1.0")
    configs["distill"].write_text(f"{pairs}\n{settings('distill')}")
    say(f"{', '.join(map(str, configs.values()))}: pairs as found, each with weight 1, and")
    say(settings("distill").rstrip())
    return configs


def settings(name: str) -> str:
    """The section train of a run."""
    steps = STEPS[name]
    return TRAIN.format(
        steps=steps, first=steps * 3 // 4, second=steps * 9 // 10, output=OUT / "runs" / name
    )


def train(configs: dict[str, Path]) -> None:
    """The teacher and the student alone, side by side; then the student with the teacher."""
    title("6. Train the teacher and, beside it, the student alone")
    run_together([["train", str(configs[name])] for name in ("teacher", "student")])
    title("7. Check the distillation on one batch, then run it")
    words = [str(configs["distill"]), "-o", f"teacher.weights={OUT}/runs/teacher"]
    run("check", *words)
    run("train", *words)


def evaluate(configs: dict[str, Path]) -> None:
    """Measure all three again from their checkpoints, and draw what the distilled one finds."""
    title("8. Evaluate the three from their checkpoints")
    run_together([["eval", str(path)] for path in configs.values()])
    title("9. What the distilled student finds")
    words = ["--samples", "6", "--threshold", "0.4", "--output", f"{OUT}/found"]
    run("infer", str(configs["distill"]), *words, show=False)
    say(f"drawn into {OUT}/found/sheet.png, truth on the left")


def summary() -> None:
    """The table at the end."""
    title("Summary")
    names = {"student": "student before", "distill": "student distilled", "teacher": "teacher"}
    say(f"{'':20}{'parameters':>12}{'size, MB':>10}{'mAP':>8}{'steps':>8}{'seconds':>9}")
    rows = {}
    for name, label in names.items():
        found = json.loads((OUT / "runs" / name / "result.json").read_text())
        rows[name] = found
        say(f"{label:20}{found['parameters']:>12,}{found['megabytes']:>10.2f}{found['value']:>8.4f}"
            f"{found['iterations']:>8}{found['seconds']:>9.0f}")  # fmt: skip
    (OUT / "summary.json").write_text(json.dumps(rows, indent=2, sort_keys=True) + "\n")


def command(words: list[str]) -> list[str]:
    return [str(Path(sys.executable).with_name("graphprobe")), *words]


def title(text: str) -> None:
    say(f"\n=== {text}")


def say(text: str) -> None:
    print(text, flush=True)


def run(*words: str, into: Path | None = None, show: bool = True) -> None:
    """Show a command, then run it; `into` takes its standard output."""
    say(f"\n$ graphprobe {shlex.join(words)}" + (f" > {into}" if into else ""))
    quiet = None if show else subprocess.DEVNULL
    if into is not None:
        with into.open("w") as file:
            done = subprocess.run(command(list(words)), stdout=file, check=False)
    else:
        done = subprocess.run(command(list(words)), stdout=quiet, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def run_together(every: list[list[str]]) -> None:
    """Run commands side by side, a core each; each line of theirs is shown as it comes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    running = []
    for words in every:
        say(f"\n$ graphprobe {shlex.join(words)} &")
        process = subprocess.Popen(
            command(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            text=True, errors="replace",
        )  # fmt: skip
        reader = threading.Thread(target=show_lines, args=(Path(words[1]).stem, process))
        reader.start()
        running.append((process, reader))
    for process, reader in running:
        reader.join()
        if process.wait():
            sys.exit(process.returncode)


def show_lines(name: str, process: subprocess.Popen[str]) -> None:
    """What a process prints, with its name before each line."""
    assert process.stdout is not None
    for line in process.stdout:
        say(f"[{name}] {line.rstrip()}" if line.strip() else "")


if __name__ == "__main__":
    sys.exit(main())
