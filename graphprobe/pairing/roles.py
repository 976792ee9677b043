"""The kinds of outputs that networks have, and the distillation loss of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from graphprobe.losses import class_axis

if TYPE_CHECKING:
    from graphprobe.pairing.features import Feature

YOLO = "yolo head"
SEGMENTATION = "segmentation logits"
HEATMAP = "heatmap logits"
RESTORED = "restored image"
CLASS = "class logits"
BINARY = "binary logits"
MULTI_LABEL = "multi-label logits"
SEQUENCE = "sequence logits"
EMBEDDING = "embedding"
REGRESSION = "regression output"
# What the program returns (or a loss reads) as it is, so that nothing shows what it stands for.
VECTOR_OUTPUT = "vector output"
MAP_OUTPUT = "map output"
SEQUENCE_OUTPUT = "sequence output"
CLASS_HEAD = "class head"
BOX_HEAD = "box head"
DISTRIBUTION = "distribution head"
HEAD = "head"
# One row for each object that the network itself picks.
ROW_CLASS = "object class scores"
ROW_BOX = "object boxes"

# Vague kinds: one takes the kind of its counterpart where the other program shows it.
VAGUE = frozenset({VECTOR_OUTPUT, MAP_OUTPUT, SEQUENCE_OUTPUT, HEAD, EMBEDDING})
# Kinds whose channels are classes, one of which is right.
CLASSES = frozenset({CLASS, SEQUENCE, SEGMENTATION, CLASS_HEAD})
# Outputs of detectors that have a pyramid of levels.
DETECTION = frozenset({YOLO, CLASS_HEAD, BOX_HEAD, DISTRIBUTION, HEAD})

# The loss and weight that published work uses for a kind of output: YOLOv3 on VOC, DeepLabv3+, and
# the softened class distributions of Hinton et al. for what a softmax makes a distribution of.
_PUBLISHED_LOSS = {
    YOLO: ("l2", 100.0),
    SEGMENTATION: ("l2", 0.1),
    CLASS: ("soft_label", 1.0),
    SEQUENCE: ("soft_label", 1.0),
}
# Of a direction alone; the length is divided away.
_DIRECTION_LOSS = ("cosine", 1.0)
# Of entries that a sigmoid makes a probability each.
_PROBABILITY_LOSS = ("binary_kl", 1.0)
# Teaches whatever the numbers stand for, and in whatever unit they are.
FEATURE_LOSS = ("relative_l2", 1.0)


def loss_of(feature: Feature) -> tuple[str, float]:
    """The distillation loss of an output and its weight.

    soft_label compares distributions over one axis, the last or axis 1 of [N, C, H, W]. It takes
    an output only where its classes are there, and where there are at least two: a softmax over
    one number is always 1, so that the loss would be 0 whatever the student does. Where only an
    arg_max shows the classes, they may be values of actions, of which the height counts.
    """
    if feature.kind == EMBEDDING:
        return _DIRECTION_LOSS
    if feature.activation == "sigmoid" and feature.kind != YOLO:
        return _PROBABILITY_LOSS
    if feature.kind == CLASS and feature.activation != "softmax":
        return FEATURE_LOSS
    loss, weight = _PUBLISHED_LOSS.get(feature.kind, FEATURE_LOSS)
    axis = class_axis(feature.shape) % max(len(feature.shape), 1)
    if loss == "soft_label" and (feature.channels == 1 or feature.channel != axis):
        return FEATURE_LOSS
    return loss, weight


Reader: TypeAlias = Literal["class", "binary", "box", "any", "output"]
"""What reads a tensor: a loss over classes, a loss over scores that are each on their own, a
regression loss, a loss that leaves it open, or the caller of the program."""


# What both maps and vectors may be judged to be.
OWN_SCORES = "a sigmoid makes each entry a score of its own"
OPEN = "what its channels stand for is open"
LOWEST = "an arg_min picks among distances or costs, and no softmax makes scores of these"
STRETCHED = "what its sigmoid gives is stretched: a measure, and no score"


class Verdict(NamedTuple):
    """What an output is.

    Args:
        kind: one of `graphprobe.pairing.roles`.
        use: what the program does with it, in words; empty if that is the kind itself.
        doubt: what is open; empty where nothing is.
    """

    kind: str
    use: str = ""
    doubt: str = ""
