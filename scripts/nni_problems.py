"""Ordinary tuning problems for bench_nni.py: scikit-learn models, cross-validated on the data sets that come with it.

Each has a search space in NNI's format and two data sets: the one that is tuned, and another on which experience is gained before; or
else experience comes from half of the rows of the first ("digits/half", drawn once). An
evaluation is a true 3-fold cross-validation, with folds and models from fixed seeds: the same configuration gives the same value, so it is
computed once and kept in a local file of evaluations."""

import json
import sqlite3
import time
import warnings
from dataclasses import dataclass
from typing import Callable

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC

FOLDS = 3


def uniform(low, high):
    return {"_type": "uniform", "_value": [low, high]}


def loguniform(low, high):
    return {"_type": "loguniform", "_value": [low, high]}


def quniform(low, high, q):
    return {"_type": "quniform", "_value": [low, high, q]}


def randint(low, high):
    return {"_type": "randint", "_value": [low, high]}


def choice(*values):
    return {"_type": "choice", "_value": list(values)}


def boosting(c):
    return HistGradientBoostingClassifier(
        learning_rate=c["learning_rate"], max_iter=int(c["max_iter"]), max_leaf_nodes=c["max_leaf_nodes"],
        min_samples_leaf=c["min_samples_leaf"], l2_regularization=c["l2_regularization"], max_features=c["max_features"],
        early_stopping=False, random_state=0)


def support_vectors(c):
    kernel = c["kernel"]
    scaler = {"none": FunctionTransformer(), "standard": StandardScaler(), "range": MinMaxScaler()}[c["scaling"]]
    of_kernel = {key: value for key, value in kernel.items() if key != "_name"}
    return make_pipeline(scaler, SVC(C=c["C"], kernel=kernel["_name"], max_iter=10000, **of_kernel))


def regression(c):
    model = c["model"]
    if model["_name"] == "forest":
        model = RandomForestRegressor(
            n_estimators=int(model["trees"]), max_depth=model["max_depth"], max_features=model["max_features"],
            min_samples_leaf=model["min_samples_leaf"], random_state=0)
    elif model["_name"] == "network":
        model = MLPRegressor(
            hidden_layer_sizes=(int(model["hidden"]),), alpha=model["alpha"], learning_rate_init=model["learning_rate"],
            activation=model["activation"], max_iter=60, random_state=0)
    else:
        kernel = {"kernel": "rbf", "gamma": model["gamma"]} if model["_name"] == "kernel_ridge" else {"kernel": "linear"}
        model = KernelRidge(alpha=model["alpha"], **kernel)
    return make_pipeline(StandardScaler(), model)


def scaled_target(data):
    images, target = data
    return images, (target - target.mean()) / target.std()


DATA = {
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "diabetes": lambda: scaled_target(load_diabetes(return_X_y=True)),
    "friedman1": lambda: scaled_target(make_friedman1(n_samples=400, noise=1.0, random_state=0)),  # made up
}


@dataclass(frozen=True)
class Problem:
    title: str
    data: str    # what is tuned
    other: str   # where experience comes from
    space: dict
    model: Callable
    scoring: str
    measure: str
    minimize: bool


PROBLEMS = {
    "boosting": Problem(
        "gradient boosting", "breast_cancer", "wine",
        {"learning_rate": loguniform(0.01, 1), "max_iter": quniform(10, 100, 10), "max_leaf_nodes": randint(2, 33),
         "min_samples_leaf": randint(1, 61), "l2_regularization": loguniform(0.0001, 100), "max_features": uniform(0.1, 1)},
        boosting, "neg_log_loss", "log loss", True),
    "svm": Problem(
        "support vector machine", "digits", "breast_cancer",
        {"scaling": choice("none", "standard", "range"), "C": loguniform(0.01, 1000),
         "kernel": choice({"_name": "linear"}, {"_name": "rbf", "gamma": loguniform(0.00001, 10)},
                          {"_name": "poly", "degree": randint(2, 5), "gamma": loguniform(0.00001, 10), "coef0": uniform(0, 1)})},
        support_vectors, "accuracy", "accuracy", False),
    "regression": Problem(
        "choice of a regression model", "diabetes", "friedman1",
        {"model": choice(
            {"_name": "ridge", "alpha": loguniform(0.001, 1000)},
            {"_name": "kernel_ridge", "alpha": loguniform(0.001, 1000), "gamma": loguniform(0.0001, 10)},
            {"_name": "forest", "trees": quniform(10, 60, 10), "max_depth": randint(2, 13), "max_features": uniform(0.1, 1),
             "min_samples_leaf": randint(1, 21)},
            {"_name": "network", "hidden": quniform(8, 64, 8), "alpha": loguniform(0.00001, 10),
             "learning_rate": loguniform(0.0001, 0.1), "activation": choice("relu", "tanh")})},
        regression, "neg_root_mean_squared_error", "RMSE in standard deviations", True),
}


class Evaluations:
    """Values of configurations, computed when they are first asked for. Several processes may share the file."""

    def __init__(self, file):
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, timeout=60, isolation_level=None)
        self._database.execute("CREATE TABLE IF NOT EXISTS evaluations (problem, data, configuration, value, seconds,"
                               " PRIMARY KEY (problem, data, configuration))")
        self._data = {}

    def value(self, name, data, configuration):
        key = (name, data, json.dumps(configuration, sort_keys=True))
        known = self._database.execute(
            "SELECT value FROM evaluations WHERE problem = ? AND data = ? AND configuration = ?", key).fetchone()
        if known:
            return known[0]
        start = time.perf_counter()
        value = self._evaluate(PROBLEMS[name], data, configuration)
        self._database.execute("INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?, ?)", (*key, value, time.perf_counter() - start))
        return value

    def _evaluate(self, problem, data, configuration):
        if data not in self._data:
            whole, _, half = data.partition("/")
            inputs, targets = DATA[whole]()
            rows = np.random.default_rng(0).permutation(len(targets))[: len(targets) // 2] if half else slice(None)
            self._data[data] = inputs[rows], targets[rows]
        inputs, targets = self._data[data]
        folds = (KFold if problem.scoring.endswith("error") else StratifiedKFold)(FOLDS, shuffle=True, random_state=0)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of models that did not converge: their value says so
            values = cross_val_score(problem.model(configuration), inputs, targets, cv=folds, scoring=problem.scoring)
        return float(values.mean()) * (-1 if problem.minimize else 1)
