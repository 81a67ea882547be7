"""Every API call in order, in memory and, where asked for, in a file that survives a kill."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import orjson

from relay.sandbox.document import JsonValue, plain, weight
from relay.sandbox.mail import Mail
from relay.sandbox.mailroom import Shelf


class Delivery(StrEnum):
    """Whether the caller got the answer."""

    PENDING = "pending"  # it is not out yet
    SENT = "sent"  # it was handed to the network
    CUT = "cut"  # the sandbox closed the connection instead, as a fault asked
    LOST = "lost"  # the caller was gone


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an API."""

    id: int
    time: float  # seconds since the epoch
    api: str
    function: str  # in the vendor's spelling; as called where unknown
    method: str
    path: str  # still percent-encoded
    user: str  # who called, never the secret
    status: int  # HTTP status answered; 0: none, the connection was cut
    document: JsonValue  # as understood, attachments' contents replaced; None: none, or dropped because it is old
    remarks: tuple[str, ...]  # assumed and unknown keys, oddities
    recipients: tuple[str, ...]  # addresses the API took
    error: str = ""  # what the API answered instead of taking it
    fault: str = ""  # kind of the fault that was applied
    answer: Delivery = Delivery.PENDING


class JournalFile:
    """JSON lines that are on disk once `write` has returned. Callers that come together share one sync."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sandbox-journal")
        self._lock = asyncio.Lock()
        self._waiting: list[bytes] = []
        self._failed = False

    async def write(self, line: Mapping[str, object]) -> None:
        """Append one line and sync.

        Raises:
            OSError: it may not be on disk; nor can any later line be.
        """
        self.note(line)
        # Whoever holds the lock writes for all that wait; the others find nothing left, or the next group.
        async with self._lock:
            lines, self._waiting = self._waiting, []
            if lines:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._append, lines)
            if self._failed:
                raise OSError(f"the journal cannot be written: {self._file.name}")

    def note(self, line: Mapping[str, object]) -> None:
        """Append one line with the next that is synced, or at the end."""
        self._waiting.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Write what waits and close the file."""
        self._executor.submit(self._append, self._waiting)
        self._executor.shutdown()
        self._file.close()

    def _append(self, lines: list[bytes]) -> None:
        data = memoryview(b"".join(lines))
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:
            # Told to everybody who waited for this group, not only to the one that wrote it.
            self._failed = True


class Journal:
    """The calls: the newest are kept, all are counted."""

    def __init__(self, file: JournalFile | None, *, keep_bodies: int, keep_body_bytes: int, keep_calls: int) -> None:
        self._file = file
        self._calls: OrderedDict[int, Call] = OrderedDict()
        self._shelf = Shelf(keep_bodies, keep_body_bytes)
        self._keep_calls = keep_calls
        self._last_id = 0
        self.counts: dict[str, int] = {"mensatek": 0, "dmds": 0}

    def next_id(self) -> int:
        """The number of the next call."""
        self._last_id += 1
        return self._last_id

    async def record(self, call: Call, mails: Iterable[Mail]) -> None:
        """Keep a call before it is answered; on disk, with the mails it made, where there is a file."""
        self._calls[call.id] = call
        self.counts[call.api] += 1
        for old in self._shelf.add(call.id, weight(call.document)):
            if old in self._calls:
                self._calls[old] = replace(self._calls[old], document=None)
        while len(self._calls) > max(self._keep_calls, 1):
            self._calls.popitem(last=False)
        if self._file:
            await self._file.write({"kind": "call", **call_view(call), "mails": [_mail_line(mail) for mail in mails]})

    def finish(self, call_id: int, status: int, answer: Delivery) -> None:
        """Note what became of the answer."""
        if call_id in self._calls:
            self._calls[call_id] = replace(self._calls[call_id], status=status, answer=answer)
        if self._file:
            self._file.note({"kind": "answer", "call": call_id, "status": status, "answer": answer})

    def all(self) -> tuple[Call, ...]:
        """The calls that are still listed, oldest first."""
        return tuple(self._calls.values())

    def forget(self) -> None:
        """Begin anew; the file keeps what it has."""
        self._calls.clear()
        self.counts = dict.fromkeys(self.counts, 0)


def call_view(call: Call) -> dict[str, object]:
    """A call as JSON shows it."""
    names = ("id", "time", "api", "function", "method", "path", "user", "status", "error", "fault", "answer")
    return {
        **{name: getattr(call, name) for name in names},
        "remarks": list(call.remarks),
        "recipients": list(call.recipients),
        "document": plain(call.document),
    }


def _mail_line(mail: Mail) -> dict[str, object]:
    names = ("id", "mailbox", "subject", "batch_id", "message_id", "reference", "recipient_reference", "fate")
    return {name: getattr(mail, name) for name in names}
