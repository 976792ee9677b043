"""Hold annotated boxes against their image: take, cut, leave out, or note a problem."""

from __future__ import annotations

from graphprobe.data.formats._problems import Problems

Box = tuple[float, float, float, float]

# Tools disagree by a pixel on where an image ends; what is farther out is an error.
_SLACK = 2.0


class BoxFilter:
    """Notes problems (which stop) and oddities (which do not).

    Args:
        problems: takes what is wrong.
        clip: cut boxes that leave their image instead of noting a problem.
    """

    def __init__(self, problems: Problems, clip: bool) -> None:
        self._problems = problems
        self._clip = clip
        self._odd: dict[str, list[str]] = {}

    def take(self, name: str, what: str, box: Box, size: tuple[int, int]) -> Box | None:
        """The box inside its image, or None where it is left out.

        Args:
            name: of the sample.
            what: the box in words, as ``box 3 (dog)``.
            box: x1, y1, x2, y2 in pixels with far edges.
            size: width and height of the image.
        """
        x1, y1, x2, y2 = box
        if 0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1]:
            return box
        where = f"{name}: {what}"
        inside = _clip_box(box, size)
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            self._problems.add(f"{where} lies outside its {size[0]} x {size[1]} image")
            return None
        out = max(abs(a - b) for a, b in zip(box, inside, strict=True))
        if out > _SLACK and not self._clip:
            text = f"{where} reaches {out:g} pixels out of its {size[0]} x {size[1]} image"
            self._problems.add(text, "correct the box, or cut all such boxes with clip=true")
            return None
        if out > 1:
            self.note("a box was cut at the image's edge", name)
        return inside

    def note(self, what: str, name: str) -> None:
        """Remember an oddity of a sample."""
        self._odd.setdefault(what, []).append(name)

    def warnings(self) -> tuple[str, ...]:
        """One line a kind of oddity."""
        return tuple(
            f"{what} ({len(names)} time{'s' if len(names) > 1 else ''}, first in {names[0]})"
            for what, names in self._odd.items()
        )


def _clip_box(box: Box, size: tuple[int, int]) -> Box:
    x1, x2 = (min(max(side, 0.0), float(size[0])) for side in (box[0], box[2]))
    y1, y2 = (min(max(side, 0.0), float(size[1])) for side in (box[1], box[3]))
    return x1, y1, x2, y2
