"""What several emitters of prunable groups share."""

from __future__ import annotations

from typing import Any

import yaml

from graphprobe.pruning.ratios import PruneChoice


def ratios_by_name(choice: PruneChoice) -> list[float]:
    """One ratio a name, in the order of the names."""
    found = zip((group.leader for group in choice.groups), choice.ratios, strict=True)
    return list(dict(found).values())


def yaml_text(document: dict[str, Any]) -> str:
    """YAML with no line broken: these tools read long lists from one line too."""
    return yaml.safe_dump(document, sort_keys=False, width=10**9)
