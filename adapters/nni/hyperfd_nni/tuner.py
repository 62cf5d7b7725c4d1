"""``tuner: {name: HyperFD}``: the class that NNI loads.

NNI hangs silently when a tuner raises, so nothing here does. What goes wrong is logged; a mistake of the user ends the experiment with
its message (status ERROR); everything else is worked around.
"""

from __future__ import annotations

import functools
import logging
import threading
from typing import Any, Callable, List, Optional

from nni.tuner import Tuner

from .class_args import read_class_args
from .client import TunerRefused
from .experiment_end import ExperimentEnd
from .nni_context import read_nni_context
from .nni_manager import NniManager
from .session import Session

_logger = logging.getLogger("hyperfd.tuner")


def _never_raises(method: Callable) -> Callable:
    @functools.wraps(method)
    def guarded(self, *arguments: Any, **keywords: Any) -> Any:
        try:
            return method(self, *arguments, **keywords)
        except Exception:
            _logger.exception("%s failed; the experiment goes on without it", method.__name__)
            return None

    return guarded


class HyperFDTuner(Tuner):
    """Constructor keywords are ``classArgs`` of the experiment; see ``class_args.py``.

    NNI calls from two threads: trial_end beside all the rest. Nothing is connected before the search space arrives.
    """

    def __init__(self, **class_args: Any):
        super().__init__()
        self._lock = threading.RLock()
        self._session: Optional[Session] = None
        self._unmet: List[int] = []  # ids that NNI asked for when there was nothing to suggest; it does not ask again
        self._send_trial: Optional[Callable] = None
        self._accept_customized_trials()
        self._settings, problems = read_class_args(class_args)
        self._fatal = "; ".join(problems)
        if self._fatal:
            _logger.error("%s", self._fatal)
        self._context = read_nni_context()
        url = self._context.manager_url
        self._manager = NniManager(url) if url else None
        self._experiment_end = ExperimentEnd(self._manager)

    @_never_raises
    def update_search_space(self, search_space: dict) -> None:
        self._open()
        if self._session is None:
            return
        self._session.set_space(search_space)
        self._experiment_end.cancel()
        self._serve_unmet()

    def generate_multiple_parameters(self, parameter_id_list: List[int], st_callback: Optional[Callable] = None, **_: Any) -> list:
        try:
            return self._generate(list(parameter_id_list), st_callback)
        except (TunerRefused, ValueError) as error:
            self._fatal = str(error)
        except Exception as error:
            _logger.exception("no configuration could be made")
            self._fatal = f"HyperFD: {error!r}; the traceback is in dispatcher.log"
        self._report_fatal(st_callback)
        return []

    def generate_parameters(self, parameter_id: int, **keywords: Any) -> Any:
        """Only NNI's multi-phase experiments call this; NNI expects None when there is nothing left."""
        parameters = self.generate_multiple_parameters([parameter_id], st_callback=keywords.get("st_callback"))
        return parameters[0] if parameters else None

    @_never_raises
    def receive_trial_result(self, parameter_id: Optional[int], parameters: Any, value: Any, **keywords: Any) -> None:
        if self._session is not None:
            self._session.result(parameter_id, parameters, value, keywords.get("trial_job_id") or "")

    @_never_raises
    def trial_end(self, parameter_id: Optional[int], success: bool, **_: Any) -> None:
        if self._session is not None:
            self._session.end(parameter_id, "SUCCEEDED" if success else self._unsuccessful_outcome(parameter_id))

    @_never_raises
    def import_data(self, data: List[dict]) -> None:
        if self._session is not None:
            self._session.import_results(data)

    @_never_raises
    def load_checkpoint(self) -> None:
        """NNI calls this at a resume, perhaps while update_search_space runs. The journals in the checkpoint folder are the state."""
        self._open()

    @_never_raises
    def save_checkpoint(self) -> None:
        """Nothing to do: every event is on disk when it has been handled."""

    @_never_raises
    def _on_exit(self) -> None:
        if self._session is not None:
            self._session.close()

    _on_error = _on_exit

    def _open(self) -> None:
        with self._lock:
            if self._session is None and not self._fatal:
                try:
                    self._session = Session(self._settings, self._context, self._tick)
                except (ValueError, OSError) as error:
                    self._fatal = str(error)
                    _logger.error("%s", error)

    def _generate(self, parameter_ids: List[int], send_trial: Optional[Callable]) -> list:
        self._send_trial = send_trial
        if self._fatal or self._session is None:
            self._fatal = self._fatal or "HyperFD was asked for configurations before it got a search space"
            self._report_fatal(send_trial)
            return []
        suggestions, reason = self._session.suggest(parameter_ids)
        if len(suggestions) < len(parameter_ids):
            self._unmet += parameter_ids[len(suggestions) :]
            self._experiment_end.want(reason)
        return [parameters for _, parameters in suggestions]

    def _serve_unmet(self) -> None:
        """After a change of the search space: NNI still has free slots for these ids, and takes a trial at any time."""
        if not self._unmet or self._send_trial is None:
            return
        suggestions, reason = self._session.suggest(self._unmet)
        self._unmet = self._unmet[len(suggestions) :]
        if self._unmet:
            self._experiment_end.want(reason)
        for parameter_id, parameters in suggestions:
            self._send_trial(parameter_id, parameters)

    def _unsuccessful_outcome(self, parameter_id: Optional[int]) -> str:
        """NNI tells a tuner only that a trial did not succeed; its manager knows whether it failed or was stopped."""
        try:
            outcome = self._manager.outcome_of(parameter_id) if self._manager and parameter_id is not None else None
        except (OSError, ValueError) as error:
            _logger.warning("NNI's manager does not say how trial %s ended (%s); it counts as failed", parameter_id, error)
            outcome = None
        return outcome if outcome in ("USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED") else "FAILED"

    def _tick(self) -> None:
        if self._experiment_end.wanted:
            self._experiment_end.advance(self._session.trials.all_ended(self._session.run))

    def _report_fatal(self, send_trial: Optional[Callable]) -> None:
        """Ends the experiment with status ERROR and the message in nnimanager.log."""
        _logger.error("%s", self._fatal)
        dispatcher = getattr(send_trial, "__self__", None)  # NNI gives a tuner no other way to its dispatcher
        if dispatcher is None:
            return
        try:
            dispatcher.report_error(self._fatal)
        except Exception:
            _logger.exception("the error could not be reported to NNI")
