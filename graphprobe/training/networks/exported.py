"""A network from an exported program: its parameters beside it, in every mode that is asked for."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.compat.names import keep_names
from graphprobe.data.preparation import Preparation, labels_beside, preparation_beside
from graphprobe.data.sample import Arrays
from graphprobe.errors import LoadError
from graphprobe.formats import add_ports, as_programdesc, find_file, write_program
from graphprobe.ir import Program
from graphprobe.ops.spatial.image_input import image_input
from graphprobe.pruning.plan import PrunePlan
from graphprobe.training.networks.trainable import (
    IMAGE,
    fused_op,
    quantised_op,
    trainable,
    trainable_names,
    with_roles,
    without_ports,
)
from graphprobe.training.pruning.cutter import replay_plan
from graphprobe.training.runtime.programs import plain_bytes
from graphprobe.training.weights.beside import (
    has_parameters,
    parameter_files,
    read_beside,
)
from graphprobe.training.weights.lod_tensor import stored_shapes
from graphprobe.training.weights.read import refuse_not_finite
from graphprobe.zoo import EXPORTED, Built

_HALF = ("float16", "bfloat16")


class ExportedProgram:
    """An exported program with its parameters.

    Args:
        text: the PROGRAM that names its file or folder.
        program: what was read from it.
    """

    def __init__(self, text: str, program: Program) -> None:
        self.text = text
        self.path = find_file(Path(text).expanduser(), text)
        self.program = add_ports(as_programdesc(program))

    @cached_property
    def has_weights(self) -> bool:
        """Whether the files of its parameters are beside it."""
        return has_parameters(self.path, self.program)

    @cached_property
    def has_single_files(self) -> bool:
        """Whether each parameter has a file of its own, as Paddle 1.x writes them."""
        names = list(stored_shapes(self.program))
        files = parameter_files(self.path, names, self.text)
        return [file.name for file in files] == names

    @cached_property
    def values(self) -> Arrays:
        """Its parameters and statistics by name.

        Raises:
            CheckpointError: they are missing, damaged, not finite, or of another program.
        """
        found = read_beside(self.path, self.program, self.text)
        refuse_not_finite(found, where=self.text)
        return found

    @cached_property
    def content(self) -> bytes:
        """The program as it was exported, as ProgramDesc, without call stacks."""
        return write_program(self.program)

    def build(self, mode: str) -> Built:
        """The network in a mode.

        In mode train it is without a loss: its pairs with a teacher are what it learns from.

        Raises:
            LoadError: it cannot be trained (all reasons), or Paddle cannot read it.
        """
        plain = without_ports(self.program)
        if mode == "train":
            self._refuse_untrainable()
            plain = trainable(plain)
        plain = with_roles(plain)
        main = parse_program(write_program(plain), self.text)
        return Built(
            main=main,
            startup=self._startup(plain),
            feeds=tuple(_feed(plain, name) for name in plain.feeds),
            loss=None,
            outputs={name: name for name in plain.fetches},
            task=EXPORTED,
            meta={
                "size": self._size(),
                "mode": mode,
                "program": self.program,
                "beside": self.beside,
                "class_names": labels_beside(self.path),
            },
        )

    @cached_property
    def beside(self) -> Preparation | None:
        """How its images are prepared, by the settings beside it; None where none state it.

        Raises:
            DataError: what is beside it cannot be read.
        """
        return preparation_beside(self.path)

    def _size(self) -> tuple[int, int] | None:
        """H and W of its image, where it fixes them."""
        image = image_input(self.program)
        if image is None or min(image.height, image.width) < 1:
            return None
        return image.height, image.width

    def pruned_content(self, plan: PrunePlan | None) -> bytes:
        """The program as it was exported, with the shapes that a plan leaves.

        Raises:
            TrainError: the plan is of another program.
        """
        if plan is None:
            return self.content
        program = parse_program(self.content, self.text)
        replay_plan(program, plan)
        return plain_bytes(program)

    def _refuse_untrainable(self) -> None:
        reasons = list(_reasons(self.program))
        if reasons:
            raise LoadError(
                f"cannot be trained: {'; '.join(reasons)}",
                where=self.text,
                hint="name the float32 program that was exported for inference",
            )

    def _startup(self, program: Program) -> Any:
        """Zeros in the shape of each parameter; tensors of integers keep their values.

        The parameters beside the program are put in their place before anything is trained.
        """
        startup = paddle.static.Program()
        block = startup.global_block()
        for name, var in sorted(program.blocks[0].vars.items()):
            if not var.persistable or var.kind != "tensor":
                continue
            out = block.create_var(name=name, shape=var.shape, dtype=var.dtype, persistable=True)
            attrs: dict[str, Any] = {"shape": list(var.shape or ()), "dtype": out.dtype}
            if var.dtype.startswith("float"):
                block.append_op(
                    type="fill_constant", outputs={"Out": [out]}, attrs=attrs | {"value": 0.0}
                )
                continue
            kind = {"int64": "int64_values", "bool": "bool_values"}.get(var.dtype, "int32_values")
            values = np.asarray(self.values[name]).reshape(-1).tolist()
            block.append_op(
                type="assign_value", outputs={"Out": [out]}, attrs=attrs | {kind: values}
            )
        return startup


def parse_program(content: bytes, text: str) -> Any:
    """A paddle program from the bytes of a ProgramDesc.

    Raises:
        LoadError: Paddle cannot read it.
    """
    paddle.enable_static()
    try:
        program = paddle.static.Program.parse_from_string(content)
    except (ValueError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1:]
        raise LoadError(
            f"Paddle {paddle.__version__} cannot read it ({' '.join(reason)})", where=text
        ) from error
    keep_names(program)
    return program


def _feed(program: Program, name: str) -> tuple[str, tuple[int, ...], str]:
    var = program.var(name)
    assert var is not None  # noqa: S101 - a program's inputs are among its variables
    return name, tuple(var.shape or ()), var.dtype


def _reasons(program: Program) -> list[str]:
    """Why a program cannot be trained."""
    reasons = []
    quantised = quantised_op(program)
    if quantised is not None:
        reasons.append(f"it is quantised (first: op {quantised.id} {quantised.type})")
    fused = fused_op(program)
    if fused is not None:
        reasons.append(f"an engine has fused its ops (first: op {fused.id} {fused.type})")
    half = [var.name for var in program.parameters if var.dtype in _HALF]
    if half:
        reasons.append(f"{len(half)} parameters are of half precision, as {half[0]}")
    roles = Counter(op.role for op in program.ops)
    if roles["backward"] or roles["optimizer"]:
        count = roles["backward"] + roles["optimizer"]
        reasons.append(f"it holds {count} ops of a training (gradients and an optimizer)")
    image = image_input(program)
    if image is not None and image.name != IMAGE and program.var(IMAGE) is not None:
        reasons.append("a variable inside it is called image, as batches call its input")
    if not half and not trainable_names(without_ports(program)):
        reasons.append("it has no parameters to train")
    return reasons
