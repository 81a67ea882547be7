"""The log must not break what it tells of."""

import io
import json

from relay.events import Events, logger


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


def test_below_its_level_nothing_is_written():
    stream = io.StringIO()
    Events(logger("json", "error", stream)).recovered(0)
    assert stream.getvalue() == ""
