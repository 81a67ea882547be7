"""Whose turn it is, and how long a client may take, by what it is to do next; and what it is told when that is over.

One object for each connection, asked by the door's one timer. Each wait has a limit of its own (RFC 5321 §4.5.3.2), and
two limits go beyond single waits: a message must come with a least rate, and a connection must bring a message at all.
Without them a byte now and then would hold a place for ever.
"""

import math
from collections.abc import Callable
from enum import Enum

from relay.config import ListenerSettings
from relay.outcome import Replies, Reply
from relay.smtp.answers import Farewell

_LINGER_SECONDS = 2.0  # how long the client may take to read the last reply

_SILENT = Farewell(Replies.TIMED_OUT)
_USELESS = Farewell(Replies.NO_MESSAGE, "no message for a long time")
_SLOW = Farewell(Replies.TOO_SLOW, "message came too slowly")
_UNANSWERED = Farewell(Replies.ANSWER_TAKES_LONG, "answer took too long")


class Phase(Enum):
    """Whose turn it is."""

    SECURING = "securing"  # the TLS handshake is under way
    COMMAND = "command"  # the client's: a command
    DATA = "data"  # the client's: more of the message
    STALLED = "stalled"  # nobody's: the message waits for room in memory
    WORKING = "working"  # ours: a login is checked, or a message taken
    CLOSING = "closing"  # the last reply is said
    GONE = "gone"


_COMMAND, _DATA, _STALLED = Phase.COMMAND, Phase.DATA, Phase.STALLED  # an Enum takes its time to find a member


class Deadlines:
    """When patience with one client ends. Times are those of the event loop."""

    __slots__ = (
        "_at",
        "_data_since",
        "_phase",
        "_read_by",
        "_rules",
        "_stalled_since",
        "_time",
        "_useful_at",
        "farewell",
    )

    def __init__(self, rules: ListenerSettings, time: Callable[[], float]) -> None:
        self._rules = rules
        self._time = time
        self._phase = Phase.COMMAND
        self._at = math.inf
        self._read_by = math.inf
        self._useful_at = time()  # when a message was accepted last, or the client came
        self._data_since = self._stalled_since = 0.0
        self.farewell = _SILENT  # what is said when the time is over

    def is_over(self, now: float) -> bool:
        """Tell whether something should have happened by now."""
        return now >= self._at

    def is_unread(self, now: float) -> bool:
        """Tell whether the client has left its replies unread for too long."""
        return now >= self._read_by

    def greeted(self) -> None:
        """Wait for the first command."""
        self._set(self._time() + self._rules.greeting_timeout, _SILENT)

    def turn(self, phase: Phase, size: int = 0, refusal: Reply | None = None) -> None:
        """Wait for what the phase is about.

        Args:
            phase: what is waited for now.
            size: in DATA, bytes that have come of the message; 0: it begins.
            refusal: what will be said of the message, which is read to its end and thrown away; None: it is kept.
        """
        before, self._phase = self._phase, phase
        now = self._time()
        if phase is _COMMAND:
            self._wait_for_command(now)
        elif phase is _DATA:
            # What was waited for room, the client could not help.
            self._data_since = now if not size else self._data_since + self._stalled(before, now)
            self._wait_for_data(now, size)
            self._bound_discarding(refusal)
        elif phase is _STALLED:
            self._stalled_since = now
            self._set(now + self._rules.data_timeout, _SILENT)
        else:  # others have the time in hand, or none is needed
            self._set(now + _LINGER_SECONDS if phase is Phase.CLOSING else math.inf, _SILENT)

    def taken(self) -> None:
        """Let the client wait for the answer to its message, which has come whole."""
        self._set(self._time() + self._rules.final_timeout, _UNANSWERED)

    def accepted(self) -> None:
        """Hear that the message was accepted: the connection is of use."""
        self._useful_at = self._time()
        self._wait_for_command(self._useful_at)

    def blocked(self) -> None:
        """Begin to wait for the client to read its replies."""
        self._read_by = self._time() + self._rules.command_timeout

    def unblocked(self) -> None:
        """Hear that it reads."""
        self._read_by = math.inf

    def _wait_for_command(self, now: float) -> None:
        silent, useless = now + self._rules.command_timeout, self._useful_at + self._rules.message_within
        self._at, self.farewell = (silent, _SILENT) if silent <= useless else (useless, _USELESS)

    def _wait_for_data(self, now: float, size: int) -> None:
        silent, rate = now + self._rules.data_timeout, self._rules.data_least_rate
        slow = self._data_since + self._rules.data_timeout + size / rate if rate else math.inf
        self._set(min(silent, slow), _SILENT if silent <= slow else _SLOW)

    def _bound_discarding(self, refusal: Reply | None) -> None:
        # What is kept is bounded by its size; a BDAT may announce more than could be sent in a lifetime.
        useless = self._useful_at + self._rules.message_within
        if refusal is not None and useless < self._at:
            self._set(useless, Farewell(refusal, "refused message does not end"))

    def _stalled(self, before: Phase, now: float) -> float:
        return now - self._stalled_since if before is Phase.STALLED else 0.0

    def _set(self, at: float, farewell: Farewell) -> None:
        self._at, self.farewell = at, farewell


def shortest_timeout(rules: ListenerSettings) -> float:
    """Return the shortest wait of a listener, in seconds: deadlines must be looked at more often than that."""
    return min(
        rules.greeting_timeout,
        rules.command_timeout,
        rules.data_timeout,
        rules.final_timeout,
        rules.message_within,
    )
