"""What every section of a config file shares."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphprobe.errors import UsageError

Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A section whose unknown keys are refused and whose values are taken as they are typed.

    The description of a field becomes the comment above it in the files that are written.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_default=True
    )

    def __init__(self, **values: Any) -> None:
        """Take the values, as `validate` does for those of a file.

        Raises:
            UsageError: one is the name of a file that is not UTF-8, which no text file holds.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            for problem in error.errors():
                if problem["type"] == "string_unicode":
                    name, hint = str(problem["input"]), "rename it"
                    raise UsageError(
                        "its name is not UTF-8, so no config can hold it", where=name, hint=hint
                    ) from error
            raise


class ProgramRef(Section):
    """A program and what binds the file to it."""

    program: Name = Field(description="file, folder, zoo:NAME or module:function")
    fingerprint: str | None = Field(
        default=None,
        pattern="^sha256:[0-9a-f]{16}$",
        description="of the program that this file was made for; null: any program is taken",
    )
    weights: str | None = Field(
        default=None,
        description="file, folder or address (https://HOST/FILE#sha256=...) of trained parameters; "
        "null: as initialised",
    )
    partial: bool = Field(
        default=False,
        description="take what the weights have of the same name and shape, as of a backbone, and "
        "leave the rest as initialised; false: all must fit",
    )


class TaskSection(Section):
    """What an exported student learns from labels: it has lost the loss of its own training."""

    loss: Literal["cross_entropy", "pixel_cross_entropy", "yolo"] = Field(
        description="cross_entropy: of classes, on the scores before the softmax; "
        "pixel_cross_entropy: of maps of such scores, resized to the masks; yolo: of what yolo_box "
        "decodes"
    )
    outputs: tuple[Name, ...] = Field(
        strict=False, min_length=1, description="the student's variables that it reads"
    )
    axis: int = Field(default=1, description="of the classes in these; of yolo: 1")
    classes: tuple[Count, ...] = Field(
        strict=False, min_length=2, description="the number of each class of the data in them"
    )
    anchors: tuple[Annotated[tuple[Positive, ...], Field(strict=False)], ...] = Field(
        default=(), strict=False, description="of yolo: width, height, ... of each output's anchors"
    )
    downsample: tuple[Positive, ...] = Field(
        default=(), strict=False, description="of yolo: pixels of the input that a cell stands for"
    )
    scale_x_y: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="of yolo: by how much a centre may leave its cell"
    )
    weight: Annotated[float, Field(gt=0)] = Field(default=1.0, description="factor in the total")
