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
    # Algorithm 1's way: 20 steps of Adam from the identity, and 20 more, with the moments kept, when the new features have moved.
    moved, sgd, by_sgd = new + 0.3, np.eye(4), []
    first, second, steps = np.zeros((4, 4)), np.zeros((4, 4)), 0
    for target in (new, moved):
        for _ in range(20):
            gradient = sum(2 * np.outer(sgd @ x - y, x) for x, y in zip(old, target))
            steps += 1
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient ** 2
            sgd = sgd - 0.05 * (first / (1 - 0.9 ** steps)) / (np.sqrt(second / (1 - 0.999 ** steps)) + 1e-8)
        by_sgd.append(rounded(sgd))
    return {'old': rounded(old), 'new': rounded(new), 'z': rounded(z), 'loss': float(np.sum((old @ z.T - new) ** 2)), 'moved': rounded(moved),
            'sgd': by_sgd}


# ---- G ----

def layer_norm(x, weight, bias):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def extractor_shapes(inputs, units):
    return [(inputs,), (inputs,), (units, inputs), (units,), (3 * units, units), (3 * units,), (units, units), (units,), (units,), (units,),
            (2 * units, units), (2 * units,), (units, 2 * units), (units,), (units,), (units,)]


def extract(weights, pictures, numbers):
    (shift, scale, w_in, b_in, w_qkv, b_qkv, w_out, b_out, g1, c1, w_hidden, b_hidden, w_final, b_final, g2, c2) = weights
    heads, units = 4, len(b_in)
    x = (np.hstack([pictures, np.tile(numbers, (len(pictures), 1))]) - shift) / scale
    x = x @ w_in.T + b_in
    queries, keys, values = np.split(x @ w_qkv.T + b_qkv, 3, axis=1)
    width, mixed = units // heads, []
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)
        mixed.append(softmax(queries[:, part] @ keys[:, part].T / math.sqrt(width)) @ values[:, part])
    x = layer_norm(x + np.hstack(mixed) @ w_out.T + b_out, g1, c1)
    x = layer_norm(x + np.maximum(x @ w_hidden.T + b_hidden, 0) @ w_final.T + b_final, g2, c2)
    return x.mean(0)


def extractor_case():
    image_features, statistics, units, images = 3, 2, 8, 5
    shapes = extractor_shapes(image_features + statistics, units)
    weights = [rng.uniform(-1, 1, shape) for shape in shapes]
    weights[1] = rng.uniform(0.5, 2, shapes[1])
    pictures, numbers = rng.normal(0, 1, (images, image_features)), rng.normal(0, 1, statistics)
    return {'weights': rounded(np.concatenate([w.ravel() for w in weights])), 'images': rounded(pictures),
            'statistics': rounded(numbers), 'feature': rounded(extract(weights, pictures, numbers))}


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


# ---- A whole update: Eqs. 1, 3, 5, 11 ----

def update_case():
    """Some iterations on two offline tasks, a current one and a past one, by numerical gradients of Eq. 11 and Adam. A batch holds all
    tasks; a data set always answers with the same pictures, the first half for φ, the second for φ~."""
    units, flat, pictures_features, count = 4, 3, 3, 2
    options = {'deviation_penalty': 0.05, 'image_penalty': 0.03, 'triplet_weight': 0.4, 'triplet_margin': 0.5, 'si_weight': 0.7,
               'si_damping': 0.1, 'learning_rate': 0.01, 'iterations': 4}
    quantile, scale = 0.2, 6
    tasks = []
    for name, role, results in (('a', 'offline', 6), ('b', 'offline', 5), ('new', 'current', 4), ('old', 'past', 5)):
        encodings, scores = rng.normal(0, 1, (results, flat)), np.round(rng.normal(0.8, 0.05, results), 2)
        tasks.append({'name': name, 'role': role, 'encodings': encodings, 'scores': scores, 'pictures': rng.normal(0, 1, (2, 3, pictures_features)),
                      'image_statistics': rng.normal(0, 1, count), 'numbers': rng.normal(3, 2, count)})
    shapes = {'encoder': [(units, flat), (units,), (units, units), (units,)], 'mean': [(units,)], 'deviations': [(len(tasks), units)],
              'map': [(units, count)], 'extractor': extractor_shapes(pictures_features + count, units)}
    weights = {part: [rng.uniform(-1, 1, shape) for shape in some] for part, some in shapes.items()}
    weights['deviations'][0][:], weights['map'][0][:] = 0, 0  # as an update finds them
    weights['extractor'][1] = rng.uniform(0.5, 2, shapes['extractor'][1])
    z, stored = rng.normal(0, 1, (units, units)), rng.normal(0, 0.5, units)
    held = weights['extractor'][2:] + weights['encoder']
    importance = [rng.uniform(0, 1, w.shape) for w in held]
    case = {'options': options, 'z': rounded(z), 'stored': rounded(stored),
            'importance': [rounded(w) for w in importance],
            'tasks': [{k: v if isinstance(v, str) else rounded(v) for k, v in task.items()} for task in tasks],
            'before': {part: rounded(np.concatenate([w.ravel() for w in some])) for part, some in weights.items()}}

    numbers = np.array([task['numbers'] for task in tasks])
    numbers = np.clip((numbers - numbers.mean(0)) / numbers.std(0), -2, 2)
    live = [t for t, task in enumerate(tasks) if task['role'] != 'past']

    def image_feature(t, half=0):  # Eq. 3
        if t not in live:
            return z @ stored
        return extract(weights['extractor'], tasks[t]['pictures'][half], tasks[t]['image_statistics'])

    def score(t, encodings, deviation):  # Eq. 1
        w1, b1, w2, b2 = weights['encoder']
        feature = weights['mean'][0] + deviation + weights['map'][0] @ numbers[t] + image_feature(t)
        return (np.maximum(encodings @ w1.T + b1, 0) @ w2.T + b2) @ feature

    def loss():  # Eq. 11 less its last term
        total = options['deviation_penalty'] * np.sum(weights['map'][0] ** 2)
        for t, task in enumerate(tasks):
            deviation = weights['deviations'][0][t]
            predictions, relevance = score(t, task['encodings'], deviation), relevance_of(task['scores'], quantile, scale)
            order = sorted(range(len(relevance)), key=lambda k: -predictions[k])
            total += (ranking_loss(predictions, relevance, order) + options['deviation_penalty'] * np.sum(deviation ** 2)) / len(tasks)
        features = np.array([image_feature(t) for t in live] + [image_feature(t) for t in range(len(tasks)) if t not in live])
        total += options['image_penalty'] * np.mean(np.sum(features[:len(live)] ** 2, 1))
        twins = np.array([image_feature(t, 1) for t in live])
        return total + options['triplet_weight'] * triplet_loss(features, twins, options['triplet_margin'])

    def gradient_of(tensor):
        result = np.zeros_like(tensor)
        for i in np.ndindex(tensor.shape):
            kept, step = tensor[i], 1e-6
            tensor[i] = kept + step
            up = loss()
            tensor[i] = kept - step
            result[i] = (up - loss()) / (2 * step)
            tensor[i] = kept
        return result

    learned = held + weights['mean'] + weights['deviations'] + weights['map']
    start, omega = [w.copy() for w in held], [np.zeros_like(w) for w in held]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in learned]
    last = [w.copy() for w in held]
    for iteration in range(options['iterations'] + 1):
        gradients = [gradient_of(w) for w in learned]
        for k, w in enumerate(held):
            omega[k] -= (w - last[k]) * gradients[k]                                      # Eq. 8
            last[k] = w.copy()
        if iteration == options['iterations']:
            break
        for k, w in enumerate(held):
            gradients[k] = gradients[k] + options['si_weight'] * 2 * importance[k] * (w - start[k])  # Eq. 11's last term, of Eq. 10
        for k, w in enumerate(learned):
            first, second = moments[k]
            first = 0.9 * first + 0.1 * gradients[k]
            second = 0.999 * second + 0.001 * gradients[k] ** 2
            moments[k] = first, second
            corrected = first / (1 - 0.9 ** (iteration + 1)), second / (1 - 0.999 ** (iteration + 1))
            w -= options['learning_rate'] * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    case['after'] = {part: rounded(np.concatenate([w.ravel() for w in some])) for part, some in weights.items()}
    case['importance_after'] = [rounded(importance[k] + np.maximum(omega[k], 0) / ((w - start[k]) ** 2 + options['si_damping']))
                                for k, w in enumerate(held)]                              # Eq. 9
    case['feature_after'] = rounded(image_feature(2))
    # A ranking is of what is known of the data set. What the task's own results say beyond that is the posterior's.
    scores = score(2, tasks[0]['encodings'], 0)
    case['scores_after'] = rounded(scores - scores[0])
    return case


print(json.dumps({'losses': loss_cases(), 'triplet': triplet_case(), 'synaptic': synaptic_case(),
                  'transformation': transformation_case(), 'extractor': extractor_case(), 'gin': gin_case(), 'update': update_case()},
                 indent=1))
