"""Lists of a json object in slices: the same elements as parsing it whole gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphprobe.data.formats import _json_stream
from graphprobe.data.formats._json_stream import stream_arrays
from graphprobe.errors import DataError

TEXT = st.text(alphabet='ab"\\{}[],: é\U0001f600\n', max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FEW = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def gathered(path):
    found = {}
    for key, items in stream_arrays(path):
        found.setdefault(key, []).extend(items)
    return found


@pytest.fixture(autouse=True, params=[8, 64, 4 << 20])
def slice_size(request, monkeypatch):
    monkeypatch.setattr(_json_stream, "_SLICE", request.param)


@FEW
@given(content=st.dictionaries(TEXT, VALUES, max_size=4), ascii_only=st.booleans())
def test_the_same_as_parsing_it_whole(tmp_path, content, ascii_only):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content, ensure_ascii=ascii_only), encoding="utf-8")
    expected = {key: v if isinstance(v, list) else [None] for key, v in content.items()}
    assert gathered(path) == expected


@FEW
@given(
    content=st.dictionaries(TEXT, VALUES, min_size=1, max_size=3),
    at=st.floats(0, 1),
    new=st.sampled_from(['"', "{", "}", "[", "]", ",", "\\", "x", ""]),
)
def test_damaged_files_are_one_error_or_what_they_say(tmp_path, content, at, new):
    path = tmp_path / "a.json"
    text = json.dumps(content)
    place = int(at * len(text))
    text = text[:place] + new + text[place + 1 :]
    path.write_text(text)
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(DataError, match=r"a\.json: is no json"):
            gathered(path)
        return
    if isinstance(expected, dict):
        pairs = json.loads(text, object_pairs_hook=list) if text.startswith("{") else []
        if len({key for key, _ in pairs}) == len(pairs):  # doubled keys are both given
            lists = {k: v if isinstance(v, list) else [None] for k, v in expected.items()}
            assert gathered(path) == lists


@pytest.mark.parametrize("text", ["", "[]", "3", "{}x", '{"a": [1 2]}', '{"a": [' + "[" * 100_000])
def test_what_is_no_object(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"is no json|cannot be read"):
        gathered(tmp_path / "a.json")


@FEW
@given(items=st.lists(st.dictionaries(TEXT, VALUES, max_size=3), max_size=9), text=TEXT)
def test_outlines_are_left_out_and_nothing_else(tmp_path, items, text):
    made = [{**item, "s": [[1.5, -2e9], [3]], "t": text + '"s": [1]', "z": 1} for item in items]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": made}), encoding="utf-8")
    found = [part for _, parts in stream_arrays(path, unread="s") for part in parts]
    for mine, original in zip(found, made, strict=True):
        mine.pop("", None), mine.pop("s", None)
        original.pop("", None), original.pop("s")
        assert mine == original


def test_a_mark_at_the_beginning_and_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [{"b": 1}]}')
    assert gathered(tmp_path / "a.json") == {"a": [{"b": 1}]}
    (tmp_path / "a.json").write_bytes(b'{"a": [{"b": "\xff"}]}')
    with pytest.raises(DataError, match="not UTF-8"):
        gathered(tmp_path / "a.json")


def test_one_value_has_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(_json_stream, "_MOST_VALUE", 1 << 20)
    (tmp_path / "a.json").write_text('{"a": ["' + "x" * (3 << 20) + '"]}')
    with pytest.raises(DataError, match="one value has more than 1 MiB"):
        gathered(tmp_path / "a.json")
