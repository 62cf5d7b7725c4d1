"""Writes privacy_golden.json: epsilon of composed Gaussian mechanisms by dp-accounting's RDP accountant.

    pip install dp-accounting==0.6.0 && python make_privacy_golden.py

Orders lie close together, so that the accountant's minimum over them is the minimum.
"""

import json
from pathlib import Path

import numpy as np
from dp_accounting import dp_event
from dp_accounting.rdp import RdpAccountant

ORDERS = list(1 + np.geomspace(1e-4, 1e5, 4000))


def epsilon(mechanisms, delta):
    accountant = RdpAccountant(ORDERS)
    for noise_multiplier, times in mechanisms:
        accountant.compose(dp_event.GaussianDpEvent(noise_multiplier), times)
    return accountant.get_epsilon(delta)


def main():
    cases = []
    for noise_multiplier in (0.5, 1, 2, 4, 8, 16, 32, 64):
        for times in (1, 4, 16, 64, 256):
            for delta in (1e-3, 1e-5, 1e-7):
                cases.append({"mechanisms": [[noise_multiplier, times]], "delta": delta})
    for mechanisms in ([[1, 1], [3, 10]], [[20, 50], [10, 4], [2, 1]], [[100, 1000], [5, 2]]):
        cases.append({"mechanisms": mechanisms, "delta": 1e-6})
    for case in cases:
        case["epsilon"] = float(epsilon(case["mechanisms"], case["delta"]))
    text = ",\n".join(json.dumps(case) for case in cases)
    Path(__file__).with_name("privacy_golden.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
