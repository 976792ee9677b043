"""Random networks: what is pruned computes what the masked network computes."""

from __future__ import annotations

import pytest

from graphprobe.pruning.decisions import find_prunable


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_a_cut_network_equals_the_masked_one(start, random_net, prove_cut):
    for seed in range(start, start + 20):
        program = random_net(seed)
        for policy, ratio in (("coupled", 0.5), ("coupled", 0.3), ("seeds", 0.5)):
            proof = prove_cut(program, policy, ratio)
            if proof is not None:
                assert proof.difference < 1e-9, (seed, policy, ratio)
                for group in proof.choice.groups:
                    before, after = proof.plan.channels[group.leader]
                    assert 0 < after < before, (seed, policy, group.leader)


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_each_group_alone_equals_the_masked_network(start, random_net, prove_cut):
    for seed in range(start, start + 50):
        program = random_net(seed)
        for only in range(3):
            proof = prove_cut(program, "coupled", 0.5, only)
            assert proof is None or proof.difference < 1e-9, (seed, only)


@pytest.mark.parametrize("policy", ["seeds", "coupled"])
def test_every_convolution_has_one_row_and_a_reason(policy, random_net):
    for seed in range(200):
        program = random_net(seed)
        convs = [op.id for op in program.ops if "Filter" in op.inputs]
        found = find_prunable(program, policy)
        assert [d.op for d in found.decisions] == convs
        assert not found.unsupported
        for d in found.decisions:
            assert (d.reason is None) == (d.status == "prunable"), (seed, d)
            assert (d.at is None) == (d.status == "prunable"), (seed, d)
