"""Choose the kinds of targets that a network's inputs ask for, and make them for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from graphprobe.data.sample import Arrays, Sample
from graphprobe.data.target_kinds import Meta, Objects, target_kinds
from graphprobe.errors import DataError, listed

# What every task's batches hold anyway.
LABELS_AND_IMAGE = frozenset({"image", "label", "mask"})


@dataclass(frozen=True, slots=True)
class Targets:
    """Makes the wanted arrays of a batch; safe to copy into worker processes.

    Args:
        wanted: names of inputs.
        meta: the network's settings.
        kinds: names of the kinds that make them; see `choose_targets`.
    """

    wanted: tuple[str, ...]
    meta: Meta
    kinds: tuple[str, ...]

    def batch(self, samples: Sequence[Sample], side: int | None = None) -> Arrays:
        """The arrays of samples of one size, with the samples along a first axis.

        Args:
            samples: with boxes in pixels of the network's input.
            side: of the square input, where it is not that of their images.
        """
        size = samples[0].size[0] if side is None else side
        everything = [Objects.of(sample) for sample in samples]
        found: Arrays = {}
        for kind in self.kinds:
            make = target_kinds()[kind].make
            made = [make(self.meta, size, objects) for objects in everything]
            found |= {name: np.stack([arrays[name] for arrays in made]) for name in made[0]}
        return {name: found[name] for name in self.wanted}


def choose_targets(feeds: Iterable[str], meta: Meta) -> Targets:
    """What makes those inputs of a network that are no images.

    Args:
        feeds: names of all inputs.
        meta: settings of the network, as the zoo gives them.

    Raises:
        DataError: nothing makes one of them.
    """
    wanted = tuple(name for name in feeds if name not in LABELS_AND_IMAGE)
    makers = {
        name: kind.name
        for kind in target_kinds().values()
        if all(key in meta for key in kind.meta)
        for name in kind.feeds(meta)
    }
    unknown = [name for name in wanted if name not in makers]
    if unknown:
        raise DataError(
            f"nothing makes the network's inputs {listed(unknown)}",
            where="train.data",
            hint=f"for this network there are {', '.join(makers) or 'none'}",
        )
    kinds = dict.fromkeys(makers[name] for name in wanted)
    return Targets(wanted, meta, tuple(kinds))


# The objects themselves, for whoever names no network.
PLAIN = Targets(("gt_bbox", "gt_class", "gt_score"), {"max_boxes": 50}, ("boxes",))
