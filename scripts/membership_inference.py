"""Can a platform tell from φ whether an image is in a data set? Attacks on what `share` and `private` give out.

    .venv/bin/python scripts/membership_inference.py POOL.features [--sizes 100,1000]

Reads a feature file of `hyperfd-trial describe` with some thousand images. A tenth of them are targets; data sets are
drawn from half of the rest, with the target and without; the other half is what the attacker knows beside G's weights
and the target's features. Two attackers:

- the learner sends G as it is when learning begins, with random weights, and decides by the linear discriminant that is
  best on data sets of its own;
- the cheat sends weights made for the target: all images attend to the one that is most like it, and φ points one way
  if that is the target, the other way if not.

`share` answers --rounds orders by φ of two samples of 32 images each; `private` answers 4 by a mean over groups of 8
with the noise that `hyperfd-trial serve-dataset --dry-run` names. "At most" is the best attack on two answers that lie
as far apart as the mechanism lets one image move them. Statistics and the order of images tell nothing here.
"""

import argparse
import math
import os
import pathlib
import re
import statistics
import subprocess

import numpy
from meta_features import Extractor, Features

UNITS, SAMPLE, GROUP, RELEASES = 64, 32, 8, 4
EPSILONS = 1, 4, 16
SOURCE = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = pathlib.Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-trial"
NORMAL = statistics.NormalDist()


class Share:
    name, sample = "`share`", SAMPLE

    def __init__(self, rounds):
        self.rounds = rounds

    def answers(self, extractor, images, constants, random):
        """Rows of φ and φ~, as LocalDatasetClient gives them."""
        size = min(SAMPLE, max(len(images) // 2, 1))
        orders = random.permuted(numpy.tile(numpy.arange(len(images)), (self.rounds, 1)), axis=1)
        return extractor(images[numpy.concatenate([orders[:, :size], orders[:, -size:]])], constants)

    def found(self, answers):
        """How sure the cheat is: the target is in some of the samples only."""
        return along(answers).max()


class Private:
    sample = GROUP

    def __init__(self, epsilon, noise_multiplier):
        self.name, self.noise_multiplier = f"`private`, ε = {epsilon}", noise_multiplier

    def answers(self, extractor, images, constants, random):
        """Rows of φ, as PrivateDataset gives them."""
        groups = len(images) // GROUP
        images = random.permutation(images)[: groups * GROUP].reshape(groups, GROUP, -1)
        features = extractor(images, extractor.shift[images.shape[-1] :])  # G's shifts in place of the statistics
        longest = math.sqrt(UNITS)
        features *= numpy.minimum(1, longest / numpy.linalg.norm(features, axis=1, keepdims=True))
        noise = random.normal(0, self.noise_multiplier * 2 * longest / groups, (RELEASES, UNITS))
        return features.mean(0) + noise

    def found(self, answers):
        return along(answers).mean()

    def at_most(self):
        apart = math.sqrt(RELEASES) / self.noise_multiplier
        return NORMAL.cdf(apart / math.sqrt(2)), NORMAL.cdf(NORMAL.inv_cdf(0.01) + apart)


def along(answers):
    """On the line between the two points that φ of cheat_weights() can be."""
    return (answers[:, 0] - answers[:, 1]) / math.sqrt(2)


def cheat_weights(like, target, known):
    """G that tells whether the target is among its images; standardised as `like`."""
    width, units = len(target), UNITS
    cheat = Extractor.__new__(Extractor)
    cheat.shift, cheat.scale = like.shift, like.scale
    standard = (known - like.shift[:width]) / like.scale[:width]
    centre = standard.mean(0)
    difference = (target - like.shift[:width]) / like.scale[:width] - centre
    direction = numpy.linalg.solve(numpy.cov(standard.T) + 0.1 * numpy.eye(width), difference)
    direction /= direction @ difference  # the target is at 1, others about 0
    threshold = (1 + ((standard - centre) @ direction).max()) / 2

    def zeros(rows, columns=units):
        return numpy.zeros((rows, columns)), numpy.zeros(rows)

    cheat.input = zeros(units, len(like.shift))
    cheat.input[0][0, :width], cheat.input[1][0] = direction, -direction @ centre
    cheat.attention, cheat.projection = zeros(3 * units), zeros(units)
    weights, bias = cheat.attention
    bias[0] = 1  # every query is the same,
    weights[units, 0] = 1000  # so the image with the largest key gets all attention,
    weights[2 * units, 0], bias[2 * units] = 1e4, -1e4 * threshold  # and its value says on which side it is
    cheat.projection[0][:2, 0] = 1, -1
    cheat.hidden, cheat.output = zeros(2 * units), zeros(units, 2 * units)
    cheat.first_norm = cheat.second_norm = numpy.ones(units), numpy.zeros(units)
    return cheat


def effect(extractor, target, known, constants, size, random, samples=400):
    """By how much, on average, φ of so many images moves when one of them becomes the target."""
    images = known[random.integers(len(known), size=(samples, size))]
    without = extractor(images, constants).mean(0)
    images[:, 0] = target
    return extractor(images, constants).mean(0) - without


def attack(level, extractor, constants, targets, members, known, size, draws, random):
    """{attacker: (AUC, true positives at 1 % false ones)}"""
    def data_set(pool):
        return pool[random.integers(len(pool), size=size)]

    own = numpy.array([level.answers(extractor, data_set(known), constants, random).mean(0) for _ in range(4 * UNITS)])
    covariance = numpy.cov(own.T)
    covariance += 1e-3 * numpy.trace(covariance) / UNITS * numpy.eye(UNITS)
    scores = {"learner": ([], []), "cheat": ([], [])}
    for target in targets:
        discriminant = numpy.linalg.solve(covariance, effect(extractor, target, known, constants, level.sample, random))
        centre, spread = (own @ discriminant).mean(), (own @ discriminant).std()
        cheat = cheat_weights(extractor, target, known)
        for is_member in (False, True):
            for _ in range(draws):
                images = data_set(members)
                if is_member:
                    images[0] = target
                answer = level.answers(extractor, images, constants, random).mean(0)
                scores["learner"][is_member].append((answer @ discriminant - centre) / spread)
                scores["cheat"][is_member].append(level.found(level.answers(cheat, images, constants, random)))
    return {name: success(*map(numpy.array, both)) for name, both in scores.items()}


def success(out, inside):
    """(AUC, true positives at 1 % false ones), ties counting half."""
    values = numpy.sort(out)
    below, not_above = numpy.searchsorted(values, inside, "left"), numpy.searchsorted(values, inside, "right")
    threshold = values[len(values) - 1 - len(values) // 100]
    return (below + not_above).mean() / 2 / len(out), (inside > threshold).mean()


def noise_multiplier(features, epsilon):
    command = [PROGRAM, "serve-dataset", "--features", features, "--dry-run", "--privacy", "private"]
    command += ["--epsilon", str(epsilon), "--releases", str(RELEASES), "--group", str(GROUP), "--ledger", os.devnull]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"noise of ([0-9.e+-]+) times", said).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", help="file of hyperfd-trial describe")
    parser.add_argument("--sizes", default="100,1000", help="images of a data set")
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--draws", type=int, default=50, help="data sets with each target, and as many without it")
    parser.add_argument("--rounds", type=int, default=100, help="orders that share answers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = numpy.random.default_rng(options.seed)
    pool = Features(options.features)
    images, constants = random.permutation(pool.images.astype(numpy.float32)), pool.statistics.astype(numpy.float32)
    tenth = len(images) // 10
    targets, members, known = images[: min(options.targets, tenth)], images[tenth : 11 * tenth // 2], images[11 * tenth // 2 :]
    inputs = numpy.hstack([known, numpy.tile(constants, (len(known), 1))])
    extractor = Extractor(inputs, UNITS, random)

    levels = [Share(options.rounds), *(Private(e, noise_multiplier(options.features, e)) for e in EPSILONS)]
    print(f"{len(images)} images; {len(targets) * options.draws} data sets of each kind; AUC (true positives at 1 % false ones)\n")
    print("| | images | the learner | the cheat | at most |\n|---|---|---|---|---|")
    for level in levels:
        for size in map(int, options.sizes.split(",")):
            found = attack(level, extractor, constants, targets, members, known, size, options.draws, random)
            cells = [found["learner"], found["cheat"], level.at_most() if hasattr(level, "at_most") else (1, 1)]
            print(f"| {level.name} | {size:,} | " + " | ".join(f"{auc:.2f} ({hits:.2f})" for auc, hits in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
