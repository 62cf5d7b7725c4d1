"""Makes golden.json: what the equations of docs/ranker.md give, computed with numpy and nothing of this project.

    .venv/bin/python tests/tuner/ranker/make_golden.py > tests/tuner/ranker/golden.json
"""
import json
import math

import numpy as np

rng = np.random.default_rng(20220618)


def rounded(x):
    return [float(f'{v:.9g}') for v in np.asarray(x, dtype=float).ravel()]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numerical_gradient(f, x, step=1e-6):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        gradient[i] = (f(up) - f(down)) / (2 * step)
    return gradient


# ---- Relevance and Eq. 6 ----

def relevance_of(scores, quantile, scale):
    low = np.quantile(scores, quantile)
    span = np.max(scores) - low
    return np.zeros(len(scores)) if span <= 0 else np.clip((scores - low) / span, 0, 1) * scale


def dcg(relevance_in_order):
    return sum((2.0 ** r - 1) / math.log2(k + 2) for k, r in enumerate(relevance_in_order))


def ndcg_change(order, relevance, i, j):
    """|NDCG after exchanging i and j in `order` − NDCG|, by doing it."""
    ideal = dcg(sorted(relevance, reverse=True))
    exchanged = [j if k == i else i if k == j else k for k in order]
    return abs(dcg([relevance[k] for k in exchanged]) - dcg([relevance[k] for k in order])) / ideal


def ranking_loss(predictions, relevance, order):
    pairs = [(i, j) for i in range(len(relevance)) for j in range(len(relevance)) if relevance[i] > relevance[j]]
    return -np.mean([ndcg_change(order, relevance, i, j) * np.log(sigmoid(predictions[i] - predictions[j]))
                     for i, j in pairs])


def loss_cases():
    cases = []
    for n in (3, 6, 12):
        scores = np.round(rng.normal(0.8, 0.05, n), 2)  # rounding makes ties
        predictions = rng.normal(0, 1, n)
        relevance = relevance_of(scores, 0.2, 20)
        by_prediction = sorted(range(n), key=lambda k: -predictions[k])
        by_label = sorted(range(n), key=lambda k: relevance[k])
        pairs = [(i, j) for i in range(n) for j in range(n) if relevance[i] > relevance[j]]
        cases.append({
            'scores': rounded(scores), 'predictions': rounded(predictions), 'relevance': rounded(relevance),
            'ranking': ranking_loss(predictions, relevance, by_prediction),
            'ranking_gradient': rounded(numerical_gradient(
                lambda p: ranking_loss(p, relevance, by_prediction), predictions)),
            'ranking_by_label': ranking_loss(predictions, relevance, by_label),
            'pairwise': -np.mean([np.log(sigmoid(predictions[i] - predictions[j])) for i, j in pairs]),
            'mse': np.mean((predictions - relevance / 20) ** 2),
        })
    return cases


# ---- Eq. 7 ----

def triplet_loss(features, twins, margin):
    terms = [max(np.sum((features[i] - twins[i]) ** 2) - np.sum((features[i] - features[j]) ** 2) + margin, 0)
             for i in range(len(twins)) for j in range(len(features)) if i != j]
    return np.mean(terms)


def triplet_case():
    features, twins = rng.normal(0, 0.4, (4, 3)), rng.normal(0, 0.4, (2, 3))
    return {'features': rounded(features), 'twins': rounded(twins), 'loss': triplet_loss(features, twins, 0.5),
            'features_gradient': rounded(numerical_gradient(lambda f: triplet_loss(f, twins, 0.5), features)),
            'twins_gradient': rounded(numerical_gradient(lambda t: triplet_loss(features, t, 0.5), twins))}


# ---- Eqs. 8–10 ----

def synaptic_case():
    """Two tasks of three steps each; weights and unregularised gradients are given."""
    damping, omega_sum, start = 0.1, np.zeros(4), rng.normal(0, 1, 4)
    tasks = []
    for _ in range(2):
        path = [start]
        for _ in range(3):
            path.append(path[-1] + rng.normal(0, 0.3, 4))
        gradients = [rng.normal(0, 1, 4) for _ in path]  # gradients[i] at path[i]
        omega = -sum((path[i] - path[i - 1]) * gradients[i] for i in (1, 2, 3))          # Eq. 8
        before = omega_sum
        omega_sum = before + np.maximum(omega, 0) / ((path[3] - path[0]) ** 2 + damping)  # Eq. 9, see the header
        tasks.append({'path': [rounded(p) for p in path], 'gradients': [rounded(g) for g in gradients],
                      'penalty': float(np.sum(before * (path[3] - path[0]) ** 2)),       # Eq. 10
                      'penalty_gradient': rounded(2 * before * (path[3] - path[0])),
                      'importance': rounded(omega_sum)})
        start = path[3]
    return {'damping': damping, 'tasks': tasks}


# ---- Eq. 4 ----

def transformation_case():
    old = rng.normal(0, 1, (12, 4))
    new = old @ rng.normal(0, 1, (4, 4)) + rng.normal(0, 0.1, (12, 4))
    z = np.linalg.lstsq(old, new, rcond=None)[0].T
    return {'old': rounded(old), 'new': rounded(new), 'z': rounded(z), 'loss': float(np.sum((old @ z.T - new) ** 2))}


# ---- G ----

def layer_norm(x, weight, bias):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def extractor_case():
    image_features, statistics, units, heads, images = 3, 2, 8, 4, 5
    inputs = image_features + statistics
    shapes = [(inputs,), (inputs,), (units, inputs), (units,), (3 * units, units), (3 * units,), (units, units),
              (units,), (units,), (units,), (2 * units, units), (2 * units,), (units, 2 * units), (units,), (units,),
              (units,)]
    weights = [rng.uniform(-1, 1, shape) for shape in shapes]
    weights[1] = rng.uniform(0.5, 2, shapes[1])
    (shift, scale, w_in, b_in, w_qkv, b_qkv, w_out, b_out, g1, c1, w_hidden, b_hidden, w_final, b_final, g2,
     c2) = weights
    pictures, numbers = rng.normal(0, 1, (images, image_features)), rng.normal(0, 1, statistics)
    x = (np.hstack([pictures, np.tile(numbers, (images, 1))]) - shift) / scale
    x = x @ w_in.T + b_in
    queries, keys, values = np.split(x @ w_qkv.T + b_qkv, 3, axis=1)
    width, mixed = units // heads, []
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)
        mixed.append(softmax(queries[:, part] @ keys[:, part].T / math.sqrt(width)) @ values[:, part])
    x = layer_norm(x + np.hstack(mixed) @ w_out.T + b_out, g1, c1)
    x = layer_norm(x + np.maximum(x @ w_hidden.T + b_hidden, 0) @ w_final.T + b_final, g2, c2)
    return {'weights': rounded(np.concatenate([w.ravel() for w in weights])), 'images': rounded(pictures),
            'statistics': rounded(numbers), 'feature': rounded(x.mean(0))}


# ---- GIN ----

def gin_case():
    """A GIN over the whole graph with its two virtual nodes, nothing left out."""
    features, units, sum_scale = 3, 4, 1 / 16
    edges, nodes = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)], rng.normal(0, 1, (4, features))
    virtual = rng.normal(0, 1, (2, features))
    layers = []
    for inputs in (features, units):
        layers.append({'epsilon': rng.uniform(-0.5, 0.5, 1), 'w1': rng.uniform(-1, 1, (units, inputs)),
                       'b1': rng.uniform(-1, 1, units), 'w2': rng.uniform(-1, 1, (units, units)),
                       'b2': rng.uniform(-1, 1, units)})
    w_embed, b_embed = rng.uniform(-1, 1, (units, 2 * units)), rng.uniform(-1, 1, units)
    h, v = nodes, virtual
    for layer in layers:
        near = (1 + layer['epsilon']) * h + v.sum(0)
        for a, b in edges:
            near[b] += h[a]
        above = (1 + layer['epsilon']) * v + sum_scale * h.sum(0)
        mlp = lambda x: np.maximum(x @ layer['w1'].T + layer['b1'], 0) @ layer['w2'].T + layer['b2']  # noqa: E731
        h, v = mlp(near), mlp(above)
    weights = [virtual] + [layer[k] for layer in layers for k in ('epsilon', 'w1', 'b1', 'w2', 'b2')]
    weights += [w_embed, b_embed]
    return {'nodes': rounded(nodes), 'edges': edges, 'weights': rounded(np.concatenate([w.ravel() for w in weights])),
            'embedding': rounded(w_embed @ v.ravel() + b_embed)}


print(json.dumps({'losses': loss_cases(), 'triplet': triplet_case(), 'synaptic': synaptic_case(),
                  'transformation': transformation_case(), 'extractor': extractor_case(), 'gin': gin_case()},
                 indent=1))
