"""Files that survive a kill at any byte."""

import json
import time

import pytest

from hyperfd_nni.client import Reply, TunerAway, TunerRefused
from hyperfd_nni.journal import Journal
from hyperfd_nni.outbox import INTERNAL_RETRIES, Outbox
from hyperfd_nni.trial_book import TrialBook


def in_a_minute():
    return time.monotonic() + 60


def test_a_line_torn_at_any_byte_is_dropped_and_the_next_one_is_whole(tmp_path):
    whole = b'{"n":1}\n'
    line = b'{"n":"zwei \xc3\xa9"}\n'
    for cut in range(len(line)):
        file = tmp_path / f"torn{cut}"
        file.write_bytes(whole + line[:cut])
        journal = Journal(file)
        assert journal.records == [{"n": 1}]
        journal.append({"n": 3})
        journal.close()
        assert [json.loads(text) for text in file.read_text().splitlines()] == [{"n": 1}, {"n": 3}]


def test_lines_that_are_not_records_are_skipped_and_named(tmp_path, caplog):
    file = tmp_path / "journal"
    file.write_bytes(b'{"n":1}\nnonsense\n[1]\n{"n":2}\n')
    assert Journal(file).records == [{"n": 1}, {"n": 2}]
    assert f"{file}:2" in caplog.text and f"{file}:3" in caplog.text


def test_outbox_delivers_in_order_and_remembers_over_restarts(tmp_path):
    file = tmp_path / "outbox"
    sent = []

    def send(message, deadline):
        if message.body["n"] == 2:
            raise TunerAway("gone")
        sent.append(message)
        return Reply("OK", {})

    first = Outbox(Journal(file), "run1")
    for n in range(4):
        first.add("ME", {"run": "run1", "n": n})
    with pytest.raises(TunerAway):
        first.deliver(send, in_a_minute())
    assert [message.body["n"] for message in sent] == [0, 1]

    second = Outbox(Journal(file), "run2")
    second.add("ME", {"run": "run2", "n": 4})
    again = []
    second.deliver(lambda message, deadline: again.append(message) or Reply("OK", {}), in_a_minute())
    assert [message.body["n"] for message in again] == [2, 3, 4]
    assert len({message.request for message in sent + again}) == 5
    assert len(Outbox(Journal(file), "run3")) == 0


def test_outbox_remembers_whether_its_messages_stay(tmp_path):
    file = tmp_path / "outbox"
    first = Outbox(Journal(file), "run1")
    assert first.stays is None
    first.mark(stays=True)
    first.add("TE", {"run": "run1"})
    assert Outbox(Journal(file), "run2").stays is True


def test_outbox_sets_a_refused_message_aside_after_enough_attempts(tmp_path, caplog):
    outbox = Outbox(Journal(tmp_path / "outbox"), "run")
    for n in range(3):
        outbox.add("ME", {"run": "run", "n": n})
    attempts = []

    def send(message, deadline):
        attempts.append(message.body["n"])
        if message.body["n"] == 0:
            raise TunerRefused("internal", "it broke")
        if message.body["n"] == 1:
            raise TunerRefused("input", "no such id")
        return Reply("OK", {"warning": "not a number"})

    for _ in range(INTERNAL_RETRIES - 1):
        with pytest.raises(TunerAway):
            outbox.deliver(send, in_a_minute())
    outbox.deliver(send, in_a_minute())
    assert attempts == [0] * INTERNAL_RETRIES + [1, 2]
    assert len(outbox) == 0
    assert all(text in caplog.text for text in ("it broke", "no such id", "not a number"))


def test_outbox_waits_for_a_store_that_is_full_as_long_as_it_takes(tmp_path):
    outbox = Outbox(Journal(tmp_path / "outbox"), "run")
    outbox.add("ME", {"run": "run"})

    def refuse(message, deadline):
        raise TunerRefused("store", "disk full")

    for _ in range(20):
        with pytest.raises(TunerAway, match="disk full"):
            outbox.deliver(refuse, in_a_minute())
    outbox.deliver(lambda message, deadline: Reply("OK", {}), in_a_minute())
    assert len(outbox) == 0


def test_trial_book_knows_its_trials_after_a_restart(tmp_path):
    file = tmp_path / "trials"
    book = TrialBook(Journal(file))
    for i in range(3):
        book.suggested("run1", i, {"x": float(i)}, i)
    book.result(book.find("run1", 0), "job0")
    book.ended(book.find("run1", 1))

    again = TrialBook(Journal(file))
    assert again.find("run1", 0).has_result and again.find("run1", 1).ended and not again.find("run1", 2).ended
    assert again.job_has_result("job0") and not again.job_has_result("job1") and not again.job_has_result(None)
    assert again.unfinished_before("run2", {"x": 2}).parameter_id == 2  # NNI's manager writes 2.0 as 2
    assert again.unfinished_before("run2", {"x": 0}) is None
    assert again.unfinished_before("run1", {"x": 2}) is None
    assert not again.all_ended("run1") and again.all_ended("run2")
