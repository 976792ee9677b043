"""Config -> commented YAML, from the template of its kind."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from pydantic import BaseModel

from graphprobe.config.load import Config
from graphprobe.yaml_io import to_scalar

WIDTH = 96


def config_text(
    config: Config, *, file: str = "", notes: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The text of a config file; reading it gives an equal config.

    Args:
        config: any kind.
        file: the name that it will have, for the commands in its comments.
        notes: texts of comments by the keys of the template, as ``pairs`` -> one
            text a pair.
    """
    template = _environment().get_template(f"{config.kind}.yaml.j2")
    return template.render(config=config, file=file or f"{config.kind}.yaml", notes=notes or {})


@cache
def _environment() -> jinja2.Environment:
    templates = resources.files("graphprobe_templates")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text("utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is YAML, quoted by the filters below
    )
    environment.filters.update(scalar=to_scalar, plain=_plain, section=section, comment=comment)
    return environment


def section(model: BaseModel, indent: int = 0, skip: Sequence[str] = ()) -> str:
    """Every field of a section on its own line, with its description as a comment."""
    lines: list[str] = []
    for name, field in type(model).model_fields.items():
        if name in skip:
            continue
        lines += _field(name, getattr(model, name), field.description or "", " " * indent)
    return "\n".join(lines)


def _field(name: str, value: Any, about: str, pad: str) -> list[str]:
    if isinstance(value, BaseModel) and type(value).model_fields:
        head = [comment(about, len(pad))] if about else []
        return [*head, f"{pad}{name}:", section(value, len(pad) + 2)]
    line = f"{pad}{name}: {to_scalar(_plain(value))}"
    if about and len(line) + len(about) + 4 > WIDTH:
        return [comment(about, len(pad)), line]
    return [f"{line}  # {about}" if about else line]


def comment(text: str, indent: int = 0) -> str:
    """Text as comment lines; nothing in it can end the comment."""
    pad = " " * indent + "# "
    clean = "".join(c if c.isprintable() else " " for c in text)
    lines = textwrap.wrap(clean, WIDTH - len(pad), break_on_hyphens=False) or [""]
    return "\n".join(f"{pad}{line}".rstrip() for line in lines)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
