#!/usr/bin/env python3
"""Clusters images by their features, in the nine ways of HyperFD's Appendix B.4 (Table 11).

    cluster_features.py FEATURES.json CLUSTERINGS.json

`hyperfd-trial subsets` starts it. FEATURES is {"seed": 1, "clusters": [2, 3, 5, 7], "sources": [{"name": …, "features":
[[numbers of an image], …]}, …]}; CLUSTERINGS becomes [{"name": "colour_kmeans_k3", "labels": [of each image, -1: none]}, …].
"""

import argparse
import json
import sys
import warnings

import numpy as np
from sklearn.cluster import DBSCAN, AgglomerativeClustering, Birch, KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances

MINIMUM_SAMPLES = 5  # DBSCAN's


def standardise(features):
    """Zero mean and unit deviation, columns that never change left out."""
    features = np.asarray(features, dtype=np.float64)
    deviation = features.std(axis=0)
    kept = deviation > 1e-9
    return (features[:, kept] - features[:, kept].mean(axis=0)) / deviation[kept]


def principal_components(x, count):
    return PCA(n_components=min(count, *x.shape), random_state=0).fit_transform(x)


def tsne(x, seed):
    perplexity = min(30.0, (len(x) - 1) / 3)
    return TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(
        principal_components(x, 20)
    )


def dbscan(x, metric):
    """The paper's eps of 10 fits its features. Here it follows from the data: half of the images are core points."""
    distances = pairwise_distances(x, metric=metric)
    eps = max(np.median(np.sort(distances, axis=1)[:, MINIMUM_SAMPLES - 1]), 1e-9)
    return DBSCAN(eps=eps, min_samples=MINIMUM_SAMPLES, metric="precomputed").fit_predict(distances)


def kmeans(x, k, seed, init="k-means++"):
    return KMeans(k, init=init, max_iter=2000, n_init=1, random_state=seed).fit_predict(x)


def clusterings(features, cluster_counts, seed):
    """Yields (name, labels)."""
    x = standardise(features)
    if x.shape[1] == 0:
        return
    reduced, embedded = principal_components(x, 20), tsne(x, seed)
    yield "dbscan_l2", dbscan(x, "l2")
    yield "dbscan_cosine", dbscan(x, "cosine")
    for k in cluster_counts:
        yield f"kmeans_k{k}", kmeans(x, k, seed)
        yield f"kmeans_random_k{k}", kmeans(x, k, seed, init="random")
        yield f"pca_kmeans_k{k}", kmeans(reduced, k, seed)
        yield f"tsne_kmeans_k{k}", kmeans(embedded, k, seed)
        yield f"agglomerative_k{k}", AgglomerativeClustering(k).fit_predict(x)
        # Ward's linkage, the default, knows Euclidean distances only.
        manhattan = AgglomerativeClustering(k, metric="manhattan", linkage="average")
        yield f"agglomerative_manhattan_k{k}", manhattan.fit_predict(x)
        yield f"birch_k{k}", Birch(n_clusters=k).fit_predict(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features")
    parser.add_argument("clusterings")
    arguments = parser.parse_args()
    with open(arguments.features) as file:
        request = json.load(file)
    warnings.filterwarnings("ignore", module="sklearn")  # fewer clusters than asked for: they are filtered by size
    found = []
    for number, source in enumerate(request["sources"], start=1):
        print(f"clustering by {source['name']} ({number} of {len(request['sources'])})", file=sys.stderr, flush=True)
        for name, labels in clusterings(source["features"], request["clusters"], request["seed"]):
            found.append({"name": f"{source['name']}_{name}", "labels": [int(label) for label in labels]})
    with open(arguments.clusterings, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
