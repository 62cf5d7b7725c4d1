"""Drives a tuner exactly as NNI does: through its own MsgDispatcher with its two worker threads, without a manager."""

import json
import time

import nni
from nni.runtime import msg_dispatcher
from nni.runtime.msg_dispatcher import MsgDispatcher
from nni.runtime.tuner_command_channel import CommandType


class Driver(MsgDispatcher):
    def __init__(self, tuner):
        msg_dispatcher._next_parameter_id = 0
        msg_dispatcher._trial_params.clear()
        super().__init__("ws://_unittest_placeholder_", tuner)
        self.sent = []
        self.default_worker.start()
        self.assessor_worker.start()

    def send(self, command, data):
        self.sent.append((command, data))

    # What the manager would send.

    def initialize(self, space):
        self._command(CommandType.Initialize, space)

    def update_search_space(self, space):
        self._command(CommandType.UpdateSearchSpace, space)

    def request(self, count):
        """{parameter id: parameters} of the trials that this request brought, however many."""
        before = len(self.trials())
        self._command(CommandType.RequestTrialJobs, count)
        self.settle()
        return dict(list(self.trials().items())[before:])

    def final(self, parameter_id, value, job):
        self._command(
            CommandType.ReportMetricData,
            {"parameter_id": parameter_id, "trial_job_id": job, "type": "FINAL", "sequence": 0, "value": nni.dump(value)},
        )

    def end(self, parameter_id, event, job):
        self._command(
            CommandType.TrialEnd,
            {"trial_job_id": job, "event": event, "hyper_params": json.dumps({"parameter_id": parameter_id, "parameters": {}})},
        )

    def import_records(self, records):
        self._command(CommandType.ImportData, records)

    def resume_trials(self, records):
        self._command(CommandType.AddCustomizedTrialJob, records)

    # What it got back.

    def trials(self):
        records = [json.loads(data) for command, data in self.sent if command is CommandType.NewTrialJob]
        return {record["parameter_id"]: record["parameters"] for record in records}

    def errors(self):
        return [data for command, data in self.sent if command is CommandType.Error]

    def no_more(self):
        return sum(command is CommandType.NoMoreTrialJobs for command, _ in self.sent)

    def settle(self):
        """Until every command has been handled; none may have raised."""
        for queue in (self.default_command_queue, self.assessor_command_queue):
            queue.join()
        assert self.worker_exceptions == []

    def terminate(self):
        self.settle()
        self.stopping = True  # the daemon workers see it within their 3 s of polling
        self.tuner._on_exit()

    def process_command(self, command, data):
        queue = self.assessor_command_queue if command is CommandType.TrialEnd else self.default_command_queue
        try:
            super().process_command(command, data)
        finally:
            queue.task_done()

    def _command(self, command, data):
        self.enqueue_command(command, json.loads(json.dumps(data)))


def eventually(condition, seconds=10):
    """Waits for `condition()` to become true; fails the test when it does not."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)
