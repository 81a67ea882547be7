"""What a line of the log looks like, for people and for programs."""

import io

import pytest

from relay.events import Events
from relay.log import logger


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_variable(log_format):
    written = io.StringIO()

    def fail(password):
        raise RuntimeError("nobody foresaw this")

    typed = "hunter2"
    try:
        fail(typed)
    except RuntimeError as error:
        Events(logger(log_format, "info", written)).unexpected("test", error)
    assert "nobody foresaw this" in written.getvalue()
    assert "hunter2" not in written.getvalue()
