"""One line of text names a data set and its options."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graphprobe.data.open import formats, open_data, opened_once, parse_spec
from graphprobe.errors import DataError


def test_the_names_are_pinned():
    known = "cityscapes coco digits digits_seg folder images npz seg voc yolo"
    assert list(formats()) == known.split()


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("digits", ("digits", "", {})),
        ("digits?count=9&size=64", ("digits", "", {"count": "9", "size": "64"})),
        ("voc:/a/b", ("voc", "/a/b", {})),
        ("voc:/a?b/c?split=val", ("voc", "/a?b/c", {"split": "val"})),
        ("voc:/what?", ("voc", "/what?", {})),
        ("voc:C:/x?split=a", ("voc", "C:/x", {"split": "a"})),
    ],
)
def test_specs(spec, parts):
    assert parse_spec(spec) == parts


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "unknown kind of data set"),
        ("vco:/a", "did you mean voc"),
        ("voc", "needs a path; write voc:PATH"),
        ("digits:/a", "takes no path"),
        ("digits?cuont=3", "unknown option 'cuont' (did you mean count?)"),
        ("digits?count=many", "option count must be int, not 'many'"),
        ("digits?count=2.5", "option count must be int, not '2.5'"),
        ("digits?count=inf", "option count must be int, not 'inf'"),
        ("voc:/a?clip=perhaps", "option clip must be bool, not 'perhaps'"),
        ("digits?count=many&sizes=3", "not 'many'; unknown option 'sizes'"),
    ],
)
def test_bad_specs(spec, said):
    with pytest.raises(DataError) as caught:
        open_data(spec)
    assert said in str(caught.value)


def test_data_is_opened_without_paddle():
    code = (
        "import sys; sys.modules['paddle'] = None\n"
        "from graphprobe.data.open import open_data, formats; formats()\n"
        "assert 'sklearn' not in sys.modules and 'PIL' not in sys.modules\n"
        "import graphprobe.data.batches\n"
        "import graphprobe.data.metrics.voc_map, graphprobe.data.metrics.miou"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_command_opens_the_same_data_once():
    one, other = "digits?count=2&size=32", "digits?count=3&size=32"
    with opened_once():
        first = open_data(one)
        assert open_data(one) is first
        assert len(open_data(other)) == 3
        assert len(open_data(one, count=4)) == 4
    assert open_data(one) is not first
