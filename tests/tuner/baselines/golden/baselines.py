"""Reference values for the rivals' tests, by scikit-learn, SciPy and plain NumPy.

python -m venv v && v/bin/pip install scikit-learn==1.9.1 scipy==1.17.1
v/bin/python tests/tuner/baselines/golden/baselines.py > tests/tuner/baselines/golden/baselines.json
"""
import json
import warnings

import numpy as np
from scipy import integrate, optimize, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)


def process(x, y, variance, noise, lengths):
    kernel = ConstantKernel(variance) * Matern(length_scale=lengths, nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(x, y)


def gaussian_process():
    """Two columns share the first length, the third has the second."""
    x = rng.uniform(size=(9, 3))
    y = np.sin(5 * x[:, 0]) + x[:, 2] + 0.1 * rng.normal(size=9)
    y = (y - y.mean()) / y.std()
    points = rng.uniform(size=(4, 3))
    variance, noise, lengths = 1.4, 0.07, [0.6, 0.6, 1.3]
    fitted = process(x, y, variance, noise, lengths)
    mean, covariance = fitted.predict(points, return_cov=True)
    left_out = []
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        m, s = process(x[others], y[others], variance, noise, lengths).predict(x[i : i + 1], return_std=True)
        left_out.append([m[0], s[0] ** 2 + noise])

    def negative_log_posterior(logs):
        v, n, a, b = np.exp(logs) * [1, 0.1, 1, 1]
        prior = -0.5 * np.sum(np.square(logs))
        return -(process(x, y, v, n, [a, a, b]).log_marginal_likelihood_value_ + prior)

    optimum = min(
        optimize.minimize(negative_log_posterior, start, method="L-BFGS-B", bounds=[(-4, 4)] * 4).fun
        for start in ([0, 0, 0, 0], [1, -1, -1, 1], [0, 1, 1, -1], [-1, -2, 0, 0])
    )
    return {
        "inputs": x.tolist(),
        "targets": y.tolist(),
        "points": points.tolist(),
        "variance": variance,
        "noise": noise,
        "lengths": [0.6, 1.3],
        "log_marginal_likelihood": fitted.log_marginal_likelihood_value_,
        "mean": mean.tolist(),
        "covariance": covariance.tolist(),
        "left_out": left_out,
        "best_log_posterior": -optimum,
    }


def expected_improvement():
    cases = []
    for mean, variance, best in [(0.3, 0.5, 0.1), (-1.0, 0.2, 0.4), (2.0, 1e-4, 1.0), (0.0, 1.0, 0.0)]:
        s = np.sqrt(variance)
        value = integrate.quad(lambda f: (f - best) * stats.norm.pdf(f, mean, s), best, mean + 12 * s, limit=500)[0]
        cases.append([mean, variance, best, max(value, 0)])
    return cases


def ranks():
    scores = [0.3, 0.9, 0.3, 0.1, 0.5, 0.9, 0.9]
    relative = (stats.rankdata(-np.array(scores)) - 1) / (len(scores) - 1)
    n = len(scores)
    return {
        "scores": scores,
        "relative": relative.tolist(),
        "normal": stats.norm.ppf(((1 - relative) * (n - 1) + 0.5) / n).tolist(),
    }


def sparse_experience():
    """Tasks × configurations; null where not tried. Mean relative ranks with one more of 1/2."""
    scores = rng.uniform(0.5, 0.9, size=(5, 9)).round(3)
    tried = rng.uniform(size=scores.shape) < 0.6
    sums, counts = np.full(9, 0.5), np.ones(9)
    for row, mask in zip(scores, tried):
        relative = (stats.rankdata(-row[mask]) - 1) / max(mask.sum() - 1, 1)
        sums[mask] += relative
        counts[mask] += 1
    return {
        "scores": [[float(s) if t else None for s, t in zip(*rows)] for rows in zip(scores, tried)],
        "mean_ranks": (sums / counts).tolist(),
    }


def portfolio():
    """Greedy choice of five, from what is best already."""
    utilities = rng.uniform(size=(6, 10))
    best = rng.uniform(0, 0.4, size=6)
    chosen, now = [], best.copy()
    for _ in range(5):
        totals = [np.maximum(now, utilities[:, c]).mean() if c not in chosen else -1 for c in range(10)]
        chosen.append(int(np.argmax(totals)))
        now = np.maximum(now, utilities[:, chosen[-1]])
    return {"utilities": utilities.tolist(), "best": best.tolist(), "chosen": chosen}


def nearest():
    statistics = rng.normal(size=(6, 3)) * [1, 50, 0.01] + [5, 1000, 0]
    own = rng.normal(size=3) * [1, 50, 0.01] + [5, 1000, 0]
    scale = statistics.std(axis=0)
    distances = np.abs((statistics - own) / scale).sum(axis=1)
    return {"statistics": statistics.tolist(), "own": own.tolist(), "order": np.argsort(distances).tolist()}


def rgpe():
    """The second model's median loss is above the 95th percentile of the own model's (the last)."""
    losses = np.stack([rng.integers(0, 8, 41), rng.integers(9, 14, 41), rng.integers(1, 8, 41)]).astype(float)
    used = [m for m in range(3) if m == 2 or np.median(losses[m]) <= np.sort(losses[2])[int(0.95 * 40)]]
    weights = np.zeros(3)
    for sample in losses.T:
        winners = [m for m in used if sample[m] == sample[used].min()]
        weights[winners] += 1 / len(winners) / 41
    return {"losses": losses.tolist(), "weights": weights.tolist()}


def markov():
    """Two clouds of points; the textbook algorithm with matrix powers."""
    points = np.concatenate([rng.normal(0, 0.3, (4, 2)), rng.normal(3, 0.3, (5, 2))])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    similarities = np.exp(-0.5 * distances**2)
    walk = similarities / similarities.sum(axis=0)
    for _ in range(200):
        walk = np.linalg.matrix_power(walk, 2) ** 2
        walk /= walk.sum(axis=0)
    together = [[bool(np.argmax(walk[:, i]) == np.argmax(walk[:, j])) for j in range(9)] for i in range(9)]
    return {"similarities": similarities.tolist(), "together": together}


print(
    json.dumps(
        {
            "gaussian_process": gaussian_process(),
            "expected_improvement": expected_improvement(),
            "ranks": ranks(),
            "sparse_experience": sparse_experience(),
            "portfolio": portfolio(),
            "nearest": nearest(),
            "rgpe": rgpe(),
            "markov": markov(),
        },
        indent=1,
    )
)
