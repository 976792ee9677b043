"""Turn what analysis found into configs and scripts; pure, nothing is written here."""

from graphprobe.emit.act import act_section, act_text
from graphprobe.emit.distill import distill_config, distill_text
from graphprobe.emit.prune import prune_config, prune_text
from graphprobe.emit.python import python_text

__all__ = [
    "act_section",
    "act_text",
    "distill_config",
    "distill_text",
    "prune_config",
    "prune_text",
    "python_text",
]
