"""Reading the messages that are worked on. Runs in the writer thread."""

import sqlite3
from collections.abc import Iterable

from relay.queue.contract import Claim, State
from relay.queue.leases import Leased
from relay.queue.sqlite.many import fetch, listed

SELECT_LEASED = """
SELECT json_group_array(json_array(m.id, m.seq, m.leased_by, m.lease, m.body_file, r.position, r.state))
FROM json_each(?) AS wanted
CROSS JOIN message AS m ON m.id = wanted.value
CROSS JOIN recipient AS r ON r.message = m.seq
"""


def look_up(connection: sqlite3.Connection, claims: Iterable[Claim]) -> dict[str, Leased]:
    """Read the messages of claims, by id; those that are gone are left out."""
    found: dict[str, Leased] = {}
    rows = fetch(connection, SELECT_LEASED, listed(claim.message.id for claim in claims))
    for message_id, seq, owner, lease, body_file, position, state in rows:
        leased = found.get(message_id)
        if leased is None:
            leased = found[message_id] = Leased(seq, owner, lease, body_file)
        leased.states[position] = State(state)
    return found
