"""The few calls of NNI's REST API that end an experiment."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 10


class NniManager:
    """Methods raise OSError when the manager does not answer, ValueError when its answer is not JSON."""

    def __init__(self, url: str):
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the manager is on this machine

    def trial_jobs(self) -> list:
        return self._call("GET", "/trial-jobs")

    def set_max_trial_number(self, number: int) -> None:
        profile = self._call("GET", "/experiment")
        profile["params"]["maxTrialNumber"] = number
        self._call("PUT", "/experiment?update_type=MAX_TRIAL_NUM", profile)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            text = response.read().decode()
        return json.loads(text) if text else None
