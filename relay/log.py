"""The one log: what a line looks like, and where it goes. What is told in it is decided in `events`."""

import contextlib
import json
import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

import orjson
import structlog

Logger = structlog.stdlib.BoundLogger


def logger(log_format: str, level: str, stream: TextIO | None = None, *, worker: int | None = None) -> Logger:
    """Make the one logger: JSON lines or a console for people, on standard error unless told otherwise.

    `worker`: the number that every line shall carry, where several processes write into one log. A line is one write,
    so that the kernel keeps lines whole: in a file, and up to 4096 bytes in a pipe.
    """
    console = log_format == "console"
    renderer = _console() if console else structlog.processors.JSONRenderer(_json)
    wrapped = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", _Stream(stream or sys.stderr))),  # a line and its end in one write
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if console else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    # Bound once: unbound, each line would make a logger of its own.
    return cast("Logger", wrapped.bind() if worker is None else wrapped.bind(worker=worker))


def _console() -> structlog.dev.ConsoleRenderer:
    # Plain, for a richer traceback shows the variables of every frame: bodies and passwords among them.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _json(line: dict[str, Any], default: Callable[[Any], Any]) -> str:
    """Write a line in ASCII, which every stream and every reader of logs takes."""
    try:
        written = orjson.dumps(line, default=default)
        if written.isascii():
            return written.decode()
    except orjson.JSONEncodeError:  # text that is not Unicode
        pass
    return json.dumps(line, default=default, separators=(",", ":"))


class _Stream:
    """A log that cannot be written must not break what it tells of: the disk may be full, the reader gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write as far as it goes."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as far as it goes."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
