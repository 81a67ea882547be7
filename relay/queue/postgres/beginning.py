"""Journalling, before calls go out, that they do."""

from collections.abc import Sequence

from relay.errors import QueueError
from relay.queue.beginning import Beginning, plan_begin
from relay.queue.postgres.history import interrupt
from relay.queue.postgres.leases import LEASE_NOW, look_up
from relay.queue.postgres.many import Connection, columns, unnest

BEGIN_RECIPIENTS = f"""
UPDATE recipient SET state = 'sending', changed_at = begun.now, attempts = attempts + 1
FROM {unnest("bigint", "integer", "float8")} AS begun (message, position, now)
WHERE recipient.message = begun.message AND recipient.position = begun.position
"""  # noqa: S608 - our own words
RENEW_LEASES = f"UPDATE message SET lease_until = {LEASE_NOW} + $2 WHERE seq = ANY($3::bigint[])"  # noqa: S608 - our own words


async def begin(
    connection: Connection, beginnings: Sequence[Beginning], lease_now: float | None
) -> list[QueueError | None]:
    """Write down that calls are about to go out; LeaseLost, or another error, where one must not."""
    begun, told = plan_begin(beginnings, await look_up(connection, (each.claim for each in beginnings)))
    await interrupt(connection, begun.interrupted, beginnings[0].now)
    if begun.seqs:
        seconds = max(each.lease_seconds for each in beginnings)
        await connection.execute(RENEW_LEASES, lease_now, seconds, begun.seqs)
    if begun.rows:
        await connection.execute(BEGIN_RECIPIENTS, *columns(begun.rows))
    return told
