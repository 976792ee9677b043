"""Focal and global distillation of a detector's pyramid levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, by_stride, detach, same_shape


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    if len(students[0]) != 4 or students[0][1] < 2:
        return [f"a level must be [N, C, H, W] with two known channels, not {list(students[0])}"]
    return same_shape(students[0], teachers[0])


def _build(
    students: Sequence[Any],
    teachers: Sequence[Any],
    *,
    targets: Sequence[Any],
    foreground: float = 1e-3,
    background: float = 5e-4,
    attention: float = 1e-3,
    relation: float = 5e-6,
    temperature: float = 0.5,
    stride: int = 0,
) -> dict[str, Any]:
    """The `terms`, each with its weight.

    Args:
        students: one level, [N, C, h, w].
        teachers: the same level of the teacher, of that shape.
        targets: the maps ``fgd_fg`` and ``fgd_bg`` of the level, [N, 1, h, w].
        foreground: alpha of the paper.
        background: beta.
        attention: gamma.
        relation: lambda.
        temperature: T of the attentions.
        stride: of the level; names the targets.

    Returns:
        name -> scalar, []; they add up to the loss.

    Source: Yang et al., "Focal and Global Knowledge Distillation for Detectors", arXiv
    2111.11837, with the weights for one-stage detectors; `FGDFeatureLoss` of PaddleDetection
    2.6. There the context blocks start at zero and no optimizer updates them; here they train.
    """
    del stride
    found = terms(students[0], detach(teachers)[0], *targets, temperature=temperature)
    weights = (foreground, background, attention, relation)
    return {name: w * term for w, (name, term) in zip(weights, found.items(), strict=True)}


def terms(
    student: Any, teacher: Any, inside: Any, outside: Any, *, temperature: float
) -> dict[str, Any]:
    """The four terms of one level, each summed over an image and averaged over the batch.

    With A_S and A_C the attention over positions and over channels (see `attentions`) and d the
    squared difference of the features:
    foreground = sum A_S,t A_C,t S_fg d; background = the same with S_bg;
    attention = sum |A_C,s - A_C,t| + sum |A_S,s - A_S,t|;
    relation = sum (R_s - R_t)^2, R being a context block (see `_context`) of each side.

    Args:
        student: [N, C, h, w].
        teacher: the same, detached.
        inside: S_fg [N, 1, h, w]: 1 / area in cells of the smallest box that covers a cell, else 0.
        outside: S_bg [N, 1, h, w]: 1 / number of cells outside all boxes there, else 0.
        temperature: T.

    Returns:
        name -> scalar, [].
    """
    spatial, channels = attentions(teacher, temperature)
    own_spatial, own_channels = attentions(student, temperature)
    weighted = (student - teacher) ** 2 * (spatial * channels)
    related = _context(student, "student") - _context(teacher, "teacher")
    return {
        "foreground": _mean_of_sums(weighted * inside),
        "background": _mean_of_sums(weighted * outside),
        "attention": _mean_of_sums((own_channels - channels).abs())
        + _mean_of_sums((own_spatial - spatial).abs()),
        "relation": _mean_of_sums(related**2),
    }


def attentions(x: Any, temperature: float) -> tuple[Any, Any]:
    """Spatial and channel attention of a level: where, and in which channels, it is large.

    Returns:
        h w softmax over the positions of mean over channels of |x| / T: [N, 1, h, w];
        C softmax over the channels of mean over positions of |x| / T: [N, C, 1, 1].
    """
    import paddle
    from paddle.nn import functional as f

    sizes = paddle.shape(x)
    large = paddle.abs(x)
    flat = paddle.flatten(large.mean(axis=1), 1) / temperature
    spatial = f.softmax(flat, axis=1) * paddle.cast(sizes[2] * sizes[3], x.dtype)
    channels = f.softmax(large.mean(axis=[2, 3]) / temperature, axis=1) * float(x.shape[1])
    shape = paddle.concat([sizes[:1], paddle.ones([1], sizes.dtype), sizes[2:]])
    return paddle.reshape(spatial, shape), paddle.unsqueeze(channels, [2, 3])


def _mean_of_sums(x: Any) -> Any:
    """Summed over everything but the batch, averaged over the batch: []."""
    import paddle

    return paddle.sum(x) / paddle.cast(paddle.shape(x)[0], x.dtype)


def _context(x: Any, side: str) -> Any:
    """R(x) = x + W2 relu(LN(W1 c)), c the mean of x weighted by a softmax over w_k x.

    W2 starts at zero, so R(x) = x at first, and the others at random, so W2 gets a gradient
    from the first step on and they from the second: with W1 at zero as well, W2 never would.

    Args:
        x: [N, C, h, w].
        side: whose block; each side trains one of its own.
    """
    import paddle
    from paddle.nn import functional as f

    wide = x.shape[1]
    narrow = max(wide // 2, 1)
    flat = paddle.flatten(x, 2)
    key = _parameter(side, "key", [1, wide], x.dtype, spread=wide)
    weight = f.softmax(
        paddle.matmul(key, flat) + _parameter(side, "key_bias", [1], x.dtype), axis=2
    )
    context = paddle.squeeze(paddle.matmul(flat, weight, transpose_y=True), 2)
    reduced = paddle.matmul(context, _parameter(side, "reduce", [wide, narrow], x.dtype, wide))
    reduced += _parameter(side, "reduce_bias", [narrow], x.dtype)
    scale = _parameter(side, "norm_scale", [narrow], x.dtype, value=1.0)
    shift = _parameter(side, "norm_shift", [narrow], x.dtype)
    normed = f.relu(f.layer_norm(reduced, [narrow], scale, shift))
    expanded = paddle.matmul(normed, _parameter(side, "expand", [narrow, wide], x.dtype))
    expanded += _parameter(side, "expand_bias", [wide], x.dtype)
    return x + paddle.unsqueeze(expanded, [2, 3])


def _parameter(
    side: str, name: str, shape: list[int], dtype: Any, spread: int = 0, value: float = 0.0
) -> Any:
    """A trained tensor: constant, or uniform around 0 for `spread` inputs (He et al., 2015)."""
    import paddle
    from paddle.nn import initializer

    first = initializer.KaimingUniform(fan_in=spread) if spread else initializer.Constant(value)
    full = paddle.utils.unique_name.generate(f"context_{side}_{name}")
    attr = paddle.ParamAttr(name=full, initializer=first)
    return paddle.static.create_parameter(shape, dtype, attr=attr)


LOSS = Loss(
    "fgd",
    inputs=("level",),
    default_weight=1.0,
    check=_check,
    build=_build,
    targets=by_stride("fgd_fg", "fgd_bg"),
    levels=True,
    options={
        "stride": 0,
        "foreground": 1e-3,
        "background": 5e-4,
        "attention": 1e-3,
        "relation": 5e-6,
        "temperature": 0.5,
    },
)
