"""The clusterings of Appendix B.4: each finds groups that are there, gives scikit-learn's labels, and is reproducible."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering, Birch, KMeans

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "cluster_features.py"


def features_of(groups, size=40, dimensions=6):
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=20, size=(groups, dimensions))
    return np.concatenate([centre + rng.normal(size=(size, dimensions)) for centre in centres])


def cluster(folder, features, clusters=(3,)):
    request, answer = folder / "features.json", folder / "clusterings.json"
    sources = [{"name": "made", "features": np.asarray(features).tolist()}]
    request.write_text(json.dumps({"seed": 1, "clusters": clusters, "sources": sources}))
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, SCRIPT, request, answer], check=True, capture_output=True, env=one_thread)
    return {clustering["name"]: clustering["labels"] for clustering in json.loads(answer.read_text())}


def same_partition(a, b):
    pairs = set(zip(a, b))
    return len(pairs) == len(set(a)) == len(set(b))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    features = features_of(3)
    return features, cluster(tmp_path_factory.mktemp("clusters"), features, (2, 3))


def test_there_are_nine_clusterings_and_those_with_a_number_of_clusters_come_once_for_each(made):
    _, found = made
    assert len(found) == 2 + 7 * 2
    assert all(len(labels) == 120 for labels in found.values())


def test_every_clustering_finds_groups_far_apart(made):
    features, found = made
    truth = np.repeat([0, 1, 2], 40)
    for name, labels in found.items():
        if name.endswith("k3") and "random" not in name:  # one random start may be an unlucky one
            assert same_partition(labels, truth), name
        if name.endswith("k2"):
            assert set(labels) == {0, 1}, name
    core = np.asarray(found["made_dbscan_l2"]) >= 0
    assert core.sum() >= 60
    clusters = [set(np.asarray(found["made_dbscan_l2"])[core & (truth == group)]) for group in range(3)]
    assert all(clusters)
    assert not clusters[0] & clusters[1] and not clusters[0] & clusters[2] and not clusters[1] & clusters[2]


def test_deterministic_algorithms_give_scikit_learns_labels(made):
    features, found = made
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    assert found["made_agglomerative_k2"] == AgglomerativeClustering(2).fit_predict(x).tolist()
    manhattan = AgglomerativeClustering(2, metric="manhattan", linkage="average")
    assert found["made_agglomerative_manhattan_k2"] == manhattan.fit_predict(x).tolist()
    assert found["made_birch_k2"] == Birch(n_clusters=2).fit_predict(x).tolist()
    kmeans = KMeans(3, max_iter=2000, n_init=1, random_state=1)
    assert found["made_kmeans_k3"] == kmeans.fit_predict(x).tolist()


def test_the_same_seed_gives_the_same_labels(made, tmp_path):
    features, found = made
    assert cluster(tmp_path, features, (2, 3)) == found


def test_features_that_never_change_give_no_clustering(tmp_path):
    assert cluster(tmp_path, np.ones((30, 4))) == {}
