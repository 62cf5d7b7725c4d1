"""scripts/bench_peers.py: trials of a table by tuners that do not know what is in it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import bench_peers

ROWS = {bench_peers.canonical({"x": x}): (validation, test) for x, validation, test in [(1, 0.5, 0.9), (2, 0.7, 0.6), (3, 0.6, 0.8)]}


class Peer:
    """Suggests x after x, the last one for ever."""

    def __init__(self, *suggested):
        self.suggested, self.told, self.taken_back = list(suggested), [], 0

    def ask(self, _trial):
        return {"x": self.suggested.pop(0) if len(self.suggested) > 1 else self.suggested[0]}

    def tell(self, _trial, configuration, score):
        self.told.append((configuration["x"], score))

    def take_back(self, _trial):
        self.taken_back += 1


def test_the_best_on_validation_of_so_many_trials():
    peer = Peer(1, 9, 2, 3)
    assert bench_peers.tune(peer, ROWS, 2) == (0.7, 0.6)
    assert peer.told == [(1, 0.5), (2, 0.7)] and peer.taken_back == 1


def test_a_point_suggested_twice_costs_two_trials():
    peer = Peer(1, 1, 2)
    assert bench_peers.tune(peer, ROWS, 2) == (0.5, 0.9)


def test_a_peer_that_finds_nothing_more_has_no_result():
    with pytest.raises(bench_peers.Stuck, match="after 2 trials the next 1000 suggestions are not in the table"):
        bench_peers.tune(Peer(1, 3, 9), ROWS, 3)
