"""scripts/membership_inference.py: the attacks find what nothing hides, and the noise hides it."""

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from membership_inference import GROUP, Private, Share, attack, cheat_weights, success  # noqa: E402
from meta_features import Extractor  # noqa: E402

CONSTANTS = numpy.array([3.0])


@pytest.fixture(scope="module")
def world():
    random = numpy.random.default_rng(3)
    images = random.normal(0, 1, (400, 12))
    extractor = Extractor(numpy.hstack([images, numpy.tile(CONSTANTS, (400, 1))]), 64, random)
    return images, extractor, random


def test_the_cheat_sees_the_target_and_moves_a_group_as_far_as_it_can_be_moved(world):
    images, extractor, _ = world
    target, known = images[0], images[200:]
    cheat = cheat_weights(extractor, target, known)
    without, inside = images[1:9], numpy.vstack([images[1:8], target])
    first, second = (cheat(sample, CONSTANTS) for sample in (without, inside))
    assert numpy.linalg.norm(second - first) == pytest.approx(16, rel=1e-3)
    assert second[0] > 0 > first[0]


def test_share_hides_nothing_from_the_cheat_and_noise_does(world):
    images, extractor, random = world
    results = {}
    for level in (Share(30), Private({1: 20.0, 1000: 1e-3})):
        results |= attack(level, extractor, CONSTANTS, images[:3], images[40:220], images[220:], 10 * GROUP, 20, random)
    assert results["`share`"]["cheat"][0] > 0.9
    assert results["`private`, ε = 1000"]["cheat"][0] > 0.9
    assert 0.3 < results["`private`, ε = 1"]["cheat"][0] < 0.7
    assert 0.3 < results["`private`, ε = 1"]["learner"][0] < 0.7


def test_at_most_is_what_two_gaussians_allow():
    auc, hits = Private({1: 2.0}).at_most("`private`, ε = 1")  # four releases: one deviation apart
    assert auc == pytest.approx(0.7602, abs=1e-4) and hits == pytest.approx(0.0924, abs=1e-3)


def test_success_is_the_area_under_the_curve():
    assert success(numpy.array([0.0, 1, 2, 3]), numpy.array([1.0, 4])) == pytest.approx(((1.5 + 4) / 8, 0.5))
