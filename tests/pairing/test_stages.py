"""Where a backbone ends, and maps that become a list of cells and a map again."""

from __future__ import annotations

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.find import find_pairs

OPEN = (-1, -1)


def keep(b: Builder, type: str, x: str, channels: int = 8, **more: str) -> str:
    return b.op(type, {"X": x, **more}, shape=(-1, channels, *OPEN))


def up(b: Builder, x: str, like: str | None = None) -> str:
    if like is None:
        return b.op("nearest_interp_v2", {"X": x}, attrs={"scale": 2.0}, shape=(-1, 8, *OPEN))
    size = b.op("shape", {"Input": like}, shape=(4,))
    size = b.op("slice", {"Input": size}, attrs={"axes": (0,), "starts": (2,), "ends": (4,)},
                shape=(2,))  # fmt: skip
    return b.op("bilinear_interp_v2", {"X": x, "OutSize": size}, shape=(-1, 8, *OPEN))


def backbone(b: Builder) -> tuple[str, str]:
    """Maps of strides 2 and 4."""
    fine = keep(b, "relu", b.conv(b.feed("image", (-1, 3, *OPEN)), 8, k=3, stride=2))
    coarse = keep(b, "relu", b.conv(fine, 8, k=3, stride=2))
    return fine, coarse


def finish(b: Builder, x: str) -> Program:
    y = up(b, b.conv(x, 8))
    return b.build(fetches=[b.op("arg_max", {"X": y}, attrs={"axis": 1}, shape=(-1, *OPEN))])


def last_stages(program: Program) -> list[str]:
    return [pair.student for pair in find_pairs(program, program, "backbone_stages").pairs]


def test_a_convolution_behind_a_pyramid_of_pools_is_the_necks() -> None:
    """PP-LiteSeg: pooled maps go up again, and a convolution of the neck stands beside them."""
    b = Builder()
    fine, coarse = backbone(b)
    pooled = b.op("pool2d", {"X": coarse}, attrs={"adaptive": True}, shape=(-1, 8, 2, 2))
    context = up(b, b.conv(pooled, 8), like=coarse)
    lateral = keep(b, "relu", b.conv(coarse, 8))
    both = keep(b, "elementwise_add", context, Y=lateral)
    program = finish(b, keep(b, "elementwise_add", up(b, both), Y=fine))
    assert last_stages(program) == [coarse, fine]


def test_pooled_maps_of_a_known_size_are_no_stage() -> None:
    """The pyramid of pools has strides, too, where the image has a size."""
    b = Builder()
    x = b.feed("image", (-1, 3, 32, 32))
    fine = b.op("relu", {"X": b.conv(x, 8, k=3, stride=2)}, shape=(-1, 8, 16, 16))
    coarse = b.op("relu", {"X": b.conv(fine, 8, k=3, stride=2)}, shape=(-1, 8, 8, 8))
    attrs = {"adaptive": True, "ksize": (2, 2)}
    pooled = b.op("pool2d", {"X": coarse}, attrs=attrs, shape=(-1, 8, 2, 2))
    context = up(b, b.conv(pooled, 8), like=coarse)
    both = keep(b, "elementwise_add", context, Y=b.conv(coarse, 8))
    program = finish(b, keep(b, "elementwise_add", up(b, both), Y=fine))
    assert last_stages(program) == [coarse, fine]


def test_what_the_neck_reads_is_the_last_of_a_stage_and_not_the_next_stages_first_layer() -> None:
    """STDC: a layer of the next stage stands at the stride of what the neck reads."""
    b = Builder()
    fine, _ = backbone(b)
    read = keep(b, "relu", b.conv(fine, 8, k=3, stride=2))
    first = keep(b, "relu", b.conv(read, 8))
    coarse = keep(b, "relu", b.conv(first, 8, k=3, stride=2))
    middle = keep(b, "elementwise_add", up(b, coarse), Y=b.conv(read, 8))
    program = finish(b, keep(b, "elementwise_add", up(b, middle), Y=b.conv(fine, 8)))
    assert last_stages(program) == [coarse, read, fine]


def test_what_leads_up_is_the_last_of_a_text_detectors_backbone() -> None:
    """DB: everything passes the first convolution of the neck, which is all that can be told."""
    b = Builder()
    fine, coarse = backbone(b)
    first = b.conv(coarse, 8)
    way_up = keep(b, "elementwise_add", up(b, first), Y=b.conv(fine, 8))
    level = up(b, b.conv(first, 8, k=3))
    program = finish(b, keep(b, "elementwise_add", way_up, Y=level))
    assert last_stages(program) == [first, fine]


def test_squeeze_and_excitation_is_no_branch() -> None:
    b = Builder()
    fine, coarse = backbone(b)
    squeezed = b.op("pool2d", {"X": coarse}, attrs={"global_pooling": True}, shape=(-1, 8, 1, 1))
    gate = b.op("sigmoid", {"X": b.conv(squeezed, 8)}, shape=(-1, 8, 1, 1))
    scaled = keep(b, "elementwise_mul", coarse, Y=gate)
    end = keep(b, "relu", b.conv(scaled, 8, k=3))
    program = finish(b, keep(b, "elementwise_add", up(b, end), Y=fine))
    assert last_stages(program) == [end, fine]


def stride_of(program: Program, name: str) -> tuple[float, float] | None:
    analysis = ProgramAnalysis(program)
    return analysis.stride(next(v for v in analysis.flow.values if v.name == name))


def test_a_list_of_cells_that_becomes_a_map_again_keeps_its_stride() -> None:
    """Attention works on [N, cells, C]; what follows is a map of the stride from before."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 32, 64)), 8, k=3, stride=4)
    flat = b.op("flatten_contiguous_range", {"X": x}, shape=(-1, 8, 128))
    cells = b.op("transpose2", {"X": flat}, attrs={"axis": (0, 2, 1)}, shape=(-1, 128, 8))
    normed = b.op("layer_norm", {"X": cells}, {"Y": "normed"}, shape=(-1, 128, 8))
    back = b.op("transpose2", {"X": normed}, attrs={"axis": (0, 2, 1)}, shape=(-1, 8, 128))
    again = b.op("reshape2", {"X": back}, shape=(-1, 8, 8, 16))
    after = b.conv(again, 8, stride=2)
    program = b.build()
    assert (stride_of(program, again), stride_of(program, after)) == ((4.0, 4.0), (8.0, 8.0))
    analysis = ProgramAnalysis(program)
    place = analysis.spatial[next(v.id for v in analysis.flow.values if v.name == again)]
    assert place is not None and (place.h, place.w) == (2, 3)


def test_a_resize_to_the_size_of_the_image_has_stride_1_whatever_it_resizes() -> None:
    b = Builder()
    image = b.feed("image", (-1, 3, *OPEN))
    weight = b.param("w", (8, 8))
    x = b.conv(image, 8, k=3, stride=4)
    x = b.op("flatten_contiguous_range", {"X": x}, shape=(-1, 8, -1))
    x = b.op("transpose2", {"X": x}, attrs={"axis": (0, 2, 1)}, shape=(-1, -1, 8))
    x = b.op("matmul_v2", {"X": x, "Y": weight}, shape=(-1, -1, 8))
    x = b.op("reshape2", {"X": x}, shape=(-1, 8, *OPEN))
    whole = up(b, x, like=image)
    assert stride_of(b.build(), whole) == (1.0, 1.0)
