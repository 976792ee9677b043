"""Pairs -> a script that merges the programs with PaddleSlim and adds the losses."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2

from graphprobe.emit.distill import options_of
from graphprobe.emit.emitter import PairEmitter, model_files
from graphprobe.errors import UsageError
from graphprobe.ir import Pair, Program
from graphprobe.losses import find_loss
from graphprobe.ops.spatial.image_input import fixed_image_size
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.find import PairReport
from graphprobe.user_code import is_code
from graphprobe.zoo import parse_zoo

# The losses of PaddleSlim that run on Paddle 2.6; the others are built by graphprobe.
SLIM = ("l2", "soft_label")


def python_text(report: PairReport, student: Program, teacher: Program) -> str:
    """The script; unchanged, it trains one step on random data.

    Raises:
        UsageError: the pairs have different losses, one of them of several tensors; or a loss
            that needs the user's own code or maps of a batch's boxes. Or the teacher has a loop
            or a condition.
    """
    losses = list(dict.fromkeys(pair.loss for pair in report.pairs))
    parts = {loss: find_loss(loss) for loss in losses}
    if any(loss.needs_code for loss in parts.values()):
        raise UsageError(
            "a custom loss is the user's own code", where="emit='python'", hint="use loss='l2'"
        )
    fed = next((name for name, loss in parts.items() if loss.targets(loss.options)), None)
    if fed is not None:
        raise UsageError(
            f"{fed} is fed maps that graphprobe's data workers make of the boxes",
            where="emit='python'",
            hint="use graphprobe's own trainer, emit='ppdet' or loss='l2'",
        )
    if len(losses) > 1 and any(len(loss.inputs) > 1 for loss in parts.values()):
        raise UsageError(
            f"the pairs have different losses ({', '.join(losses)})",
            where="emit='python'",
            hint="name a rule or a loss",
        )
    block = next((op.type for op in teacher.ops if "sub_block" in op.attrs), None)
    if block is not None:
        raise UsageError(
            f"the teacher has a {block}, and PaddleSlim merges its operators without their blocks",
            where="emit='python'",
            hint="use graphprobe's own trainer",
        )
    slim = sorted(losses) if set(losses) <= set(SLIM) else []
    return _template().render(
        student=_side(student),
        teacher=_side(teacher),
        pairs=[_pair(pair) for pair in report.pairs],
        slim_losses=slim,
        parts=len(parts[losses[0]].inputs),
        inputs=_inputs(student, teacher),
        size=_size(student) or _size(teacher) or 96,
    )


def _pair(pair: Pair) -> dict[str, Any]:
    adapter = pair.adapter
    wider = adapter is not None and adapter.in_channels != adapter.out_channels
    return {
        "teacher": pair.teacher,
        "student": pair.student,
        "loss": pair.loss,
        "weight": pair.weight,
        "channels": adapter.out_channels if adapter is not None and wider else 0,
        "resize": adapter is not None and adapter.resize,
        "options": options_of(pair),
    }


def _side(program: Program) -> dict[str, Any]:
    """How the script gets at a program."""
    source = program.origin.source
    if source.startswith("zoo:"):
        spec = parse_zoo(source)
        size = "" if "size" in spec.options else "&size=" if spec.options else "?size="
        return {"kind": "zoo", "source": source, "size": size, "trains": spec.mode == "train"}
    if is_code(source):
        module, _, call = source.partition(":")
        root = call.partition(".")[0]
        feeds = [value.name for value in ProgramAnalysis(program).sources]
        return {
            "kind": "code",
            "trains": False,
            "source": source,
            "module": module,
            "call": call,
            "root": root,
            "feeds": feeds,
        }
    folder, model, params = model_files(source)
    files = {"folder": folder, "model": model, "params": params}
    return {"kind": "file", "source": source, "trains": False, **files}


def _size(program: Program) -> int | None:
    """H = W of the images that a program takes; None where the script may choose.

    A bundled model without the option ``size`` is built with the script's.
    """
    source = program.origin.source
    if not source.startswith("zoo:"):
        return fixed_image_size(program)
    size = parse_zoo(source).options.get("size")
    return None if size is None else int(size)


def _inputs(student: Program, teacher: Program) -> dict[str, str]:
    """The teacher's inputs that reach its layers -> the student's, in order of rank and use."""
    ours, theirs = (_network_inputs(ProgramAnalysis(p)) for p in (student, teacher))
    return dict(zip(theirs, ours, strict=False))


def _network_inputs(view: ProgramAnalysis) -> list[str]:
    labels = {value.id for value in view.labels}
    names = (v.name for v in view.sources if v.id not in labels and view.shape(v) is not None)
    return list(dict.fromkeys(names))


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is Python; every value goes through repr
    )
    environment.filters["literal"] = repr
    environment.filters["one_line"] = lambda text: ascii(text)[1:-1].replace('"', "'")
    text = (resources.files("graphprobe_templates") / "distill.py.j2").read_text("utf-8")
    return environment.from_string(text)


EMITTER = PairEmitter("python", "a script with PaddleSlim's merge and losses", python_text)
