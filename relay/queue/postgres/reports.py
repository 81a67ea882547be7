"""The reports to senders on PostgreSQL."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from relay.errors import LeaseLost
from relay.message import Clock, MessageId
from relay.queue.postgres import telling
from relay.queue.postgres.leases import LEASE_NOW
from relay.queue.postgres.many import Connection, count, storable
from relay.queue.postgres.reader import Reader
from relay.queue.postgres.writer import Writer
from relay.queue.reporting import Report, ReportState, Untold

# Those whose lease ended count as due: what was being sent may have been sent.
LEASE_REPORTS = f"""
UPDATE report SET state = 'sending', attempts = attempts + 1, leased_by = $2, lease_until = {LEASE_NOW} + $3
WHERE seq IN (
    SELECT seq FROM report WHERE finished_at IS NULL AND due_at <= $4
        AND (leased_by IS NULL OR lease_until <= {LEASE_NOW})
    ORDER BY due_at LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, message, account, sender, data, made_at, attempts, due_at
"""  # noqa: S608 - our own words
# Only in the hands of who has the lease; the attempts count its leases.
PUT_OFF = """
UPDATE report SET state = 'queued', due_at = $4, reason = $5, leased_by = NULL, lease_until = NULL
WHERE id = $1 AND leased_by = $2 AND attempts = $3
"""
FINISH = """
UPDATE report SET state = $4, reason = $5, finished_at = $6, data = '', kept_bytes = 0, leased_by = NULL,
    lease_until = NULL
WHERE id = $1 AND leased_by = $2 AND attempts = $3
"""
FREE_REPORTS_OF = """
UPDATE report SET state = 'queued', leased_by = NULL, lease_until = NULL WHERE leased_by = $1 AND finished_at IS NULL
"""
COUNT_WAITING = "SELECT count(*) AS waiting FROM report WHERE finished_at IS NULL"


class PostgresReports:
    """Reports in one database; part of `PostgresQueue`, which opens and closes what it works with."""

    def __init__(self, writer: Writer, reader: Reader, clock: Clock, lease_clock: Callable[[], float | None]) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._lease_clock = lease_clock

    async def untold(self, limit: int) -> Sequence[Untold]:
        """See `Reports.untold`."""
        return await self._reader.ask(partial(telling.untold, limit=limit, now=self._clock()))

    async def told(self, untold: Untold, report: Report | None) -> bool:
        """See `Reports.told`."""
        return await self._writer.submit(partial(telling.tell, told=untold, report=report, now=self._clock()))

    async def owe(self, message_id: MessageId, failures: Mapping[int, str]) -> int:
        """See `Reports.owe`."""
        owe = partial(telling.owe, message_id=message_id, failures=failures, now=self._clock())
        return await self._writer.submit(owe)

    async def claim_reports(self, owner: str, limit: int, lease_seconds: float) -> Sequence[Report]:
        """See `Reports.claim_reports`."""
        values = (self._lease_clock(), owner, lease_seconds, self._clock(), limit)
        return await self._writer.submit(lambda connection: _claim(connection, owner, values))

    async def put_off(self, report: Report, due_at: float, reason: str) -> None:
        """See `Reports.put_off`."""
        await self._end(PUT_OFF, report, due_at, storable(reason))

    async def finish(self, report: Report, state: ReportState, reason: str = "") -> None:
        """See `Reports.finish`."""
        await self._end(FINISH, report, state, storable(reason), self._clock())

    async def waiting_reports(self) -> int:
        """See `Reports.waiting_reports`."""
        return await self._reader.ask(_waiting)

    async def _end(self, statement: str, report: Report, *values: object) -> None:
        def end(connection: Connection) -> Awaitable[str]:
            return connection.execute(statement, report.id, report.owner, report.attempts, *values)

        if not count(await self._writer.submit(end)):
            raise LeaseLost(f"report {report.id}: the lease of {report.owner} was lost")


async def free(connection: Connection, owner: str) -> None:
    """Let go of every report that an owner was sending."""
    await connection.execute(FREE_REPORTS_OF, owner)


async def _claim(connection: Connection, owner: str, values: Sequence[object]) -> list[Report]:
    rows = await connection.fetch(LEASE_REPORTS, *values)
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
        for row in sorted(rows, key=lambda each: each["due_at"])
    ]


async def _waiting(connection: Connection) -> int:
    row = await connection.fetchrow(COUNT_WAITING)
    return row["waiting"] if row else 0
