"""How long a run is to be, as it is asked for: in epochs, in minutes, or by a schedule's name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprobe.errors import UsageError

if TYPE_CHECKING:
    from graphprobe.api.settings import ConfigLike
    from graphprobe.config import Config

SCHEDULES = ("auto", "published")


def iterations_in(config: ConfigLike) -> int:
    """The length that a config itself names, before overrides, or the default.

    Warm-up and milestones belong to it.
    """
    from graphprobe.config import TrainSection
    from graphprobe.yaml_io import read_yaml

    if not isinstance(config, (str, os.PathLike)):
        return config.train.max_iters
    path = Path(config)
    if path.is_dir():
        from graphprobe.training.run_record import read_run

        document: Any = read_run(path)
    else:
        document = read_yaml(path)
    section = document.get("train") if isinstance(document, dict) else None
    found = section.get("max_iters") if isinstance(section, dict) else None
    return found if isinstance(found, int) and found > 0 else TrainSection().max_iters


def with_epochs(settings: Config, epochs: float, words: list[str]) -> tuple[Config, list[str]]:
    """The config with as many iterations as these epochs have, as an override would set them."""
    from graphprobe.config import override_config
    from graphprobe.config.length import iterations_of
    from graphprobe.data.open import open_data
    from graphprobe.training.distributed.ranks import world_size

    section = settings.train
    samples = len(open_data(section.data.train))
    total = iterations_of(epochs, samples, section.batch_size * world_size())
    word = f"train.max_iters={total}"
    return override_config(settings, [word], where="epochs"), [*words, word]


def refuse_lengths(
    config: ConfigLike | None,
    epochs: float | None,
    minutes: float | None,
    schedule: str | None,
    resume: str | None,
) -> None:
    """Report which of the lengths that are asked for makes no sense.

    Raises:
        UsageError: one of them does not.
    """
    for name, value in (("epochs", epochs), ("minutes", minutes)):
        if value is not None and not 0 < value < 1e9:
            raise UsageError("must be above 0", where=f"{name}={value:g}")
    if epochs is not None and minutes is not None:
        raise UsageError("a run has one length", where="epochs", hint="give epochs or minutes")
    if minutes is not None and resume is not None:
        hint = "it goes on to the length that it began with; epochs=N gives it another"
        raise UsageError("cannot be given to a run that goes on", where="minutes", hint=hint)
    if schedule is not None and schedule not in SCHEDULES:
        known = " or ".join(SCHEDULES)
        raise UsageError(f"must be {known}", where=f"schedule={schedule!r}")
    if schedule is not None and config is not None:
        raise UsageError(
            "a config has its own schedule", where="schedule", hint="epochs=N gives it a length"
        )
    if schedule == "published" and (epochs is not None or minutes is not None):
        raise UsageError("a run has one length", where="schedule", hint="leave one of them out")
