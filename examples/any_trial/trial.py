"""An ordinary NNI trial: a small neural network separates two interleaved spirals. It knows nothing of HyperFD, nor of faces."""

import nni
import numpy as np

EPOCHS = 100
REPORT_EVERY = 20
BATCH = 64


def spirals(points, rng):
    """(points, 2) coordinates and (points,) labels 0 or 1."""
    labels = rng.integers(0, 2, points)
    turn = rng.uniform(0.5, 3.5, points) * np.pi
    angle = turn + labels * np.pi
    coordinates = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 10
    return coordinates + rng.normal(0, 0.03, coordinates.shape), labels


class Network:
    """Two hidden layers of tanh units, one logistic output."""

    def __init__(self, width, rng):
        sizes = [2, width, width, 1]
        self.weights = [rng.normal(0, 1.5 / np.sqrt(a), (a, b)) for a, b in zip(sizes, sizes[1:])]
        self.weights += [np.zeros(b) for b in sizes[1:]]

    def activations(self, inputs):
        layers = [inputs]
        for i in range(2):
            layers.append(np.tanh(layers[-1] @ self.weights[i] + self.weights[3 + i]))
        logits = (layers[-1] @ self.weights[2] + self.weights[5])[:, 0]
        return layers, 1 / (1 + np.exp(-np.clip(logits, -30, 30)))

    def gradients(self, inputs, labels):
        layers, probability = self.activations(inputs)
        error = ((probability - labels) / len(labels))[:, None]
        matrices, biases = [None] * 3, [None] * 3
        for i in (2, 1, 0):
            matrices[i], biases[i] = layers[i].T @ error, error.sum(0)
            error = (error @ self.weights[i].T) * (1 - layers[i] ** 2)
        return matrices + biases


class Optimizer:
    """Stochastic gradient descent with momentum, or Adam."""

    def __init__(self, kind, learning_rate, weight_decay):
        self.kind = kind
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.step = 0
        self.first = self.second = None

    def apply(self, weights, gradients):
        self.step += 1
        if self.first is None:
            self.first = [np.zeros_like(w) for w in weights]
            self.second = [np.zeros_like(w) for w in weights]
        for i, (weight, gradient) in enumerate(zip(weights, gradients)):
            gradient = gradient + self.weight_decay * weight
            if self.kind["_name"] == "sgd":
                self.first[i] = self.kind["momentum"] * self.first[i] + gradient
                weight -= self.learning_rate * self.first[i]
            else:
                beta1, beta2 = self.kind["beta1"], 0.999
                self.first[i] = beta1 * self.first[i] + (1 - beta1) * gradient
                self.second[i] = beta2 * self.second[i] + (1 - beta2) * gradient**2
                mean = self.first[i] / (1 - beta1**self.step)
                variance = self.second[i] / (1 - beta2**self.step)
                weight -= self.learning_rate * mean / (np.sqrt(variance) + 1e-8)


def main():
    parameters = {
        "learning_rate": 0.01,
        "width": 16,
        "weight_decay": 1e-5,
        "optimizer": {"_name": "sgd", "momentum": 0.9},
        **nni.get_next_parameter(),
    }
    rng = np.random.default_rng(0)
    train_inputs, train_labels = spirals(1500, rng)
    test_inputs, test_labels = spirals(1000, rng)
    network = Network(parameters["width"], rng)
    optimizer = Optimizer(parameters["optimizer"], parameters["learning_rate"], parameters["weight_decay"])
    accuracy = 0.0
    for epoch in range(1, EPOCHS + 1):
        order = rng.permutation(len(train_inputs))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            optimizer.apply(network.weights, network.gradients(train_inputs[batch], train_labels[batch]))
        if epoch % REPORT_EVERY == 0:
            _, probability = network.activations(test_inputs)
            accuracy = float(np.mean((probability > 0.5) == test_labels))
            nni.report_intermediate_result(accuracy)
    nni.report_final_result(accuracy)


if __name__ == "__main__":
    main()
