"""Files of `hyperfd-trial describe`, and the extractor G that makes φ of them, for scripts."""

import hashlib
import json
import pathlib

import numpy

MAGIC = b"HyperFD features 1\n"
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
        self.statistics = numpy.array(header["statistics"], float)


class Extractor:
    """G, as tuner/ranker/meta_feature_extractor.cpp computes it."""

    def __init__(self, inputs, units, random):
        """`inputs`: what is standardised, features and statistics of all images."""
        def linear(columns, rows):
            bound = columns**-0.5
            return random.uniform(-bound, bound, (rows, columns)), random.uniform(-bound, bound, rows)

        def norm():
            return numpy.ones(units), numpy.zeros(units)

        deviation = inputs.std(0)
        self.shift, self.scale = inputs.mean(0), numpy.where(deviation > 1e-6, deviation, 1)
        self.input = linear(inputs.shape[1], units)
        self.attention, self.projection = linear(units, 3 * units), linear(units, units)
        self.hidden, self.output = linear(units, 2 * units), linear(2 * units, units)
        self.first_norm, self.second_norm = norm(), norm()

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
