"""The messages that are worked on: are they still whose they were, and how do their recipients stand?"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.errors import LeaseLost, QueueError
from relay.queue.contract import Claim, State
from relay.queue.sqlite.many import fetch, listed

SELECT_LEASED = """
SELECT json_group_array(json_array(m.id, m.seq, m.leased_by, m.lease, m.body_file, r.position, r.state))
FROM json_each(?) AS wanted
CROSS JOIN message AS m ON m.id = wanted.value
CROSS JOIN recipient AS r ON r.message = m.seq
"""


@dataclass(frozen=True, slots=True)
class Leased:
    """A message as its rows tell."""

    seq: int
    owner: str | None
    lease: int
    body_file: str | None
    states: dict[int, State] = field(default_factory=dict)  # by position


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


def lost(claim: Claim, leased: Leased | None) -> QueueError | None:
    """Return the error where a message is not its claimant's any more."""
    if leased is not None and leased.owner == claim.owner and leased.lease == claim.lease:
        return None
    return LeaseLost(f"message {claim.message.id}: the lease of {claim.owner} was lost")
