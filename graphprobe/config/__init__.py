"""The schemas of the yaml files, read with every problem named at once."""

from graphprobe.config._base import ProgramRef, TaskSection
from graphprobe.config.binding import check_fingerprint
from graphprobe.config.distill import AUTO, AdapterConfig, DistillConfig, PairConfig
from graphprobe.config.load import Config, load_config, override_config, read_config
from graphprobe.config.overrides import apply_overrides, is_named
from graphprobe.config.prune import (
    CountConfig,
    CutConfig,
    GroupConfig,
    PartConfig,
    PruneConfig,
    PruneSection,
)
from graphprobe.config.scale import scale_schedule
from graphprobe.config.train import TrainConfig
from graphprobe.config.train_section import (
    AugmentSection,
    DataSection,
    LearningRateSection,
    PreparationSection,
    TrainSection,
)
from graphprobe.config.write import config_text

__all__ = [
    "AUTO",
    "apply_overrides",
    "AdapterConfig",
    "AugmentSection",
    "Config",
    "CountConfig",
    "CutConfig",
    "DataSection",
    "DistillConfig",
    "GroupConfig",
    "LearningRateSection",
    "PairConfig",
    "PartConfig",
    "PreparationSection",
    "ProgramRef",
    "PruneConfig",
    "PruneSection",
    "TaskSection",
    "TrainConfig",
    "TrainSection",
    "check_fingerprint",
    "config_text",
    "is_named",
    "load_config",
    "override_config",
    "read_config",
    "scale_schedule",
]
