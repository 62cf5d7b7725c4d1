"""The few calls of NNI's REST API that end an experiment."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Optional

TIMEOUT_SECONDS = 10


class NniManager:
    """Methods raise OSError when the manager does not answer, ValueError when its answer is not JSON."""

    def __init__(self, url: str):
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the manager is on this machine

    def trial_jobs(self) -> list:
        return self._call("GET", "/trial-jobs")

    def outcome_of(self, parameter_id: int) -> Optional[str]:
        """How the newest trial with this parameter id ended (``USER_CANCELED`` …), None while it has not. Ids restart at a resume."""
        jobs = [job for job in self.trial_jobs() if _parameter_id(job) == parameter_id]
        newest = max(jobs, key=lambda job: job.get("sequenceId") or 0, default={})
        return newest.get("status") if newest.get("endTime") else None

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


def _parameter_id(job: dict) -> Optional[int]:
    try:
        return json.loads(job["hyperParameters"][-1])["parameter_id"]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
