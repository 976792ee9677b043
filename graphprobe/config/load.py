"""Read a config file: plain data, then overrides, then the schema of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from graphprobe.config._base import ProgramRef
from graphprobe.config._problems import problems_of
from graphprobe.config.distill import DistillConfig
from graphprobe.config.overrides import apply_overrides, paths_of
from graphprobe.config.prune import PruneConfig
from graphprobe.config.train import TrainConfig
from graphprobe.errors import ConfigError, Problem, did_you_mean
from graphprobe.losses import all_losses
from graphprobe.user_code import is_code
from graphprobe.yaml_io import read_yaml

Config: TypeAlias = DistillConfig | PruneConfig | TrainConfig

KINDS: dict[str, type[DistillConfig] | type[PruneConfig] | type[TrainConfig]] = {
    "distill": DistillConfig,
    "prune": PruneConfig,
    "train": TrainConfig,
}


def load_config(path: Path, overrides: Sequence[str] = (), *, allow_code: bool = False) -> Config:
    """Read and validate a config; nothing that it names is opened or run.

    Args:
        path: a yaml file.
        overrides: as ``train.batch_size=4``, applied before validation.
        allow_code: whether the file may name the user's own code.

    Raises:
        GraphprobeError: the file cannot be read or is not YAML.
        ConfigError: every problem of the file at once, each with its path.
    """
    return read_config(read_yaml(path), overrides, where=str(path), allow_code=allow_code)


def override_config(config: Config, overrides: Sequence[str], *, where: str) -> Config:
    """Put overrides into a config that was made here, and hold it against all rules again.

    Args:
        config: of any kind; it may name the user's own code.
        overrides: as ``train.batch_size=4``.
        where: what it will be called, for errors.

    Raises:
        UsageError, ConfigError: as `load_config`.
    """
    return read_config(config.model_dump(mode="json"), overrides, where=where, allow_code=True)


def read_config(document: Any, overrides: Sequence[str], *, where: str, allow_code: bool) -> Config:
    """Plain data with overrides -> config.

    Args:
        document: plain data; it is changed in place.
        overrides: as ``train.batch_size=4``.
        where: what holds the data, for errors.
        allow_code: whether it may name the user's own code.

    Raises:
        UsageError, ConfigError: as `load_config`.
    """
    problems: list[Problem] = []
    if isinstance(document, dict):
        own, problems = _of_own_kind(document.get("kind"), overrides)
        document, unset = apply_overrides(document, own)
        problems += unset
    config, found = validate(document)
    problems += found
    if isinstance(config, PruneConfig):
        problems += config.prune.problems()
    if config is not None:
        problems += _loss_problems(config)
        problems += () if allow_code else _code_problems(config)
    if problems or config is None:
        raise ConfigError(problems, where=where)
    return config


def _of_own_kind(kind: Any, overrides: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The overrides that a kind of config can take, and what is wrong with the others.

    A pruning config has a section ``prune``; a distillation has the name of such a config there.
    """
    own, problems = [], []
    other = isinstance(kind, str) and kind in KINDS and kind != "prune"
    for path, text in zip(paths_of(overrides), overrides, strict=True):
        if other and path.startswith("prune."):
            message = f"only a config of kind prune has this key, and this one is of kind {kind}"
            problems.append(Problem(path, message))
        else:
            own.append(text)
    return own, problems


def validate(document: Any) -> tuple[Config | None, list[Problem]]:
    """Plain data -> config, or what is wrong with it."""
    if not isinstance(document, dict):
        return None, [Problem("", "not a config: it must be keys and values")]
    kind = document.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return None, [Problem("kind", _which_kind(kind))]
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        return None, problems_of(error, model)


def _which_kind(kind: Any) -> str:
    known = f"must be one of {', '.join(KINDS)}"
    if kind is None:
        return f"missing; {known}"
    hint = did_you_mean(str(kind), KINDS)
    return f"{known}, not {str(kind)[:40]!r}" + (f", {hint}" if hint else "")


def programs_of(config: Config) -> Iterator[tuple[str, ProgramRef]]:
    """The programs that a config names, with their keys."""
    yield "student", config.student
    if isinstance(config, DistillConfig):
        yield "teacher", config.teacher


def _loss_problems(config: Config) -> Iterator[Problem]:
    known = all_losses()
    for i, pair in enumerate(config.pairs if isinstance(config, DistillConfig) else ()):
        if pair.loss not in known:
            hint = did_you_mean(pair.loss, known) or f"known are {', '.join(known)}"
            yield Problem(f"pairs[{i}].loss", f"no loss is called {pair.loss!r}, {hint}")


def _code_problems(config: Config) -> Iterator[Problem]:
    message = "names code, which runs only with allow_code=True"
    for key, ref in programs_of(config):
        if is_code(ref.program):
            yield Problem(f"{key}.program", f"{message}: {ref.program}")
    for i, pair in enumerate(config.pairs if isinstance(config, DistillConfig) else ()):
        if pair.code is not None:
            yield Problem(f"pairs[{i}].code", f"{message}: {pair.code}")
