"""Configs that a training makes itself: made into the folder of the run, then proven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.api.check import CheckFailed, CheckResult, check_config
from graphprobe.api.exported_runs import make_own_teacher
from graphprobe.api.settings import ConfigLike, place_run, read_settings
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.api.quick_config import QuickTrainRequest
    from graphprobe.config import Config, PruneConfig
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.progress import Log


# Sections that only a config with pairs has.
_MADE = ("task.", "pairs[")


def checked_config(
    make: Callable[[Networks], tuple[Path, Config]],
    device: str,
    resume: str | None,
    log: Log,
    on_check: Callable[[CheckResult], None] | None,
) -> tuple[Config, str, Networks]:
    """A config that is made here, proven on one batch unless its run has begun."""
    from graphprobe.training.distributed.ranks import rank
    from graphprobe.training.runtime.dependencies import require_paddle

    require_paddle()
    from graphprobe.training.networks.source import Networks

    networks = Networks()
    path, config = make(networks)
    if resume is None and rank() == 0:
        log("check: one batch")
        try:
            result = check_config(config, str(path), device=device, progress=log, networks=networks)
        except BaseException:
            _take_back(path, config)
            raise
        if on_check is not None:
            on_check(result)
        if not result.passed:
            raise CheckFailed(result)
    return config, str(path), networks


def _take_back(path: Path, config: Config) -> None:
    """Remove what was made for a run that cannot begin; what else is in its folder stays."""
    from graphprobe.training.run_folder import drop_unused

    pruning = config.prune if config.kind == "distill" else None
    for made in (path, None if pruning is None else Path(pruning)):
        if made is not None and made.parent == path.parent:
            made.unlink(missing_ok=True)
    drop_unused(path.parent)


def config_of_names(
    request: QuickTrainRequest, resume: str | None, log: Log, networks: Networks
) -> tuple[Path, Config]:
    """The config of names alone."""
    from graphprobe.api.quick_config import make_config
    from graphprobe.training.distributed.ranks import world_size

    return make_config(request, networks, devices=world_size(), resume=resume is not None, log=log)


def words_of_made(
    config: ConfigLike | None, words: Sequence[str], *, allow_code: bool
) -> tuple[list[str], list[str]]:
    """Overrides of a config, and those of the sections that a config made from it will have.

    Args:
        config: as `train` takes it; only that of a pruned exported program leads to another.
        words: as ``train.batch_size=4``.
        allow_code: as `train` takes it.

    Raises:
        ConfigError: the config has problems.
    """
    later = [word for word in words if word.startswith(_MADE)]
    if not later or config is None:
        return list(words), []
    settings, _ = read_settings(config, allow_code=allow_code)
    if settings.kind != "prune" or not is_file(settings.student.program):
        return list(words), []
    return [word for word in words if word not in later], later


def config_of_pruned_export(
    pruning: PruneConfig,
    where: str,
    words: Sequence[str],
    resume: str | None,
    log: Log,
    networks: Networks,
) -> tuple[Path, Config]:
    """The config of a pruned exported program: that of its run where it has begun."""
    from graphprobe.config import load_config
    from graphprobe.training.run_folder import drop_unused

    made = Path(pruning.train.output) / "distill.yaml"
    if resume is None or not made.is_file():
        try:
            later = [word for word in words if word.startswith(_MADE)]
            return make_own_teacher(pruning, where, later, networks, log)
        except BaseException:
            drop_unused(made.parent)
            raise
    known = load_config(made, [w for w in words if w.startswith("train.")], allow_code=True)
    return made, known.model_copy(update={"train": pruning.train})


def placed(settings: Config, where: str, resume: str | None, log: Log) -> Config:
    """The config with the folder that its run is written into.

    A run's folder that is named itself is resumed as it is; so is a checkpoint, in its folder.
    """
    from graphprobe.training.run_folder import newest_run
    from graphprobe.training.weights.checkpoint import is_checkpoint

    wanted = Path(settings.train.output)
    if resume not in (None, "auto") and is_checkpoint(Path(str(resume))):
        folder = Path(str(resume)).parents[1]
        folder = folder if folder == newest_run(wanted) else wanted
    elif resume is not None and Path(where).is_dir():
        folder = wanted
    else:
        folder = place_run(wanted, resume=resume is not None, log=log)
    train = settings.train.model_copy(update={"output": str(folder)})
    return settings.model_copy(update={"train": train})
