"""Configs: every problem at once with its path, bounded YAML, overrides, and the round trip."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphprobe.config import (
    AdapterConfig,
    Config,
    DistillConfig,
    PairConfig,
    ProgramRef,
    TrainConfig,
    TrainSection,
    check_fingerprint,
    config_text,
    load_config,
)
from graphprobe.config.load import validate
from graphprobe.errors import ConfigError, GraphprobeError, UsageError
from graphprobe.ir import Origin, Program
from graphprobe.yaml_io import parse_yaml, to_scalar

GOOD = """
version: 1
kind: distill
student: {program: "zoo:yolov3_mobilenet_v1", fingerprint: "sha256:0123456789abcdef"}
teacher: {program: "zoo:yolov3_r34"}
pairs:
  - {student: conv2d_20.tmp_1, teacher: conv2d_6.tmp_1, loss: l2, weight: 100}
"""


@pytest.fixture
def write(tmp_path: Path):
    def put(text: str) -> Path:
        path = tmp_path / "distill.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return put


def problems(path: Path, *overrides: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return {p.path: p.message for p in caught.value.problems}


def test_a_good_file_loads_with_its_defaults(write):
    config = load_config(write(GOOD))
    assert isinstance(config, DistillConfig)
    assert config.pairs[0].weight == 100.0
    assert config.train == TrainSection()
    assert config.teacher.fingerprint is None


def test_every_problem_is_named_at_once(write):
    text = GOOD + (
        "  - {student: a, teacher: b, los: l2, weight: '3'}\n"
        "  - {student: '', teacher: b, loss: l2, adapter: {in_channels: 0, out_channels: yes}}\n"
        "train: {batch_sise: 4, workers: -1, learning_rate: {milestones: [1, x]}}\n"
    )
    found = problems(write(text))
    assert found["pairs[1].los"] == "unknown key, did you mean loss?"
    assert found["pairs[1].loss"] == "missing"
    assert found["pairs[1].weight"] == "must be a number or 'auto', not '3'"
    assert found["pairs[2].student"] == "must not be empty"
    assert "greater than 0" in found["pairs[2].adapter.in_channels"]
    assert found["pairs[2].adapter.out_channels"] == "must be a whole number, not True"
    assert found["train.batch_sise"] == "unknown key, did you mean batch_size?"
    assert found["train.learning_rate.milestones[1]"] == "must be a whole number, not 'x'"
    assert "train.workers" in found
    assert len(found) == 9


@pytest.mark.parametrize(
    ("kind", "says"),
    [("", "missing"), ("kind: distil", "did you mean distill"), ("kind: [1]", "must be one of")],
)
def test_the_kind_decides(write, kind, says):
    assert says in problems(write(f"version: 1\n{kind}\n"))["kind"]


@pytest.mark.parametrize("text", ["", "- 1", "just text", "null", "3"])
def test_what_is_no_mapping_is_no_config(write, text):
    assert problems(write(text)) == {"": "not a config: it must be keys and values"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2", "line"),
        ("a: b: c", "line 1"),
        ("a: 1\na: 2", "duplicate key a"),
        ("a: &x [1]\nb: [*x, *x]", "aliases"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("[" * 50 + "]" * 50, "levels"),
        ("a: 2020-99-99", "cannot be read"),
        ("? [1, 2]\n: 3", "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_bad_yaml_is_one_line(write, text, says):
    with pytest.raises(GraphprobeError) as caught:
        load_config(write(text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    (tmp_path / "big.yaml").write_bytes(b"#" * (1 << 21))
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    for name, says in (("none", "No such file"), ("big", "1 MiB"), ("latin", "UTF-8")):
        with pytest.raises(GraphprobeError, match=says):
            load_config(tmp_path / f"{name}.yaml")


def test_overrides_come_before_validation(write):
    config = load_config(
        write(GOOD),
        ["train.batch_size=4", "train.learning_rate.base=1e-3", "pairs[0].weight=0.5"],
    )
    assert isinstance(config, DistillConfig)
    assert config.train.batch_size == 4
    assert config.train.learning_rate.base == 1e-3
    assert config.pairs[0].weight == 0.5


def test_pairs_that_are_wrong_do_not_count_as_none(write):
    assert "pairs" not in problems(write(GOOD), "pairs[0].wieght=3")
    assert problems(write(GOOD), "pairs=[]")["pairs"] == "must not be empty"


def test_wrong_overrides_are_named(write):
    path = write(GOOD)
    found = problems(path, "train.batch_sise=4", "pairs[7].weight=1", "version.x=1")
    assert found["train.batch_sise"].startswith("unknown key")
    assert found["pairs[7].weight"] == "the override meets no section or list there"
    assert "version.x" in found
    for bad in ("train.batch_size", "=3", "a..b=3", "pairs[x].weight=2"):
        with pytest.raises(UsageError):
            load_config(path, [bad])
    with pytest.raises(UsageError, match="override='a="):
        load_config(path, ["a=[1"])


@pytest.mark.parametrize("named", ["", "prune: prune.yaml\n"])
def test_a_key_of_a_pruning_is_of_that_kind_alone(write, named):
    found = problems(write(GOOD + named), 'prune.engine="paddleslim"')
    said = "only a config of kind prune has this key, and this one is of kind distill"
    assert found == {"prune.engine": said}


def test_a_pair_stands_only_once(write):
    line = "  - {student: conv2d_20.tmp_1, teacher: conv2d_6.tmp_1, loss: l2}\n"
    assert "stand there twice" in problems(write(GOOD + line))[""]


def test_code_is_refused_unless_allowed(write):
    text = GOOD.replace("zoo:yolov3_r34", "models.teacher:build")
    text += "  - {student: a, teacher: b, loss: custom, code: 'my.losses:fgd'}\n"
    path = write(text)
    found = problems(path)
    assert "allow_code=True" in found["teacher.program"]
    assert "allow_code=True" in found["pairs[1].code"]
    assert load_config(path, allow_code=True).student.program == "zoo:yolov3_mobilenet_v1"


def test_a_config_of_another_program_is_refused():
    empty = Program(blocks=(), origin=Origin("mine", "programdesc", None))
    ref = ProgramRef(program="zoo:a", fingerprint="sha256:0123456789abcdef")
    with pytest.raises(ConfigError, match="made for sha256:0123456789abcdef, but mine is"):
        check_fingerprint(ref, empty, key="teacher", where="distill.yaml")
    check_fingerprint(ProgramRef(program="zoo:a"), empty, key="teacher")


words = st.text(min_size=1, max_size=12)
numbers = st.floats(0, 1e6, allow_nan=False)
options = st.dictionaries(
    words, st.one_of(words, numbers, st.integers(), st.booleans()), max_size=3
)
refs = st.builds(ProgramRef, program=words, weights=st.none() | words, fingerprint=st.none())
pairs = st.builds(
    PairConfig,
    student=words,
    teacher=words,
    loss=words,
    weight=numbers,
    role=st.text(max_size=20),
    part=st.text(max_size=5),
    adapter=st.none()
    | st.builds(AdapterConfig, in_channels=st.integers(1, 9), out_channels=st.integers(1, 9)),
    options=options,
    code=st.none() | words,
)
configs = st.one_of(
    st.builds(
        DistillConfig,
        version=st.just(1),
        kind=st.just("distill"),
        student=refs,
        teacher=refs,
        pairs=st.lists(
            pairs, min_size=1, max_size=4, unique_by=lambda p: (p.student, p.teacher)
        ).map(tuple),
        prune=st.none() | words,
    ),
    st.builds(TrainConfig, version=st.just(1), kind=st.just("train"), student=refs),
)


@settings(max_examples=150, deadline=None)
@given(configs, st.text(max_size=30))
def test_reading_what_was_written_gives_the_same_config(config: Config, note: str):
    notes = {"pairs": [note] * len(config.pairs)} if isinstance(config, DistillConfig) else {}
    text = config_text(config, file="x.yaml", notes=notes)
    again, found = validate(parse_yaml(text, where="x.yaml"))
    assert (again, found) == (config, [])


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text())
@example("0E0")  # a number to this loader, and none to YAML 1.1
@example("1e-3")
def test_scalars_come_back(value):
    assert parse_yaml(f"a: {to_scalar(value)}", where="x") == {"a": value}
