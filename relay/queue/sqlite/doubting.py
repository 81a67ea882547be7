"""Messages in doubt, and who is taking which. Each function is one transaction."""

import json
import sqlite3
from dataclasses import astuple

from relay.errors import BeingTaken, LeaseLost
from relay.outcome import Accepted, Reply
from relay.queue.contract import Doubt

_LOST = "the same message has been given to somebody else"
#: So much further than one given now may a lease reach: who took it read a clock that was a moment ahead of ours, or
#: waited for slower calls by the configuration of its time. Beyond that it was given before the clock was set back.
_LONGER_SECONDS = 3600.0

SELECT_DOUBT = "SELECT since, until, known, account, token, lease_until FROM doubt WHERE mark = ?"
INSERT_DOUBT = """
INSERT INTO doubt (mark, since, until, known, account, owner, token, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (mark) DO NOTHING
"""
UPSERT_DOUBT = """
INSERT OR REPLACE INTO doubt (mark, since, until, known, account, owner, token, lease_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
LEASE_DOUBT = "UPDATE doubt SET owner = ?, token = ?, lease_until = ? WHERE mark = ?"
SELECT_TAKER = "SELECT owner FROM doubt WHERE mark = ? AND token = ?"
DELETE_DOUBT = "DELETE FROM doubt WHERE mark = ? AND token = ?"
FREE_DOUBTS_OF = "UPDATE doubt SET owner = NULL, token = NULL, lease_until = NULL WHERE owner = ?"
SELECT_UNHEARD = """
SELECT account, mark, until FROM doubt INDEXED BY doubt_unheard WHERE account IS NOT NULL AND since >= ?
"""
DELETE_ENDED = "DELETE FROM doubt WHERE until <= ? AND (token IS NULL OR lease_until <= ?)"
DELETE_OLDEST = """
DELETE FROM doubt WHERE mark IN (SELECT mark FROM doubt WHERE token IS NULL ORDER BY until DESC LIMIT -1 OFFSET ?)
"""


def open_doubt(
    connection: sqlite3.Connection,
    mark: bytes,
    begun: Doubt,
    owner: str,
    token: bytes,
    lease_seconds: float,
    now: float,
) -> Doubt | None:
    """Lease a mark and return what is known of it; None: nothing was."""
    lease_until = now + lease_seconds
    values = (mark, begun.since, begun.until, _known_text(begun), begun.account or None, owner, token, lease_until)
    if connection.execute(INSERT_DOUBT, values).rowcount:
        return None
    row = connection.execute(SELECT_DOUBT, (mark,)).fetchone()
    if row["token"] is not None and now < row["lease_until"] <= lease_until + _LONGER_SECONDS:
        raise BeingTaken("the same message is being taken already")
    if row["until"] <= now:
        connection.execute(UPSERT_DOUBT, values)
        return None
    connection.execute(LEASE_DOUBT, (owner, token, lease_until, mark))
    return _doubt_from(row)


def write_doubt(
    connection: sqlite3.Connection, mark: bytes, token: bytes, doubt: Doubt | None, lease_seconds: float, now: float
) -> None:
    """Write what is known of a mark that is leased; without `lease_seconds` it is free again."""
    if doubt is None:
        if not connection.execute(DELETE_DOUBT, (mark, token)).rowcount:
            raise LeaseLost(_LOST)
        return
    taker = connection.execute(SELECT_TAKER, (mark, token)).fetchone()
    if taker is None:
        raise LeaseLost(_LOST)
    lease = (taker["owner"], token, now + lease_seconds) if lease_seconds else (None, None, None)
    values = (mark, doubt.since, doubt.until, _known_text(doubt), doubt.account or None)
    connection.execute(UPSERT_DOUBT, (*values, *lease))


def unheard(connection: sqlite3.Connection, since: float) -> list[tuple[str, bytes, float]]:
    """List what was taken without anybody to hear it."""
    return [(row["account"], row["mark"], row["until"]) for row in connection.execute(SELECT_UNHEARD, (since,))]


def free(connection: sqlite3.Connection, owner: str) -> None:
    """Let go of everything that an owner was taking."""
    connection.execute(FREE_DOUBTS_OF, (owner,))


def forget(connection: sqlite3.Connection, most: int, now: float) -> int:
    """Delete what is over, and the oldest of what is too many; nothing that is being taken. Returns how many."""
    ended = connection.execute(DELETE_ENDED, (now, now)).rowcount
    return ended + connection.execute(DELETE_OLDEST, (most,)).rowcount


def _known_text(doubt: Doubt) -> str:
    return json.dumps(
        {
            "reply": astuple(doubt.reply) if doubt.reply else None,
            "is_queued": doubt.is_queued,
            "accepted": {mailbox: astuple(said) for mailbox, said in doubt.accepted.items()},
            "maybe_accepted": sorted(doubt.maybe_accepted),
        }
    )


def _doubt_from(row: sqlite3.Row) -> Doubt:
    known = json.loads(row["known"])
    return Doubt(
        since=row["since"],
        until=row["until"],
        reply=Reply(*known["reply"]) if known["reply"] else None,
        is_queued=known["is_queued"],
        account=row["account"] or "",
        accepted={mailbox: Accepted(*said) for mailbox, said in known["accepted"].items()},
        maybe_accepted=frozenset(known["maybe_accepted"]),
    )
