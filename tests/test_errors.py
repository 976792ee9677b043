from __future__ import annotations

from graphprobe.errors import ConfigError, GraphprobeError, Problem, did_you_mean, listed


def test_an_error_is_one_line_with_where_what_and_what_to_do() -> None:
    error = GraphprobeError("is\nempty", where="a/model", hint="export it again")
    assert str(error) == "a/model: is empty; export it again"


def test_a_config_error_lists_every_problem_with_its_path() -> None:
    error = ConfigError(
        [Problem("pairs[0].loss", "unknown loss 'l3'"), Problem("train.seed", "not a number")],
        where="distill.yaml",
    )
    assert str(error) == (
        "distill.yaml: pairs[0].loss: unknown loss 'l3'; train.seed: not a number"
    )


def test_did_you_mean_names_the_nearest_and_stays_silent_otherwise() -> None:
    assert did_you_mean("conv2d_7.tmp_0", ["conv2d_1.tmp_0", "image"]) == (
        "did you mean conv2d_1.tmp_0?"
    )
    assert did_you_mean("zzz", ["image"]) == ""


def test_of_many_names_the_first_are_told_and_the_others_counted() -> None:
    assert listed(f"w{i}" for i in range(60)) == "w0, w1, w2, w3, w4 and 55 more"
    assert listed(["a", "b"], 1, "; ") == "a and 1 more"
    assert listed(["a", "b"]) == "a, b" and listed([]) == ""
