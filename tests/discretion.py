"""No log shows what nobody may see: the whole run is watched, and a leak in any test fails it.

Passwords, tokens, API keys, subjects and bodies of the tests hold a canary. It is looked for, as it is and in base64
(AUTH PLAIN, HTTP Basic, encoded parts), in the log of every gateway that ran as a process, in every line that the
gateway's own log wrote in this process, and in what all other loggers said, aiosmtpd's and aiohttp's included, at every
level.
"""

import base64
import logging
from collections.abc import Generator
from pathlib import Path

import pytest

#: Stands in everything that is secret in a test.
CANARY = "nobody-logs-this-canary"

_SHOWN = 300  # characters of a line that are shown when it leaks


def _forms(text: str) -> tuple[str, ...]:
    """List how a text may look within a log: plain, and in base64 wherever it begins within three bytes."""
    forms = [text]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        forms.append(encoded[-(-before * 4 // 3) + (before > 0) : -2])  # the ends hang on what stands beside it
    return tuple(forms)


_FORMS = _forms(CANARY)


def leaks(text: str) -> list[str]:
    """Return the lines that show a canary."""
    if not any(form in text for form in _FORMS):
        return []
    return [line[:_SHOWN] for line in text.splitlines() if any(form in line for form in _FORMS)]


class Watch(logging.Handler):
    """Reads along, and remembers only what should not have been written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []
        self.files: set[Path] = set()
        self.current = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Read what a logger of this process says."""
        self.read(f"{record.name}: {record.getMessage()}")

    def read(self, text: str) -> None:
        """Read a piece of a log."""
        self.found += [f"{self.current}: {line}" for line in leaks(text)]

    def conclude(self) -> list[str]:
        """Read the files too, and tell everything that was found."""
        for file in sorted(self.files):
            if file.exists():
                self.current = str(file)
                self.read(file.read_text(encoding="utf-8", errors="replace"))
        return self.found


_WATCH = Watch()


def watch_file(file: Path) -> None:
    """Have a log file read when the run is over."""
    _WATCH.files.add(file)


def _listen_to_events(watch: Watch) -> None:
    from relay.log import _Stream  # noqa: PLC0415 - the coverage must be running before the gateway is loaded

    write = _Stream.write

    def overheard(self: _Stream, text: str) -> int:
        watch.read(text)
        return write(self, text)

    _Stream.write = overheard  # type: ignore[method-assign] # whatever stream a test gives, the line passes here


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to read along."""
    logging.getLogger().addHandler(_WATCH)
    logging.getLogger().setLevel(logging.DEBUG)
    _listen_to_events(_WATCH)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know whose lines are read."""
    _WATCH.current = item.nodeid
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for what was found."""
    found = _WATCH.conclude()
    if found:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        for line in ["", "a log shows what nobody may see:", *found[:20]]:
            reporter.write_line(line, red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
