"""Turn what analysis found into configs and scripts; pure, nothing is written here."""

from graphprobe.emit.act import act_section, act_text
from graphprobe.emit.distill import distill_config, distill_notes, distill_text, program_ref
from graphprobe.emit.ppdet import ppdet_text
from graphprobe.emit.prune import prune_config, prune_text
from graphprobe.emit.prune_readers import not_followed, prune_reader_text
from graphprobe.emit.python import python_text
from graphprobe.emit.recipe import recipe

__all__ = [
    "act_section",
    "act_text",
    "distill_config",
    "distill_notes",
    "distill_text",
    "not_followed",
    "ppdet_text",
    "prune_config",
    "prune_reader_text",
    "prune_text",
    "program_ref",
    "python_text",
    "recipe",
]
