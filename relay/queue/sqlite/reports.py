"""The reports to senders on SQLite: the contract's methods, each handed to the thread that does it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from relay.errors import LeaseLost, QueueError
from relay.message import Clock, MessageId
from relay.queue.reporting import Report, ReportState, Untold
from relay.queue.sqlite import claiming, telling
from relay.queue.sqlite.bodies import BodyDamaged
from relay.queue.sqlite.reader import Reader
from relay.queue.sqlite.writer import Writer

# Those whose lease ended count as due: what was being sent may have been sent.
SELECT_DUE = """
SELECT seq FROM report INDEXED BY report_due WHERE finished_at IS NULL AND due_at <= :now
    AND (leased_by IS NULL OR lease_until <= :now)
ORDER BY due_at LIMIT :limit
"""
LEASE_REPORT = """
UPDATE report SET state = 'sending', attempts = attempts + 1, leased_by = :owner, lease_until = :until WHERE seq = :seq
RETURNING id, message, account, sender, data, made_at, attempts
"""
# Only in the hands of who has the lease; the attempts count its leases.
PUT_OFF = """
UPDATE report SET state = 'queued', due_at = :due_at, reason = :reason, leased_by = NULL, lease_until = NULL
WHERE id = :id AND leased_by = :owner AND attempts = :attempts
"""
FINISH = """
UPDATE report SET state = :state, reason = :reason, finished_at = :now, data = x'', kept_bytes = 0, leased_by = NULL,
    lease_until = NULL
WHERE id = :id AND leased_by = :owner AND attempts = :attempts
"""
FREE_REPORTS_OF = """
UPDATE report SET state = 'queued', leased_by = NULL, lease_until = NULL WHERE leased_by = ? AND finished_at IS NULL
"""
COUNT_WAITING = "SELECT count(*) FROM report INDEXED BY report_due WHERE finished_at IS NULL"

#: Reads one message's body: a file, or what was found in the table.
ReadBody = Callable[[claiming.Caught, Mapping[int, bytes]], Awaitable[bytes]]


class SqliteReports:
    """Reports on one SQLite file; part of `SqliteQueue`, which opens and closes what it works with."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        read_body: ReadBody,
        discard: Callable[[Collection[str]], None],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._read_body = read_body
        self._discard = discard

    async def untold(self, limit: int) -> Sequence[Untold]:
        """See `Reports.untold`."""
        now = self._clock()
        found = await self._reader.ask(lambda connection: telling.untold(connection, limit, now))
        caught = [each.caught for each in found]
        rows = await self._reader.ask(lambda connection: claiming.row_bodies(connection, caught), snapshot=False)
        return await asyncio.gather(*(self._with_body(each, rows) for each in found))

    async def told(self, untold: Untold, report: Report | None) -> bool:
        """See `Reports.told`."""
        now = self._clock()
        came = await self._writer.submit(lambda connection: telling.tell(connection, untold, report, now))
        if came.file is not None:
            self._discard([came.file])
        return came.is_done

    async def owe(self, message_id: MessageId, failures: Mapping[int, str]) -> int:
        """See `Reports.owe`."""
        now = self._clock()
        return await self._writer.submit(lambda connection: telling.owe(connection, message_id, failures, now))

    async def claim_reports(self, owner: str, limit: int, lease_seconds: float) -> Sequence[Report]:
        """See `Reports.claim_reports`."""
        now = self._clock()
        return await self._writer.submit(lambda connection: _claim(connection, owner, limit, lease_seconds, now))

    async def put_off(self, report: Report, due_at: float, reason: str) -> None:
        """See `Reports.put_off`."""
        await self._end(PUT_OFF, report, {"due_at": due_at, "reason": reason})

    async def finish(self, report: Report, state: ReportState, reason: str = "") -> None:
        """See `Reports.finish`."""
        await self._end(FINISH, report, {"state": state, "reason": reason, "now": self._clock()})

    async def waiting_reports(self) -> int:
        """See `Reports.waiting_reports`."""
        return await self._reader.ask(lambda connection: int(connection.execute(COUNT_WAITING).fetchone()[0]))

    async def _with_body(self, found: telling.Found, rows: Mapping[int, bytes]) -> Untold:
        try:
            return found.untold(await self._read_body(found.caught, rows))
        except (BodyDamaged, QueueError):  # a report without the header is better than none
            return found.untold(b"")

    async def _end(self, statement: str, report: Report, values: Mapping[str, str | float]) -> None:
        whose = {"id": report.id, "owner": report.owner, "attempts": report.attempts}
        count = await self._writer.submit(
            lambda connection: connection.execute(statement, {**whose, **values}).rowcount
        )
        if not count:
            raise LeaseLost(f"report {report.id}: the lease of {report.owner} was lost")


def free(connection: sqlite3.Connection, owner: str) -> None:
    """Let go of every report that an owner was sending."""
    connection.execute(FREE_REPORTS_OF, (owner,))


def _claim(connection: sqlite3.Connection, owner: str, limit: int, lease_seconds: float, now: float) -> list[Report]:
    due = connection.execute(SELECT_DUE, {"now": now, "limit": limit}).fetchall()
    until = now + lease_seconds
    rows = [
        connection.execute(LEASE_REPORT, {"owner": owner, "until": until, "seq": each["seq"]}).fetchone()
        for each in due
    ]
    return [
        Report(
            MessageId(row["id"]),
            MessageId(row["message"]),
            row["account"],
            row["sender"],
            row["data"],
            row["made_at"],
            row["attempts"],
            owner,
        )
        for row in rows
    ]
