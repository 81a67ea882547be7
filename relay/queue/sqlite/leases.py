"""Reading the messages that are worked on. Runs in the writer thread."""

import sqlite3
from collections.abc import Iterable

from relay.queue.contract import Action, Claim, State
from relay.queue.leases import Leased
from relay.queue.sqlite.many import fetch, listed

SELECT_LEASED = """
SELECT json_group_array(json_array(m.id, m.seq, m.leased_by, m.lease, m.body_file, m.notice_at, m.report_due_at,
    r.position, r.state, r.owed))
FROM json_each(?) AS wanted
CROSS JOIN message AS m ON m.id = wanted.value
CROSS JOIN recipient AS r ON r.message = m.seq
"""


def look_up(connection: sqlite3.Connection, claims: Iterable[Claim]) -> dict[str, Leased]:
    """Read the messages of claims, by id; those that are gone are left out."""
    found: dict[str, Leased] = {}
    rows = fetch(connection, SELECT_LEASED, listed(claim.message.id for claim in claims))
    for message_id, *message, position, state, owed in rows:
        leased = found.get(message_id)
        if leased is None:
            leased = found[message_id] = Leased(*message)
        leased.states[position] = State(state)
        if owed is not None:
            leased.owed[position] = Action(owed)
    return found
