"""What this adapter knows of every configuration it handed to NNI, over all runs of the experiment."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from .journal import Journal
from .plain import fingerprint

Key = Tuple[str, Optional[int]]  # NNI restarts its parameter ids when an experiment is resumed: an id counts within its run


@dataclass
class Trial:
    run: str
    parameter_id: int
    parameters: Any
    tuner_id: int  # the id under which the tuner knows it
    job: str = ""  # NNI's trial_job_id, known from the result on
    has_result: bool = False
    ended: bool = False


class TrialBook:
    """Trials by (run, parameter id), written to a journal at every event. Thread-safe."""

    def __init__(self, journal: Journal):
        self._journal = journal
        self._lock = threading.Lock()
        self._trials: Dict[Key, Trial] = {}
        self._jobs_with_result = set()
        for record in journal.records:
            self._apply(record)

    def suggested(self, run: str, parameter_id: int, parameters: Any, tuner_id: int) -> None:
        self._write({"suggested": [run, parameter_id, parameters, tuner_id]})

    def result(self, trial: Trial, job: str) -> None:
        self._write({"result": [trial.run, trial.parameter_id, job]})

    def ended(self, trial: Trial) -> None:
        self._write({"ended": [trial.run, trial.parameter_id]})

    def find(self, run: str, parameter_id: int) -> Optional[Trial]:
        with self._lock:
            return self._trials.get((run, parameter_id))

    def job_has_result(self, job: Optional[str]) -> bool:
        with self._lock:
            return bool(job) and job in self._jobs_with_result

    def unfinished_before(self, run: str, parameters: Any) -> Optional[Trial]:
        """A trial of an earlier run that has these parameters and neither a result nor an end: NNI runs it again after a resume."""
        wanted = fingerprint(parameters)
        with self._lock:
            for trial in self._trials.values():
                if trial.run != run and not trial.has_result and not trial.ended and fingerprint(trial.parameters) == wanted:
                    return trial
        return None

    def all_ended(self, run: str) -> bool:
        with self._lock:
            return all(trial.ended for trial in self._trials.values() if trial.run == run)

    def configurations(self) -> List[Any]:
        with self._lock:
            return [trial.parameters for trial in self._trials.values()]

    def close(self) -> None:
        with self._lock:
            self._journal.close()

    def _write(self, record: Dict[str, Any]) -> None:
        with self._lock:
            self._journal.append(record)
            self._apply(record)

    def _apply(self, record: Dict[str, Any]) -> None:
        if "suggested" in record:
            run, parameter_id, parameters, tuner_id = record["suggested"]
            self._trials[run, parameter_id] = Trial(run, parameter_id, parameters, tuner_id)
        elif "result" in record:
            run, parameter_id, job = record["result"]
            trial = self._trials.get((run, parameter_id))
            if trial is not None:
                trial.has_result = True
                trial.job = job
                self._jobs_with_result.add(job)
        elif "ended" in record:
            run, parameter_id = record["ended"]
            trial = self._trials.get((run, parameter_id))
            if trial is not None:
                trial.ended = True
