"""Samples of hyperfd-tuner against NNI's own: the same distributions, the same answers to the bit, the same shape."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import nni
import numpy
import pytest
import yaml
from nni.algorithms.hpo.random_tuner import RandomTuner, suggest
from nni.common.hpo_utils import deformat_parameters, format_parameters, format_search_space, validate_search_space
from scipy import stats

SOURCE = Path(__file__).resolve().parents[3]
TUNER = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-tuner"
DRAWS = 5000
# Both sides' seeds are fixed, so a test passes always or never. Of right samplers one in fifty would fail
# one of the twenty comparisons.
SIGNIFICANCE = 1e-3

CONTINUOUS = {
    "uniform": [-2, 3],
    "loguniform": [1e-4, 0.1],
    "normal": [10, 2],
    "lognormal": [1, 0.5],
}
DISCRETE = {
    "choice": ["a", 1, 2.5, True, None, [1, 2], {"k": 3}],
    "randint": [-3, 5],
    "quniform": [1, 10, 2],
    "qloguniform": [0.1, 20, 1],
    "qnormal": [1, 2, 0.5],
    "qlognormal": [0, 1, 1],
}
NESTED = {
    "layer": {
        "_type": "choice",
        "_value": [
            {
                "_name": "conv",
                "kernel": {"_type": "choice", "_value": [1, 3, 5]},
                "eps": {"_type": "loguniform", "_value": [1e-5, 0.1]},
            },
            {"_name": "dense", "units": {"_type": "randint", "_value": [16, 24]}, "dropout": {"_type": "quniform", "_value": [0, 0.5, 0.1]}},
            {"_name": "skip"},
        ],
    },
    "lr": {"_type": "uniform", "_value": [0, 1]},
}


def our_samples(space, folder, seed=1, draws=DRAWS):
    file = folder / "space.json"
    file.write_text(json.dumps(space))
    command = [str(TUNER), "space", str(file), "--sample", str(draws), "--seed", str(seed), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["samples"]


def nni_samples(space, seed=1, draws=DRAWS):
    """As NNI's Random tuner draws, without its rejection of repetitions."""
    rng = numpy.random.default_rng(seed)
    formatted = format_search_space(space)
    return [deformat_parameters(suggest(rng, formatted), formatted) for _ in range(draws)]


def assert_same_distribution(ours, theirs):
    """Kolmogorov and Smirnov's test for numbers that hardly repeat, χ² for the rest."""
    counts = [Counter(json.dumps(value) for value in values) for values in (ours, theirs)]
    distinct = set(counts[0]) | set(counts[1])
    if len(distinct) > 1000:
        assert stats.ks_2samp(ours, theirs).pvalue > SIGNIFICANCE
        return
    frequent = [value for value in distinct if counts[0][value] + counts[1][value] >= 20]
    rare = [sum(count[value] for value in distinct if value not in frequent) for count in counts]
    table = numpy.array([[count[value] for value in frequent] for count in counts])
    if sum(rare) >= 20:
        table = numpy.column_stack([table, rare])
    assert set(frequent) <= set(counts[0]) & set(counts[1]), "values that only one side draws"
    assert stats.chi2_contingency(table).pvalue > SIGNIFICANCE


def shape(value):
    """Keys in their order, types of the leaves, and which branch."""
    if isinstance(value, dict):
        return tuple((key, item if key == "_name" else shape(item)) for key, item in value.items())
    return type(value).__name__


@pytest.mark.parametrize("type_, arguments", [*CONTINUOUS.items(), *DISCRETE.items()])
def test_every_type_has_nnis_distribution(type_, arguments, tmp_path):
    space = {"x": {"_type": type_, "_value": arguments}}
    ours, theirs = ([sample["x"] for sample in samples] for samples in (our_samples(space, tmp_path), nni_samples(space)))
    assert (len(set(map(json.dumps, ours))) > 1000) == (type_ in CONTINUOUS)
    assert_same_distribution(ours, theirs)


def test_an_option_that_is_listed_twice_is_drawn_twice_as_often(tmp_path):
    space = {"x": {"_type": "choice", "_value": ["a", "b", "a"]}}
    ours, theirs = ([sample["x"] for sample in samples] for samples in (our_samples(space, tmp_path), nni_samples(space)))
    assert_same_distribution(ours, theirs)


def test_nested_choices_activate_and_are_distributed_as_nnis(tmp_path):
    ours, theirs = our_samples(NESTED, tmp_path), nni_samples(NESTED)
    assert_same_distribution([sample["layer"]["_name"] for sample in ours], [sample["layer"]["_name"] for sample in theirs])

    def inside(samples, *keys):
        values = []
        for sample in samples:
            for key in keys:
                sample = sample.get(key) if sample is not None else None
            if sample is not None:
                values.append(sample)
        return values

    for keys in [("layer", "kernel"), ("layer", "eps"), ("layer", "units"), ("layer", "dropout"), ("lr",)]:
        assert_same_distribution(inside(ours, *keys), inside(theirs, *keys))


def test_answers_have_the_shape_of_the_random_tuners(tmp_path):
    space = {**NESTED, **{name: {"_type": name, "_value": value} for name, value in {**CONTINUOUS, **DISCRETE}.items()}}
    tuner = RandomTuner(seed=2)
    tuner.update_search_space(space)
    theirs = {shape(json.loads(nni.dump(tuner.generate_parameters(i)))) for i in range(2000)}
    assert {shape(sample) for sample in our_samples(space, tmp_path, draws=2000)} == theirs


def test_choices_within_nested_choices_have_the_same_shape(tmp_path):
    """NNI's Random tuner fails on these (KeyError) when it draws a branch without the inner choice, so the shapes are written out."""
    inner = {"_type": "choice", "_value": [{"_name": "batch", "eps": {"_type": "uniform", "_value": [0, 1]}}, {"_name": "none"}]}
    space = {"layer": {"_type": "choice", "_value": [{"_name": "conv", "norm": inner}, {"_name": "skip"}]}}
    assert {shape(sample) for sample in our_samples(space, tmp_path, draws=100)} == {
        (("layer", (("_name", "conv"), ("norm", (("_name", "batch"), ("eps", "float"))))),),
        (("layer", (("_name", "conv"), ("norm", (("_name", "none"),)))),),
        (("layer", (("_name", "skip"),)),),
    }


SPACES = [file for file in sorted((SOURCE / "search_spaces").glob("*.yaml")) if ".hyperfd" not in file.name]


@pytest.mark.parametrize("file", SPACES, ids=lambda file: file.stem)
def test_nni_takes_our_files_and_understands_our_answers(file, tmp_path):
    space = yaml.safe_load(file.read_text())  # what NNI reads it with
    assert validate_search_space(space)
    formatted = format_search_space(space)
    for sample in our_samples(space, tmp_path, draws=200):
        assert shape(deformat_parameters(format_parameters(sample, formatted), formatted)) == shape(sample)
