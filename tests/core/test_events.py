"""The log must not break what it tells of."""

import io
import json

import pytest

from relay.events import Events
from relay.log import logger


class Broken(io.StringIO):
    """A pipe whose reader is gone, or a full disk."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def test_a_log_that_cannot_be_written_is_no_reason_to_fail():
    """An OSError from the log after the commit made clients send again, and threw answers of the API away."""
    events = Events(logger("json", "debug", Broken()))
    events.recovered(1)
    events.unexpected("test", ValueError("x"))


def test_a_closed_log_is_no_reason_to_fail():
    stream = io.StringIO()
    events = Events(logger("console", "debug", stream))
    stream.close()
    events.recovered(1)


def test_each_line_is_one_json_object_with_its_event():
    stream = io.StringIO()
    Events(logger("json", "info", stream)).store_failed("put", "disk\nfull")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "store_failed"


@pytest.mark.parametrize("text", ["plain", "Ana Pérez", "lone \udce9", "two\u2028lines", 'quote " and \\', 2**70])
def test_whatever_is_told_is_a_line_of_ascii_with_just_that(text):
    stream = io.StringIO()
    Events(logger("json", "info", stream)).store_failed("put", text)
    assert stream.getvalue().isascii()
    (line,) = stream.getvalue().splitlines()
    assert text == json.loads(line)["error"]


def test_a_line_and_its_end_are_one_write():
    """Several processes write to one log: what is written in two goes may be torn."""
    written = []
    stream = io.StringIO()
    stream.write = written.append
    Events(logger("json", "info", stream)).recovered(0)
    assert ["\n"] == [text[-1] for text in written]


def test_outcomes_that_never_happened_are_counted_as_none():
    events = Events(logger("json", "error", io.StringIO()))
    events.call_finished(
        "id",
        account="a",
        provider="dmds",
        function="f",
        seconds=0.1,
        accepted=2,
        refused=0,
        deferred=0,
        reason="",
        batch_id="",
    )
    counted = {
        outcome: events.registry.get_sample_value("relay_recipients_total", {"provider": "dmds", "outcome": outcome})
        for outcome in ("accepted", "refused", "deferred")
    }
    assert {"accepted": 2, "refused": 0, "deferred": 0} == counted


def test_below_its_level_nothing_is_written():
    stream = io.StringIO()
    Events(logger("json", "error", stream)).recovered(0)
    assert stream.getvalue() == ""
