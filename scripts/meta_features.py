"""Files of `hyperfd-trial describe`, and the extractor G that makes φ of them, for scripts.

    .venv/bin/python scripts/meta_features.py FILE.features… [--sort STATISTIC]

prints what the files say of their data sets: a table of names, numbers of images and statistics, tab-separated.
"""

import argparse
import hashlib
import json
import pathlib
import sqlite3
import sys

import numpy

MAGIC = b"HyperFD features 1\n"
RANKER_MAGICS = b"HyperFD ranker 3\n", b"HyperFD ranker 2\n"  # alike up to G
HEADS = 4


class Features:
    def __init__(self, file):
        content = pathlib.Path(file).read_bytes()
        if not content.startswith(MAGIC):
            raise SystemExit(f"{file}: expected a file of hyperfd-trial describe")
        digest, rest = content[len(MAGIC):].split(b"\n", 1)
        if hashlib.sha256(rest).hexdigest().encode() != digest:
            raise SystemExit(f"{file}: damaged")
        header, numbers = rest.split(b"\n", 1)
        header = json.loads(header)
        self.name = pathlib.Path(file).stem
        self.extractor = header["extractor"]
        self.images = numpy.frombuffer(numbers, "<f2").reshape(header["images"], header["features"]).astype(float)
        self.statistic_names = header["statistic_names"]
        self.statistics = numpy.array(header["statistics"], float)


class Extractor:
    """G, as tuner/ranker/meta_feature_extractor.cpp computes it."""

    def __init__(self, inputs, units, random):
        """`inputs`: what is standardised, features and statistics of all images."""
        def linear(columns, rows):
            bound = columns**-0.5
            return random.uniform(-bound, bound, (rows, columns)), random.uniform(-bound, bound, rows)

        def norm(scale):
            return numpy.full(units, scale), numpy.zeros(units)

        deviation = inputs.std(0)
        self.shift, self.scale = inputs.mean(0), numpy.where(deviation > 1e-6, deviation, 1)
        self.input = linear(inputs.shape[1], units)
        self.attention, self.projection = linear(units, 3 * units), linear(units, units)
        self.hidden, self.output = linear(units, 2 * units), linear(2 * units, units)
        self.first_norm, self.second_norm = norm(1.0), norm(0.1)

    @classmethod
    def of_bundle(cls, file):
        """G of the newest ranker in a store, and its hash of what makes image features (ranking_model_bytes.h has the format)."""
        with sqlite3.connect(f"{pathlib.Path(file).resolve().as_uri()}?mode=ro", uri=True) as store:
            row = store.execute("SELECT model FROM rankers ORDER BY results DESC, version DESC LIMIT 1").fetchone()
        if row is None or not row[0].startswith(RANKER_MAGICS):
            raise SystemExit(f"{file}: holds no ranker that this script can read")
        _, header, weights = row[0][len(RANKER_MAGICS[0]):].split(b"\n", 2)
        header = json.loads(header)
        if header["extractor"] is None or header["node_features"] > 0:
            raise SystemExit(f"{file}: expected a ranker of a space without architectures that has learned from images")
        units, inputs, numbers = header["units"], header["inputs"], header["numbers"]
        encoder = units * inputs + units + units * units + units
        rest = numpy.frombuffer(weights, "<f4")[encoder + units * (1 + len(header["tasks"])) + numbers * (2 + units):].astype(float)

        def take(*shape):
            nonlocal rest
            taken, rest = numpy.split(rest, [int(numpy.prod(shape))])
            return taken.reshape(shape)

        columns = header["extractor"]["image_features"] + header["extractor"]["statistics"]
        extractor = cls.__new__(cls)
        extractor.shift, extractor.scale = take(columns), take(columns)
        extractor.input = take(units, columns), take(units)
        extractor.attention = take(3 * units, units), take(3 * units)
        extractor.projection = take(units, units), take(units)
        extractor.first_norm = take(units), take(units)
        extractor.hidden = take(2 * units, units), take(2 * units)
        extractor.output = take(units, 2 * units), take(units)
        extractor.second_norm = take(units), take(units)
        return extractor, header["extractor"]["frozen"]

    def __call__(self, images, statistics):
        """φ of each sample. images: [..., n, features], statistics: [s]; [..., units]."""
        rows = numpy.broadcast_to(statistics, (*images.shape[:-1], len(statistics)))
        tokens = linear((numpy.concatenate([images, rows], -1) - self.shift) / self.scale, self.input)
        *batch, n, width = tokens.shape
        joint = linear(tokens, self.attention).reshape(*batch, n, 3, HEADS, -1)
        # [..., heads, n, width / heads]
        queries, keys, values = (numpy.swapaxes(joint[..., i, :, :], -3, -2) for i in range(3))
        logits = queries @ numpy.swapaxes(keys, -1, -2) / numpy.sqrt(width // HEADS)
        attention = numpy.exp(logits - logits.max(-1, keepdims=True))
        attention /= attention.sum(-1, keepdims=True)
        mixed = numpy.swapaxes(attention @ values, -3, -2).reshape(*batch, n, width)
        attended = layer_norm(tokens + linear(mixed, self.projection), self.first_norm)
        hidden = numpy.maximum(linear(attended, self.hidden), 0)
        return layer_norm(attended + linear(hidden, self.output), self.second_norm).mean(-2)


def linear(x, weights):
    return x @ weights[0].T + weights[1]


def layer_norm(x, weights):
    x = x - x.mean(-1, keepdims=True)
    return x / numpy.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * weights[0] + weights[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE.features")
    parser.add_argument("--sort", metavar="STATISTIC", help="order by it, upwards; else by name")
    options = parser.parse_args()
    datasets = sorted((Features(file) for file in options.files), key=lambda dataset: dataset.name)
    names = datasets[0].statistic_names
    for dataset in datasets:
        if dataset.statistic_names != names:
            sys.exit(f"{dataset.name}: has other statistics than {datasets[0].name}")
    if options.sort is not None:
        if options.sort not in names:
            sys.exit(f"--sort: expected one of {', '.join(names)}")
        datasets.sort(key=lambda dataset: dataset.statistics[names.index(options.sort)])
    print("name", "images", *names, sep="\t")
    for dataset in datasets:
        print(dataset.name, len(dataset.images), *(f"{number:.4g}" for number in dataset.statistics), sep="\t")


if __name__ == "__main__":
    main()
