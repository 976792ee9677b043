"""Pruned real Paddle programs: equal to the masked network, and to what PaddleSlim prunes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from graphprobe.config import PruneConfig, PruneSection
from graphprobe.emit import prune_config
from graphprobe.errors import ConfigError, TrainError
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import Limits, choose

pytestmark = pytest.mark.paddle

STUDENT = "zoo:yolov3_mobilenet_v1?scale=0.125&size=64"
TEACHER = "zoo:yolov3_r34?scale=0.125&size=64"
SEGMENTER = "zoo:deeplabv3p_mobilenetv2?scale=0.25&size=65"
# Prunable, and not among the 24 filters of PaddleDetection's example.
SIX_MORE = (
    "conv1_weights",
    "conv6_sep_weights",
    "yolo_block.0.2.conv.weights",
    "yolo_block.0.tip.conv.weights",
    "yolo_block.1.tip.conv.weights",
    "yolo_block.2.1.0.conv.weights",
)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "prune-cache"))
        yield


@pytest.fixture(scope="module")
def config() -> Callable[..., PruneConfig]:
    def make(name, policy="coupled", ratio=0.5, engine="own", keep=None):
        program = load_program(name)
        limits = Limits(keep=re.compile(keep) if keep else None)
        choice = choose(find_prunable(program, policy), ratio, limits=limits)
        made = prune_config(choice, program, "x")
        section = made.prune.model_copy(update={"engine": engine})
        return made.model_copy(update={"prune": section})

    return make


def forward(name):
    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks

    return open_forward(Networks().source(name))


def cut(config, *, where=""):
    from graphprobe.training.pruning.cutter import apply_prune

    trial = forward(config.student.program)
    return trial, apply_prune(trial.program, None, trial.scope, config.prune, where=where)


@pytest.mark.parametrize(
    ("name", "groups", "blocked"), [(STUDENT, 34, 3), (TEACHER, 41, 3), (SEGMENTER, 25, 1)]
)
def test_every_group_cuts_to_the_masked_network(config, name, groups, blocked):
    """Prunable: cut and run, equal to the masked network. Blocked: with a stated reason."""
    from graphprobe.training.pruning.proof import TOLERANCE, check_prune

    report = check_prune(config(name), prove=True)
    assert report.passed and len(report.groups) == groups
    for row in report.groups:
        assert 0 < row.after < row.before
        assert row.difference is not None and row.difference <= TOLERANCE
    assert report.after.flops < 0.4 * report.before.flops
    assert report.after.params < 0.4 * report.before.params
    decisions = find_prunable(load_program(name), "coupled").decisions
    stopped = [d for d in decisions if d.status == "blocked"]
    assert len(stopped) == blocked
    assert all(d.reason == "output" and d.detail and d.path for d in stopped)
    assert sum(row.convs for row in report.groups) == len(decisions) - blocked


def test_what_is_compared_is_no_whole_number():
    """A segmenter's file ends in arg_max: its scores are compared, not the classes."""
    import paddle

    from graphprobe.training.networks.predictions import outputs_of

    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        image = paddle.static.data("image", [1, 3, 8, 8])
        scores = paddle.static.nn.conv2d(image, 5, 1)
        paddle.argmax(scores, axis=1)
    assert outputs_of(program) == (scores.name,)


@pytest.mark.parametrize(("size", "taken"), [(128, 96), (64, 64)])
def test_a_proof_takes_small_pictures_where_the_program_allows_it(size, taken):
    import paddle

    from graphprobe.training.networks.forward import Forward

    paddle.enable_static()
    results = []
    for fixed in (False, True):
        program = paddle.static.Program()
        with paddle.static.program_guard(program, paddle.static.Program()):
            image = paddle.static.data("image", [1, 3, size, size])
            x = paddle.nn.functional.relu(image)
            if fixed:
                x = paddle.reshape(x, [1, 3, size * size])
        batch = {"image": np.ones((1, 3, size, size), np.float32)}
        small = Forward(program, paddle.static.Scope(), batch, (x.name,)).small()
        results.append((small.batch["image"].shape[2:], small.run()[0].shape))
        assert tuple(image.shape) == (1, 3, size, size)
    assert results[0] == ((taken, taken), (1, 3, taken, taken))
    assert results[1] == ((size, size), (1, 3, size * size))


def test_all_groups_together(config):
    from graphprobe.training.pruning.proof import TOLERANCE, Proof

    for name in (STUDENT, TEACHER, SEGMENTER):
        made = config(name, ratio=0.3)
        assert Proof(forward(name), made.prune).compare(made.prune) <= TOLERANCE


def test_a_train_program_is_cut_and_trains(config):
    import paddle

    from graphprobe.training.pruning.cutter import apply_prune
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo(STUDENT), "train")
    scope, executor = paddle.static.Scope(), paddle.static.Executor(paddle.CPUPlace())
    paddle.seed(3)
    executor.run(built.startup, scope=scope)
    summary = apply_prune(built.main, built.startup, scope, config(STUDENT).prune)
    assert summary.params[1] < summary.params[0]
    with paddle.static.program_guard(built.main, built.startup):
        loss = built.main.global_block().var(built.loss)
        paddle.optimizer.Momentum(1e-3, 0.9).minimize(loss)
    # The pruned startup program gives the smaller shapes by itself.
    executor.run(built.startup, scope=scope)
    feed = {
        "image": np.zeros((2, 3, 64, 64), np.float32),
        "gt_bbox": np.full((2, 50, 4), 0.3, np.float32),
        "gt_class": np.zeros((2, 50), np.int32),
        "gt_score": np.ones((2, 50), np.float32),
    }
    feed = {name: feed[name] for name, _, _ in built.feeds}
    (value,) = executor.run(built.main, feed=feed, fetch_list=[built.loss], scope=scope)
    assert np.isfinite(value).all()


@pytest.mark.parametrize("name", [STUDENT, TEACHER, SEGMENTER])
def test_paddleslim_cuts_the_same(config, name):
    """Every convolution that both can cut: the same channels stay, in every parameter."""
    slim, by_slim = cut(config(name, "seeds", engine="paddleslim"))
    own, by_own = cut(config(name, "seeds", engine="own"))
    assert (by_slim.engine, by_own.engine) == ("paddleslim", "own")
    assert by_slim.plan == by_own.plan and by_slim.shapes == by_own.shapes
    for name in by_own.plan.axes:
        values = [np.array(f.scope.find_var(name).get_tensor()) for f in (slim, own)]
        np.testing.assert_array_equal(*values)


def test_the_published_24_together(config):
    """PaddleDetection's list for YOLOv3-MobileNetV1, all at 0.5: pruned by PaddleSlim, and run."""
    made = config(STUDENT, "seeds", engine="paddleslim", keep=f"^(?:{'|'.join(SIX_MORE)})$")
    assert len(made.prune.groups) == 24
    network, summary = cut(made)
    for group in made.prune.groups:
        before, after = summary.plan.channels[group.convs[0]]
        assert after == before - round(before * 0.5)
    assert all(np.isfinite(array).all() for array in network.run())


def test_our_own_cutter_is_the_default_and_does_not_import_paddleslim(config, monkeypatch):
    assert PruneSection().engine == "own"
    monkeypatch.setitem(sys.modules, "paddleslim", None)
    for engine in ("own", "auto"):
        assert cut(config(STUDENT, "seeds", engine=engine))[1].engine == "own"


def test_what_paddleslim_cannot_cut_is_refused(config):
    with pytest.raises(TrainError, match=r"prune\.engine: PaddleSlim does not prune"):
        cut(config(STUDENT, "coupled", engine="paddleslim"))


def test_a_plan_is_replayed_once(config):
    from graphprobe.pruning.plan_json import plan_from_json, plan_to_json
    from graphprobe.training.pruning import cutter
    from graphprobe.training.pruning.cutter import apply_prune, replay_plan

    def unknown_shapes(_program):
        raise ValueError("channels of -1\n  [Hint: of Paddle's]")

    made = config(STUDENT)
    trial, summary = cut(made)
    plan = plan_from_json(plan_to_json(summary.plan))
    assert plan == summary.plan
    fresh = forward(STUDENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutter, "infer_shapes", unknown_shapes)
        with pytest.raises(TrainError, match=r"do not follow from its ops \(channels of -1\)"):
            replay_plan(fresh.program.clone(), plan)
    replay_plan(fresh.program, plan)
    for name, (_, after) in summary.shapes.items():
        assert tuple(fresh.program.global_block().var(name).shape) == after
    with pytest.raises(TrainError, match="has been pruned already"):
        replay_plan(fresh.program, plan)
    with pytest.raises(ConfigError, match="pruned already"):
        apply_prune(trial.program, None, trial.scope, made.prune)


def test_everything_wrong_is_listed_at_once(config):
    made = config(STUDENT)
    first, second = made.prune.groups[:2]
    cuts = first.parts[0].cuts
    wrong = [
        cuts[0].model_copy(update={"params": ("no_such_weights",)}),
        cuts[1].model_copy(update={"size": 999}),
        cuts[1].model_copy(update={"axis": 7}),
    ]
    part = first.parts[0].model_copy(update={"cuts": tuple(wrong)})
    groups = (first.model_copy(update={"parts": (part,)}), second, second)
    section = made.prune.model_copy(update={"groups": groups})
    with pytest.raises(ConfigError) as caught:
        cut(made.model_copy(update={"prune": section}), where="prune.yaml")
    said = str(caught.value)
    for words in ("no parameter no_such_weights", "not 999", "not 8", "is pruned twice", "also in"):
        assert words in said


def test_nothing_to_cut_is_an_error(config):
    with pytest.raises(ConfigError, match="nothing would be pruned"):
        cut(config(STUDENT, ratio=0.5).model_copy(update={"prune": none(config(STUDENT))}))


def none(made):
    return made.prune.model_copy(update={"min_channels": 10**6})


def test_a_program_with_an_optimizer_is_refused(config):
    import paddle

    from graphprobe.training.pruning.cutter import apply_prune
    from graphprobe.zoo import build_zoo, parse_zoo

    built = build_zoo(parse_zoo(STUDENT), "train")
    with paddle.static.program_guard(built.main, built.startup):
        loss = built.main.global_block().var(built.loss)
        paddle.optimizer.Momentum(1e-3, 0.9).minimize(loss)
    with pytest.raises(TrainError, match="before minimize"):
        apply_prune(built.main, None, paddle.static.Scope(), config(STUDENT).prune)


def test_the_readers_forms_are_read_by_paddleslim(tmp_path):
    from paddleslim.auto_compression.config_helpers import extract_strategy_config

    from graphprobe.emit import find_prune_emitter

    program = load_program(STUDENT)
    choice = choose(find_prunable(program), 0.5)
    path = tmp_path / "act.yaml"
    path.write_text(find_prune_emitter("act").text(choice, "x"))
    read = extract_strategy_config(str(path))["ChannelPrune"]
    assert read.prune_params_name == choice.params and len(choice.params) == 30
    assert (read.pruned_ratio, read.criterion) == (0.5, "l1_norm")


def test_auto_compression_cuts_what_its_form_says(config, tmp_path):
    """The section ChannelPrune, run by PaddleSlim itself, gives the shapes of the plan."""
    import paddle
    from paddleslim.auto_compression.config_helpers import extract_strategy_config
    from paddleslim.auto_compression.create_compressed_program import build_prune_program

    from graphprobe.emit import find_prune_emitter

    choice = choose(find_prunable(load_program(STUDENT)), 0.5)
    path = tmp_path / "act.yaml"
    path.write_text(find_prune_emitter("act").text(choice, "x"))
    section = vars(extract_strategy_config(str(path))["ChannelPrune"])
    network = forward(STUDENT)
    network.program.global_block().var("image").desc.set_shape([1, 3, 64, 64])
    info = SimpleNamespace(program=network.program)
    with paddle.static.scope_guard(network.scope):
        build_prune_program(
            paddle.static.Executor(paddle.CPUPlace()), paddle.CPUPlace(), section, info,
            "channel_prune", None,
        )  # fmt: skip
    _, summary = cut(config(STUDENT, "seeds"))
    block = info.program.global_block()
    for name, (_, after) in summary.shapes.items():
        assert tuple(block.var(name).shape) == after, name


def test_rounding_that_a_deep_network_blows_up_is_measured(config):
    """RetinaNet with random weights turns the last bits of a picture into 1e-4 of its boxes."""
    from graphprobe.training.pruning.proof import OF_LAST_BITS, TOLERANCE, Proof, check_prune

    made = config("zoo:retinanet_r50?scale=0.05&size=64")
    at = next(i for i, g in enumerate(made.prune.groups) if "res4a" in g.convs[0])
    prune = made.prune.model_copy(update={"groups": made.prune.groups[at : at + 1]})
    made = made.model_copy(update={"prune": prune})
    report = check_prune(made, prove=True)
    last_bits = Proof(forward(made.student.program), prune).last_bits()
    assert report.passed
    assert report.groups[0].difference <= max(TOLERANCE, OF_LAST_BITS * last_bits)
    assert any("last bits" in note for note in report.notes) == (
        OF_LAST_BITS * last_bits > TOLERANCE
    )


def test_a_wrong_cut_is_no_rounding(config, monkeypatch):
    from graphprobe.pruning.plan import PrunePlan
    from graphprobe.training.pruning import proof

    made = config(SEGMENTER)
    prune = made.prune.model_copy(update={"groups": made.prune.groups[:1]})
    # Nothing masked: the pruned network must not look like the whole one.
    monkeypatch.setattr(PrunePlan, "removed_inputs", lambda _: iter(()))
    report = proof.check_prune(made.model_copy(update={"prune": prune}), prove=True)
    assert not report.passed and "differs by" in report.problems[0].message


def test_a_proof_takes_the_weights_that_the_config_names(config, tmp_path, monkeypatch):
    from graphprobe.training.pruning import proof
    from graphprobe.training.runtime.programs import get_values, state_shapes

    whole = forward(SEGMENTER)
    saved = get_values(whole.scope, state_shapes(whole.program))
    first = next(name for name, value in saved.items() if value.ndim == 4)
    saved[first] = np.full_like(saved[first], 0.25)
    np.savez(tmp_path / "trained.npz", **saved)
    made = config(SEGMENTER)
    prune = made.prune.model_copy(update={"groups": made.prune.groups[:1]})
    student = made.student.model_copy(update={"program": SEGMENTER})
    taken = []
    monkeypatch.setattr(proof.Proof, "last_bits", lambda self: taken.append(self.forward) or 0.0)
    for weights in (None, str(tmp_path / "trained.npz")):
        ref = student.model_copy(update={"weights": weights})
        report = proof.check_prune(
            made.model_copy(update={"student": ref, "prune": prune}), prove=True
        )
        assert report.passed and report.groups[0].difference <= proof.TOLERANCE
        name = "random weights" if weights is None else f"the weights {weights}"
        assert report.notes == (f"proven with {name}",)
    random, trained = (get_values(one.scope, [first])[first] for one in taken)
    assert np.array_equal(trained, saved[first]) and not np.array_equal(random, trained)


def test_what_paddleslim_fails_on_is_said_and_leaves_the_weights(tmp_path):
    """A learned number in front of the feature that it scales: PaddleSlim asserts another order."""
    import paddle

    import graphprobe
    from graphprobe.training.networks.forward import open_forward
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.cutter import apply_prune

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        x = paddle.static.data("image", [-1, 3, 16, 16])
        x = paddle.static.nn.conv2d(x, 8, 3, bias_attr=False)
        x = paddle.static.create_parameter([1], "float32", name="scale") * x
        paddle.static.nn.conv2d(x, 4, 3, bias_attr=False)
    path = tmp_path / "lab.pdmodel"
    path.write_bytes(main.desc.serialize_to_string())

    found = graphprobe.find_prunable(str(path))
    (said,) = found.emit_warnings("act")
    assert said.startswith("PaddleSlim fails on 1 of 1 filters (first: conv2d_0.w_0)")
    section = found.to_config().prune.model_copy(update={"engine": "paddleslim"})
    forward = open_forward(Networks().source(str(path)))
    before = forward.run()
    with pytest.raises(TrainError, match="PaddleSlim fails on an op that these channels reach"):
        apply_prune(forward.program.clone(), None, forward.scope, section)
    assert (forward.run()[0] == before[0]).all()
