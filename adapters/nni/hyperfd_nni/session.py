"""An experiment as the adapter lives it: suggestions in, results out, with the tuner or without."""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any, Callable, List, Optional, Tuple

import nni

from .annotation import read_annotation
from .client import Client, TunerAway, TunerRefused
from .courier import Courier
from .class_args import Settings
from .curve_keys import read_client_keys, read_server_key
from .dataset_program import DatasetProgram
from .embedded import BUNDLE, EmbeddedTuner, default_store
from .fallback import FallbackSampler
from .journal import Journal
from .nni_context import NniContext
from .outbox import Outbox
from .plain import plain, to_json
from .pulled import PulledTuner
from .trial_book import TrialBook
from .tuner_link import IntroductionRefused, TunerLink

_logger = logging.getLogger("hyperfd.session")

OUTBOX_FILE = "hyperfd-outbox.jsonl"
TRIALS_FILE = "hyperfd-trials.jsonl"
RETRY_SECONDS = 1.0
SHORT_PATIENCE = 1.0  # seconds for a tuner that is already known to be away
FAREWELL_SECONDS = 5.0
RECORDS_PER_MESSAGE = 500  # keeps an import below the frame limit

# Configurations sampled here are known to the tuner under ids of their own: for NNI's id it may have committed a configuration
# of its own, in an answer that was lost.
FIRST_FALLBACK_ID = 1_000_000_000

Suggestion = Tuple[int, Any]  # (NNI's parameter id, parameters)


class Session:
    """One life of the tuner process within an experiment (a *run*). Thread-safe.

    Everything that is told to the tuner is on disk in ``context.checkpoint`` first, so neither a kill of this process nor an absent
    tuner loses it. Raises what is the user's mistake only: IntroductionRefused, ValueError.
    """

    def __init__(self, settings: Settings, context: NniContext, on_tick: Callable[[], None] = lambda: None):
        self.experiment = context.experiment
        self.run = uuid.uuid4().hex
        self._settings = settings
        self._max_trial_number = context.max_trial_number
        self._annotation = read_annotation(settings.space, context)
        self._space: Optional[dict] = None
        self._sampler: Optional[FallbackSampler] = None
        self._trouble_since: Optional[float] = None  # time.monotonic() of the first of the requests for suggestions that failed in a row
        self.trials = TrialBook(Journal(context.checkpoint / TRIALS_FILE))
        self.outbox = Outbox(Journal(context.checkpoint / OUTBOX_FILE), self.run)
        self.outbox.mark(stays=settings.is_local)
        self._dataset = None if settings.dataset is None else DatasetProgram(settings, context, tuner_endpoint(settings))
        self._link = TunerLink(connect(settings), self.experiment, self.outbox.introduction)
        self._courier = Courier(self._link, self.outbox, on_tick)

    def set_space(self, space: dict) -> None:
        """The first search space starts the conversation with the tuner (in the background); a later one replaces it."""
        first = self._space is None
        self._space = space
        self._sampler = None
        if not first:
            self._tell("SS", {"run": self.run, "space": to_json(space)})
            return
        introduction = {
            "run": self.run,
            "space": to_json(space),
            "optimize_mode": self._settings.optimize_mode,
            "budget": self._max_trial_number if self._settings.budget is None else self._settings.budget,
            "policy": self._settings.policy,
            "seed": self._settings.seed,
        }
        if self._annotation is not None:
            introduction["annotation"] = to_json(self._annotation)
        if self._settings.meta_features:
            numbers = sorted(self._settings.meta_features.items())
            introduction["meta_features"] = [{"name": name, "value": value} for name, value in numbers]
        self._tell("IN", introduction)
        self._courier.start()
        if self._dataset is not None:
            self._dataset.start()

    def suggest(self, parameter_ids: List[int]) -> Tuple[List[Suggestion], str]:
        """Configurations for the ids, in their order, and why there are fewer than asked ("" if there are not).

        After ``fallback_after`` seconds without the tuner they are random ones. Raises TunerRefused for what will never be answered.
        """
        try:
            suggestions, reason = self._ask_tuner(parameter_ids)
            sampled = False
        except (TunerAway, TunerRefused) as error:
            if not _is_temporary(error):
                raise  # a space or its constraints, say: random configurations would go on without them
            _logger.warning("%s; %d configuration(s) are sampled at random instead", error, len(parameter_ids))
            suggestions, reason = self._sample(parameter_ids)
            sampled = True
        for parameter_id, parameters in suggestions:
            self.trials.suggested(self.run, parameter_id, parameters, _tuner_id(parameter_id, sampled))
        if sampled and suggestions:
            records = [{"parameter_id": _tuner_id(i, sampled), "parameters": to_json(parameters)} for i, parameters in suggestions]
            self._tell("AD", {"run": self.run, "records": records})
        return suggestions, reason

    def result(self, parameter_id: Optional[int], parameters: Any, value: Any, job: str) -> None:
        trial = None if parameter_id is None else self.trials.find(self.run, parameter_id)
        if trial is None:
            self._customized_result(parameters, value, job)
        elif trial.has_result:
            _logger.info("trial %s reported a second final result for parameter id %s; the first one counts", job, parameter_id)
        else:
            self._tell("ME", self._metric(trial.run, trial.tuner_id, job, value, trial.parameters))
            self.trials.result(trial, job)

    def end(self, parameter_id: Optional[int], outcome: str) -> None:
        trial = None if parameter_id is None else self.trials.find(self.run, parameter_id)
        if trial is None or trial.ended:
            _logger.debug("end of a trial that this run did not suggest or that has ended already: %s", parameter_id)
            return
        self._tell_end(trial, outcome)

    def import_results(self, records: List[dict]) -> None:
        """Results from elsewhere, or of an earlier run. What the own journal knows already is left out."""
        new = []
        for record in records:
            parameters, value, job = record.get("parameter"), record.get("value"), record.get("trialJobId")
            if self.trials.job_has_result(job):
                continue
            # NNI reports a trial that it runs again after a resume in this way: one record, without a job.
            rerun = self.trials.unfinished_before(self.run, parameters) if job is None and len(records) == 1 else None
            if rerun is not None:
                self._tell("ME", self._metric(rerun.run, rerun.tuner_id, "", value, rerun.parameters))
                self.trials.result(rerun, "")
                self._tell_end(rerun, "SUCCEEDED")
            elif parameters and value is not None:
                new.append({"parameters": to_json(parameters), "value": to_json(value)})
        for start in range(0, len(new), RECORDS_PER_MESSAGE):
            self._tell("FD", {"run": self.run, "records": new[start : start + RECORDS_PER_MESSAGE]})
        if records:
            _logger.info("%d imported result(s), %d of them new", len(records), len(new))

    def close(self) -> None:
        """The run ends. What cannot be delivered within seconds stays on disk."""
        if self._space is not None:
            self._tell("TE", {"run": self.run})
        self._courier.stop()
        if len(self.outbox):
            try:
                self._courier.deliver(time.monotonic() + FAREWELL_SECONDS)
            except (TunerAway, TunerRefused) as error:
                _logger.error(
                    "%s; %d message(s) are kept. They are delivered when the experiment is resumed, or by `hyperfd-nni deliver`",
                    error, len(self.outbox),
                )
        self._link.close()
        self.outbox.close()
        self.trials.close()

    def _ask_tuner(self, parameter_ids: List[int]) -> Tuple[List[Suggestion], str]:
        """Raises TunerAway after ``fallback_after`` seconds of trouble, IntroductionRefused, or TunerRefused."""
        if self._dataset is not None:
            self._dataset.wait()  # the tuner is not to blame for it
        deadline = self._patience()
        request = self.outbox.next_request()
        while True:
            try:
                answer = self._ask_tuner_once(parameter_ids, request, deadline)
                self._trouble_since = None
                return answer
            except (TunerAway, TunerRefused) as error:
                temporary = _is_temporary(error)
                if temporary and self._trouble_since is None:
                    self._trouble_since = time.monotonic()
                if not temporary or time.monotonic() + RETRY_SECONDS >= deadline:
                    raise
                time.sleep(RETRY_SECONDS)

    def _ask_tuner_once(self, parameter_ids: List[int], request: str, deadline: float) -> Tuple[List[Suggestion], str]:
        self._courier.deliver(deadline)  # the suggestions shall know every result
        reply = self._link.ask("GE", {"run": self.run, "parameter_ids": parameter_ids}, request, deadline)
        if reply.type == "NO":
            return [], str(reply.body.get("reason", ""))
        try:
            parameters = {trial["parameter_id"]: json.loads(trial["parameters"]) for trial in reply.body["trials"]}
        except (KeyError, TypeError, ValueError) as error:
            raise TunerAway(f"the tuner answered GE with {reply.type} and a body that cannot be read ({error!r})") from error
        suggestions = [(i, parameters[i]) for i in parameter_ids if i in parameters]
        return suggestions, "" if len(suggestions) == len(parameter_ids) else "the search space is exhausted"

    def _patience(self) -> float:
        now = time.monotonic()
        since = [moment for moment in (self._link.away_since, self._trouble_since) if moment is not None]
        if not since:
            return now + self._settings.fallback_after
        return max(min(since) + self._settings.fallback_after, now + SHORT_PATIENCE)

    def _sample(self, parameter_ids: List[int]) -> Tuple[List[Suggestion], str]:
        if self._sampler is None:
            seed = int(self.run[:8], 16)
            self._sampler = FallbackSampler(self._space or {}, seed, self.trials.configurations())
        suggestions: List[Suggestion] = []
        try:
            for parameter_id in parameter_ids:
                suggestions.append((parameter_id, plain(self._sampler.sample())))
        except nni.NoMoreTrialError:
            return suggestions, "the search space is exhausted"
        return suggestions, ""

    def _customized_result(self, parameters: Any, value: Any, job: str) -> None:
        if not isinstance(parameters, dict) or not parameters:
            _logger.warning("trial %s reported a result for a configuration that is not known; it cannot be used", job)
            return
        self._tell("ME", self._metric(self.run, None, job, value, parameters))

    def _metric(self, run: str, tuner_id: Optional[int], job: str, value: Any, parameters: Any) -> dict:
        return {
            "run": run,
            "parameter_id": tuner_id,
            "trial_job_id": job,
            "kind": "FINAL",
            "sequence": 0,
            "value": to_json(value),
            "parameters": to_json(parameters),  # redundant, unless the tuner's store was removed meanwhile
        }

    def _tell_end(self, trial, outcome: str) -> None:
        body = {"run": trial.run, "parameter_id": trial.tuner_id, "trial_job_id": trial.job, "outcome": outcome}
        self._tell("EN", body)
        self.trials.ended(trial)

    def _tell(self, kind: str, body: dict) -> None:
        self.outbox.add(kind, body)
        self._courier.notify()


def _is_temporary(error: Exception) -> bool:
    """The same request may be answered later."""
    return isinstance(error, TunerAway) or (isinstance(error, TunerRefused) and error.code in ("store", "internal", "limit"))


def _tuner_id(parameter_id: int, sampled: bool) -> int:
    return FIRST_FALLBACK_ID + parameter_id if sampled else parameter_id


def tuner_endpoint(settings: Settings) -> str:
    """Raises PermissionError when the folder of the sockets is not ours."""
    return EmbeddedTuner(settings.store or default_store()).endpoint if settings.is_local else str(settings.endpoint)


def connect(settings: Settings) -> Client:
    """A client for the tuner that the settings name: one elsewhere, or the one on this machine, which is started when needed.

    Raises ValueError when a key file cannot be used, PermissionError when the folder of the sockets is not ours.
    """
    if not settings.is_local:
        return _platform(settings)
    store = settings.store or default_store()
    if settings.pulls:
        tuner: EmbeddedTuner = PulledTuner(store, _platform(settings))
    else:
        tuner = EmbeddedTuner(store, bundle=settings.bundle or BUNDLE)
    return Client(tuner.endpoint, before_attempt=tuner.ensure)


def _platform(settings: Settings) -> Client:
    if settings.server_key is None:
        return Client(settings.endpoint)
    return Client(settings.endpoint, read_server_key(settings.server_key), read_client_keys(settings.client_key))
