"""Can a platform tell from φ whether an image is in a data set? Attacks on what `share` and `private` give out.

    .venv/bin/python scripts/membership_inference.py POOL.features… [--sizes 100,1000]

Reads feature files of `hyperfd-trial describe`, with some thousand different images together. Some of them are targets;
data sets are drawn from half of the rest, with the target and without; the other half is what the attacker knows beside
G's weights and the target's features. Two attackers:

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
        """{name: rows of φ and φ~}, as LocalDatasetClient gives them."""
        size = min(SAMPLE, max(len(images) // 2, 1))
        orders = random.permuted(numpy.tile(numpy.arange(len(images)), (self.rounds, 1)), axis=1)
        return {self.name: extractor(images[numpy.concatenate([orders[:, :size], orders[:, -size:]])], constants)}

    def found(self, answers):
        """How sure the cheat is: the target is in some of the samples only."""
        return along(answers).max()

    def at_most(self, _):
        return 1, 1


class Private:
    sample = GROUP

    def __init__(self, noise_multipliers):
        self.noise_multipliers = noise_multipliers  # by ε

    def answers(self, extractor, images, constants, random):
        """{name: rows of φ}, as PrivateDataset gives them."""
        groups = len(images) // GROUP
        images = random.permutation(images)[: groups * GROUP].reshape(groups, GROUP, -1)
        features = extractor(images, extractor.shift[images.shape[-1] :])  # G's shifts in place of the statistics
        scale, shift = extractor.second_norm
        longest = math.sqrt(UNITS) * numpy.abs(scale).max() + numpy.linalg.norm(shift)
        mean = (features * numpy.minimum(1, longest / numpy.linalg.norm(features, axis=1, keepdims=True))).mean(0)
        return {
            f"`private`, ε = {epsilon}": mean + random.normal(0, multiplier * 2 * longest / groups, (RELEASES, UNITS))
            for epsilon, multiplier in self.noise_multipliers.items()
        }

    def found(self, answers):
        return along(answers).mean()

    def at_most(self, name):
        apart = math.sqrt(RELEASES) / self.noise_multipliers[int(name.split()[-1])]
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
    """{name: {attacker: (AUC, true positives at 1 % false ones)}}"""
    def answers(g, images):
        return level.answers(g, images, constants, random)

    def data_set(pool):
        return pool[random.integers(len(pool), size=size)]

    own = [answers(extractor, data_set(known)) for _ in range(3 * UNITS)]
    own = {name: numpy.array([answer[name].mean(0) for answer in own]) for name in own[0]}
    scores = {name: {"learner": ([], []), "cheat": ([], [])} for name in own}
    for target in targets:
        moved = effect(extractor, target, known, constants, level.sample, random)
        cheat = cheat_weights(extractor, target, known)
        discriminants = {name: discriminant(rows, moved) for name, rows in own.items()}
        for is_member in (False, True):
            for _ in range(draws):
                images = data_set(members)
                if is_member:
                    images[0] = target
                for name, answer in answers(extractor, images).items():
                    weights, centre = discriminants[name]
                    scores[name]["learner"][is_member].append(answer.mean(0) @ weights - centre)
                for name, answer in answers(cheat, images).items():
                    scores[name]["cheat"][is_member].append(level.found(answer))
    return {name: {who: success(*map(numpy.array, both)) for who, both in of.items()} for name, of in scores.items()}


def discriminant(rows, moved):
    """Weights and offset by which these rows have mean 0 and deviation 1, and rows moved so stand out most."""
    covariance = numpy.cov(rows.T)
    covariance += 1e-3 * numpy.trace(covariance) / UNITS * numpy.eye(UNITS)
    weights = numpy.linalg.solve(covariance, moved)
    weights /= (rows @ weights).std()
    return weights, (rows @ weights).mean()


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
    parser.add_argument("features", nargs="+", help="files of hyperfd-trial describe")
    parser.add_argument("--sizes", default="100,1000", help="images of a data set")
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--draws", type=int, default=50, help="data sets with each target, and as many without it")
    parser.add_argument("--rounds", type=int, default=100, help="orders that share answers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = numpy.random.default_rng(options.seed)
    pool = [Features(file) for file in options.features]
    if len({part.extractor for part in pool}) > 1:
        raise SystemExit("the files are of different extractors; describe them again with the same options")
    images = numpy.unique(numpy.vstack([part.images for part in pool]).astype(numpy.float32), axis=0)
    random.shuffle(images)
    constants = pool[0].statistics.astype(numpy.float32)
    targets, members, known = numpy.split(images, [options.targets, (len(images) + options.targets) // 2])
    extractor = Extractor(numpy.hstack([known, numpy.tile(constants, (len(known), 1))]), UNITS, random)

    private = Private({epsilon: noise_multiplier(options.features[0], epsilon) for epsilon in EPSILONS})
    print(f"{len(images)} images; {len(targets) * options.draws} data sets with a target, and as many without; "
          "AUC (true positives at 1 % false ones)\n")
    print("| | images | the learner | the cheat | at most |\n|---|---|---|---|---|")
    for level in (Share(options.rounds), private):
        for size in map(int, options.sizes.split(",")):
            results = attack(level, extractor, constants, targets, members, known, size, options.draws, random)
            for name, found in results.items():
                pairs = found["learner"], found["cheat"], level.at_most(name)
                cells = [name, f"{size:,}", *(f"{auc:.2f} ({hits:.2f})" for auc, hits in pairs)]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
