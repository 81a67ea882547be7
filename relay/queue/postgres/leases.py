"""Reading the messages that are worked on, and locking them: whoever changes their recipients does so first."""

from collections.abc import Iterable

from relay.queue.contract import Action, Claim, State
from relay.queue.leases import Leased
from relay.queue.postgres.many import Connection
from relay.queue.rows import Row

#: The time by which leases end: the server's, or, as the first parameter, another that a test owns.
LEASE_NOW = "coalesce($1::float8, extract(epoch FROM statement_timestamp())::float8)"

# In one order, so that two nodes do not wait for each other.
LOCK_MESSAGES = """
SELECT id, seq, leased_by, lease, notice_at, report_due_at FROM message WHERE id = ANY($1::text[])
ORDER BY seq FOR NO KEY UPDATE
"""
# In a statement of its own: one that had to wait for a lock would see the recipients as they were before.
SELECT_STATES = "SELECT message, position, state, owed FROM recipient WHERE message = ANY($1::bigint[])"


async def look_up(connection: Connection, claims: Iterable[Claim]) -> dict[str, Leased]:
    """Read and lock the messages of claims, by id; those that are gone are left out."""
    rows = await connection.fetch(LOCK_MESSAGES, [claim.message.id for claim in claims])
    found = {row["seq"]: _leased(row) for row in rows}
    for row in await connection.fetch(SELECT_STATES, list(found)):
        leased = found[row["message"]]
        leased.states[row["position"]] = State(row["state"])
        if row["owed"] is not None:
            leased.owed[row["position"]] = Action(row["owed"])
    return {row["id"]: found[row["seq"]] for row in rows}


def _leased(row: Row) -> Leased:
    return Leased(
        row["seq"], row["leased_by"], row["lease"], notice_at=row["notice_at"], report_due_at=row["report_due_at"]
    )
