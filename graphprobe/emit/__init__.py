"""Turn what analysis found into configs and scripts; pure, nothing is written here."""

from graphprobe.emit.distill import distill_config, distill_text
from graphprobe.emit.prune import prune_config, prune_text

__all__ = ["distill_config", "distill_text", "prune_config", "prune_text"]
