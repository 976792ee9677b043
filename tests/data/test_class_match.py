"""Which class of a program each class of data is."""

from __future__ import annotations

import pytest

from graphprobe.data.class_match import NoMatch, match_classes


@pytest.mark.parametrize(
    ("count", "named", "data", "found"),
    [
        (3, (), ("a", "b", "c"), (0, 1, 2)),
        (3, ("c", "b", "A"), ("a", "b", "c"), (2, 1, 0)),
        (4, ("x", "b", "a", "c"), ("a", "b"), (2, 1)),
        (0, ("b", "a"), ("a", "b"), (1, 0)),
    ],
)
def test_by_name_else_by_number(
    count: int, named: tuple[str, ...], data: tuple[str, ...], found: tuple[int, ...]
) -> None:
    assert match_classes(count, named, data) == found


@pytest.mark.parametrize(
    ("count", "named", "data", "why"),
    [
        (3, (), ("a", "b"), "the program has 3 classes, the data 2"),
        (0, (), ("a", "b"), "the program has classes whose number is not known, the data 2"),
        (2, ("a", "x"), ("a", "b"), "the program has no class b"),
        (2, ("x", "y"), ("a", "b"), "the program's classes are x, y, the data's a, b"),
        (2, (), (), "the data have no classes"),
        (1, ("a", "b"), ("a", "b"), "the program has 1 classes, the data 2"),
    ],
)
def test_what_does_not_match_says_how(
    count: int, named: tuple[str, ...], data: tuple[str, ...], why: str
) -> None:
    with pytest.raises(NoMatch) as error:
        match_classes(count, named, data)
    assert error.value.message == why
