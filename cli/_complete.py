"""What a shell completes: names of models, rules, losses and data, and keys of configs."""

from __future__ import annotations


def programs(incomplete: str) -> list[str]:
    """Bundled models; a shell completes files itself where none begins so."""
    from graphprobe.zoo import zoo_names

    return [f"zoo:{name}" for name in zoo_names() if f"zoo:{name}".startswith(incomplete)]


def rules(incomplete: str) -> list[str]:
    """Pair rules."""
    return _names("rules", incomplete)


def losses(incomplete: str) -> list[str]:
    """Losses."""
    return _names("losses", incomplete)


def data(incomplete: str) -> list[str]:
    """Kinds of data."""
    return _names("data", incomplete)


def kinds(incomplete: str) -> list[str]:
    """Kinds of names that can be listed."""
    from graphprobe.api.catalog import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def keys(incomplete: str) -> list[str]:
    """Keys of a config that --set takes, as ``train.batch_size=``."""
    from pydantic import BaseModel

    from graphprobe.config import DistillConfig

    def below(model: type[BaseModel], path: str) -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += below(kind, f"{path}{name}.")
            else:
                found.append(f"{path}{name}=")
        return found

    return [key for key in below(DistillConfig, "") if key.startswith(incomplete)]


def _names(kind: str, incomplete: str) -> list[str]:
    from graphprobe.api.catalog import list_names

    return [name for name, _ in list_names(kind).entries if name.startswith(incomplete)]
