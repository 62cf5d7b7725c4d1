"""Reference values for the benchmark's statistics, by SciPy and brute force.

python -m venv v && v/bin/pip install scipy==1.17.1
v/bin/python tests/tuner/bench/golden/bench.py > tests/tuner/bench/golden/bench.json
"""
import itertools
import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(7)


def exact_with_ties(differences):
    """All 2^n signs."""
    differences = np.array([d for d in differences if d != 0])
    ranks = stats.rankdata(np.abs(differences))
    statistic = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    sums = [np.dot(signs, ranks) for signs in itertools.product([0, 1], repeat=len(ranks))]
    return min(1.0, 2 * float(np.mean(np.array(sums) <= statistic + 1e-9)))


def wilcoxon():
    cases = []
    for n, shift in [(20, 0.0), (20, 0.5), (8, 1.0), (50, 0.2)]:
        d = rng.normal(shift, 1, n)
        cases.append({"differences": d.tolist(), "p": stats.wilcoxon(d, method="exact").pvalue})
    d = rng.normal(0.2, 1, 120)
    cases.append({"differences": d.tolist(), "p": stats.wilcoxon(d, method="approx", correction=False).pvalue})
    d = rng.integers(-3, 6, 80).astype(float)
    cases.append({"differences": d.tolist(), "p": stats.wilcoxon(d, method="approx", correction=False).pvalue})
    for _ in range(2):
        d = rng.integers(-3, 5, 12).astype(float)
        cases.append({"differences": d.tolist(), "p": exact_with_ties(d)})
    return cases


def random_search():
    """The mean over all subsets; of equal validation APs any may be the chosen one."""
    validation = [0.5, 0.8, 0.6, 0.8, 0.3, 0.7, 0.6]
    test = rng.uniform(0.3, 0.9, 7).round(3).tolist()
    expectations = []
    for budget in range(1, 8):
        values = []
        for subset in itertools.combinations(range(7), budget):
            top = max(validation[i] for i in subset)
            values.append(np.mean([test[i] for i in range(7) if validation[i] == top]))
        expectations.append(float(np.mean(values)))
    return {"validation": validation, "test": test, "expectations": expectations}


print(json.dumps({"wilcoxon": wilcoxon(), "random_search": random_search()}, indent=1))
