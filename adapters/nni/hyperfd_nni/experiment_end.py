"""Ends an experiment whose search space is exhausted.

NNI turns a tuner's "no more trials" into the status TUNER_NO_MORE_TRIAL and then waits for ever, unless maxTrialNumber is reached. So when
the last trial has ended, maxTrialNumber becomes the number of trials that there were, and the manager itself ends the experiment: DONE.
"""

from __future__ import annotations

import logging
import threading
from typing import Optional

from .nni_manager import NniManager

_logger = logging.getLogger("hyperfd.experiment_end")

ACTIVE = ("WAITING", "RUNNING", "UNKNOWN")


class ExperimentEnd:
    """Thread-safe. ``manager`` is None when NNI is not there (the tuner class driven by hand): then nothing is ended."""

    def __init__(self, manager: Optional[NniManager]):
        self._manager = manager
        self._lock = threading.Lock()
        self._reason: Optional[str] = None

    @property
    def wanted(self) -> bool:
        return self._reason is not None

    def want(self, reason: str) -> None:
        with self._lock:
            if self._reason is None:
                _logger.info("no more trials: %s. The experiment ends with the last running trial.", reason)
            self._reason = reason

    def cancel(self) -> None:
        """There are configurations again, e.g. because the user widened the search space."""
        with self._lock:
            self._reason = None

    def advance(self, all_ended: bool) -> None:
        """Ends the experiment if that is wanted and every trial has ended. To be called now and then; errors are logged and it is tried again."""
        with self._lock:
            if self._reason is None or self._manager is None or not all_ended:
                return
            try:
                jobs = self._manager.trial_jobs()
                if any(job.get("status") in ACTIVE for job in jobs):
                    return
                self._manager.set_max_trial_number(len(jobs))
            except (OSError, ValueError, KeyError, TypeError) as error:
                _logger.warning("cannot end the experiment yet: %s", error)
                return
            _logger.info("maxTrialNumber is now %d, the number of trials that ran, so that NNI ends the experiment", len(jobs))
            self._reason = None
