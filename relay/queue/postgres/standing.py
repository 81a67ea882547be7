"""What is remembered of accounts and of who logs in. Each function is one transaction."""

from collections.abc import Callable, Collection

from relay.queue.contract import Pause, Standing, Volume
from relay.queue.postgres.many import Connection, count, storable

UPSERT_PAUSE = """
INSERT INTO pause (account, until, reason, failures) VALUES ($1, $2, $3, $4)
ON CONFLICT (account) DO UPDATE SET until = excluded.until, reason = excluded.reason, failures = excluded.failures
"""
DELETE_PAUSE = "DELETE FROM pause WHERE account = $1"
SELECT_PAUSES = "SELECT account, until, reason, failures FROM pause ORDER BY account"
UPSERT_CREDENTIAL = """
INSERT INTO credential (account, sealed) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed
"""
SELECT_CREDENTIAL = "SELECT sealed FROM credential WHERE account = $1"
# From the index message_volume alone.
SELECT_VOLUME = """
SELECT count(*) AS messages, coalesce(sum(recipients), 0)::bigint AS recipients, min(received_at) AS first_at
FROM message WHERE account = $1 AND received_at >= $2 AND received_at < $3
"""
SELECT_STANDINGS = """
SELECT key, failures, since, changed_at, until, blocks, blocked_until, proven_until FROM standing
WHERE key = ANY($1::text[])
"""
# Of a key under which nothing is known there is no row to be locked.
LOCK_KEY = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
UPSERT_STANDING = """
INSERT INTO standing (key, failures, since, changed_at, until, blocks, blocked_until, proven_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, since = excluded.since,
    changed_at = excluded.changed_at, until = excluded.until, blocks = excluded.blocks,
    blocked_until = excluded.blocked_until, proven_until = excluded.proven_until
"""
DELETE_STANDING = "DELETE FROM standing WHERE key = $1"
DELETE_ENDED = "DELETE FROM standing WHERE until <= $1"
DELETE_OLDEST = "DELETE FROM standing WHERE key IN (SELECT key FROM standing ORDER BY until DESC OFFSET $1)"


async def pause(connection: Connection, pause: Pause) -> None:
    """Write a pause, over an earlier one."""
    await connection.execute(UPSERT_PAUSE, pause.account, pause.until, storable(pause.reason), pause.failures)


async def resume(connection: Connection, account: str) -> bool:
    """Take a pause away. Returns whether there was one."""
    return count(await connection.execute(DELETE_PAUSE, account)) > 0


async def paused(connection: Connection) -> list[Pause]:
    """Return all pauses."""
    rows = await connection.fetch(SELECT_PAUSES)
    return [Pause(row["account"], row["until"], row["reason"], row["failures"]) for row in rows]


async def volume(connection: Connection, account: str, since: float, before: float) -> Volume:
    """Count what was taken from an account between two times."""
    row = await connection.fetchrow(SELECT_VOLUME, account, since, before)
    assert row is not None  # noqa: S101 - a count has a row
    return Volume(row["messages"], row["recipients"], row["first_at"])


async def save_credential(connection: Connection, account: str, sealed: bytes) -> None:
    """Write a sealed credential, over an earlier one."""
    await connection.execute(UPSERT_CREDENTIAL, account, sealed)


async def load_credential(connection: Connection, account: str) -> bytes | None:
    """Return a sealed credential; None: there is none."""
    row = await connection.fetchrow(SELECT_CREDENTIAL, account)
    return bytes(row["sealed"]) if row else None


async def standings(connection: Connection, keys: Collection[str]) -> dict[str, Standing]:
    """Return what is known under each of these keys."""
    rows = await connection.fetch(SELECT_STANDINGS, list(keys))
    return {
        row["key"]: Standing(
            row["failures"],
            row["since"],
            row["changed_at"],
            row["until"],
            row["blocks"],
            row["blocked_until"],
            row["proven_until"],
        )
        for row in rows
    }


async def change_standing(
    connection: Connection, key: str, change: Callable[[Standing | None], Standing | None]
) -> Standing | None:
    """Replace what is known under a key."""
    await connection.execute(LOCK_KEY, key)
    changed = change((await standings(connection, [key])).get(key))
    if changed is None:
        await connection.execute(DELETE_STANDING, key)
        return None
    counted = (changed.failures, changed.since, changed.changed_at, changed.until)
    blocked = (changed.blocks, changed.blocked_until, changed.proven_until)
    await connection.execute(UPSERT_STANDING, key, *counted, *blocked)
    return changed


async def forget(connection: Connection, most: int, now: float) -> int:
    """Delete what is over, and the oldest of what is too many. Returns how many."""
    ended = count(await connection.execute(DELETE_ENDED, now))
    return ended + count(await connection.execute(DELETE_OLDEST, most))
