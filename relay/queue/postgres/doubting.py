"""Messages in doubt, and who is taking which. Each function is one transaction."""

from dataclasses import dataclass

from relay.errors import BeingTaken, LeaseLost
from relay.queue.contract import Doubt
from relay.queue.doubtful import BEING_TAKEN, LOST, doubt_from, is_being_taken, known_text
from relay.queue.postgres.leases import LEASE_NOW
from relay.queue.postgres.many import Connection, count

# The lease's end: by the server's clock, so many seconds ($2) from now.
_LEASE_UNTIL = f"{LEASE_NOW} + $2::float8"
INSERT_DOUBT = f"""
INSERT INTO doubt (lease_until, mark, since, until, known, account, owner, token)
VALUES ({_LEASE_UNTIL}, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (mark) DO NOTHING
"""  # noqa: S608 - our own words
REPLACE_DOUBT = f"""
UPDATE doubt SET lease_until = {_LEASE_UNTIL}, since = $4, until = $5, known = $6, account = $7, owner = $8, token = $9
WHERE mark = $3
"""  # noqa: S608 - our own words
LOCK_DOUBT = f"""
SELECT since, until, known, account, owner, token, lease_until, {LEASE_NOW} AS now FROM doubt WHERE mark = $2
FOR NO KEY UPDATE
"""  # noqa: S608 - our own words
LEASE_DOUBT = f"UPDATE doubt SET lease_until = {_LEASE_UNTIL}, owner = $4, token = $5 WHERE mark = $3"  # noqa: S608 - our own words
DELETE_DOUBT = "DELETE FROM doubt WHERE mark = $1 AND token = $2"
FREE_DOUBTS_OF = "UPDATE doubt SET owner = NULL, token = NULL, lease_until = NULL WHERE owner = $1"
SELECT_UNHEARD = "SELECT account, mark, until FROM doubt WHERE account IS NOT NULL AND since >= $1"
DELETE_ENDED = f"DELETE FROM doubt WHERE until <= $2 AND (token IS NULL OR lease_until <= {LEASE_NOW})"  # noqa: S608 - our own words
DELETE_OLDEST = """
DELETE FROM doubt WHERE mark IN (SELECT mark FROM doubt WHERE token IS NULL ORDER BY until DESC OFFSET $1)
"""


@dataclass(frozen=True, slots=True)
class Taking:
    """Who begins to take what."""

    mark: bytes
    begun: Doubt
    owner: str
    token: bytes
    lease_seconds: float


async def open_doubt(connection: Connection, taking: Taking, now: float, lease_now: float | None) -> Doubt | None:
    """Lease a mark and return what is known of it; None: nothing was."""
    begun, lease = taking.begun, (lease_now, taking.lease_seconds, taking.mark)
    whose = (taking.owner, taking.token)
    values = (*lease, begun.since, begun.until, known_text(begun), begun.account or None, *whose)
    if count(await connection.execute(INSERT_DOUBT, *values)):
        return None
    row = await connection.fetchrow(LOCK_DOUBT, lease_now, taking.mark)
    if row is None or is_being_taken(row, row["now"], row["now"] + taking.lease_seconds):
        raise BeingTaken(BEING_TAKEN)  # or was forgotten in this very moment: the client comes again
    if row["until"] <= now:
        await connection.execute(REPLACE_DOUBT, *values)
        return None
    await connection.execute(LEASE_DOUBT, *lease, *whose)
    return doubt_from(row)


async def write_doubt(
    connection: Connection,
    mark: bytes,
    token: bytes,
    doubt: Doubt | None,
    lease_seconds: float,
    lease_now: float | None,
) -> None:
    """Write what is known of a mark that is leased; without `lease_seconds` it is free again."""
    if doubt is None:
        if not count(await connection.execute(DELETE_DOUBT, mark, token)):
            raise LeaseLost(LOST)
        return
    row = await connection.fetchrow(LOCK_DOUBT, lease_now, mark)
    if row is None or row["token"] != token:
        raise LeaseLost(LOST)
    lease = (row["owner"], token) if lease_seconds else (None, None)
    values = (doubt.since, doubt.until, known_text(doubt), doubt.account or None, *lease)
    await connection.execute(REPLACE_DOUBT, lease_now, lease_seconds or None, mark, *values)


async def unheard(connection: Connection, since: float) -> list[tuple[str, bytes, float]]:
    """List what was taken without anybody to hear it."""
    return [(row["account"], row["mark"], row["until"]) for row in await connection.fetch(SELECT_UNHEARD, since)]


async def free(connection: Connection, owner: str) -> None:
    """Let go of everything that an owner was taking."""
    await connection.execute(FREE_DOUBTS_OF, owner)


async def forget(connection: Connection, most: int, now: float, lease_now: float | None) -> int:
    """Delete what is over, and the oldest of what is too many; nothing that is being taken. Returns how many."""
    ended = count(await connection.execute(DELETE_ENDED, lease_now, now))
    return ended + count(await connection.execute(DELETE_OLDEST, most))
