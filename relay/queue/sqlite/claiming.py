"""Finding what is due and leasing it. Runs in the writer thread, within its transaction.

The hard part is a queue that is deep: an account that may not be claimed from must not be scanned through with its
million messages, nor may they stand before another account's first one. Two indexes share the work. The first, by due
time, answers nearly always: what is due is few. Where it is many, the second is asked, by account and due time: one
look for each account whose turn it is, and one for its oldest.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from relay.queue.candidates import BEHIND_ALL, EVER, SKIP_LIMIT, Candidate, candidate, order, within_bytes
from relay.queue.contract import FINAL_STATES, Claim, RecipientEntry
from relay.queue.rows import batch_of, entry_from, message_from
from relay.queue.sqlite import setback
from relay.queue.sqlite.acting import do_noted
from relay.queue.sqlite.bodies import BodyFile
from relay.queue.sqlite.connection import is_damage
from relay.queue.sqlite.history import interrupt
from relay.queue.sqlite.keeping import close
from relay.queue.sqlite.many import listed

SELECT_PAUSED = "SELECT account, until FROM pause WHERE until > :now"
# Whether so many are due: counted along the index message_due.
SELECT_IS_DEEP = """
SELECT 1 FROM message INDEXED BY message_due
WHERE leased_by IS NULL AND due_at <= :now ORDER BY due_at LIMIT 1 OFFSET :most
"""
# The head of the queue.
SELECT_HEAD = """
SELECT seq, account, due_at, size FROM message INDEXED BY message_due
WHERE leased_by IS NULL AND due_at <= :now ORDER BY due_at, seq LIMIT :limit
"""
# The accounts that have something waiting, one index look-up for each (a "loose index scan").
SELECT_WAITING_ACCOUNTS = """
WITH RECURSIVE waiting (account) AS (
    SELECT min(account) FROM message INDEXED BY message_account_due WHERE leased_by IS NULL AND due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(m.account) FROM message AS m INDEXED BY message_account_due
            WHERE m.leased_by IS NULL AND m.due_at IS NOT NULL AND m.account > waiting.account)
    FROM waiting WHERE waiting.account IS NOT NULL
)
SELECT account, (SELECT min(m.due_at) FROM message AS m INDEXED BY message_account_due
                 WHERE m.account = waiting.account AND m.leased_by IS NULL AND m.due_at IS NOT NULL) AS oldest
FROM waiting WHERE oldest <= :now AND account NOT IN (SELECT value FROM json_each(:excluded))
ORDER BY oldest LIMIT :limit
"""
# The accounts with something due behind one of them, in the order of their names; no further than `last`.
SELECT_ACCOUNTS_IN_TURN = """
WITH RECURSIVE waiting (account) AS (
    SELECT min(account) FROM message INDEXED BY message_account_due
    WHERE leased_by IS NULL AND due_at IS NOT NULL AND account > :after
    UNION ALL
    SELECT (SELECT min(m.account) FROM message AS m INDEXED BY message_account_due
            WHERE m.leased_by IS NULL AND m.due_at IS NOT NULL AND m.account > waiting.account)
    FROM waiting WHERE waiting.account < :last
)
SELECT account FROM waiting
WHERE account <= :last AND account NOT IN (SELECT value FROM json_each(:excluded))
    AND (SELECT min(m.due_at) FROM message AS m INDEXED BY message_account_due
         WHERE m.account = waiting.account AND m.leased_by IS NULL AND m.due_at IS NOT NULL) <= :now
LIMIT :limit
"""
SELECT_HEAD_OF_ACCOUNT = """
SELECT seq, account, due_at, size FROM message INDEXED BY message_account_due
WHERE account = :account AND leased_by IS NULL AND due_at <= :now ORDER BY due_at, seq LIMIT :limit
"""
# Leases that ended: as few as calls were under way.
SELECT_ENDED_LEASES = """
SELECT seq, account, due_at, size FROM message INDEXED BY message_lease
WHERE leased_by IS NOT NULL AND lease_until <= :now AND due_at IS NOT NULL AND due_at <= :due_by ORDER BY due_at, seq
"""
UPDATE_LEASE = """
UPDATE message SET leased_by = :owner, lease_until = :until, lease = lease + 1
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
# The body stays until the sender has been told.
RELEASE_FINISHED = """
UPDATE message SET due_at = NULL, leased_by = NULL, lease_until = NULL, finished_at = coalesce(finished_at, :now)
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
SELECT_MESSAGES = "SELECT * FROM message WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY due_at, seq"
SELECT_ENTRIES = """
SELECT * FROM recipient WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, position
"""
SELECT_BODY = "SELECT data FROM body WHERE message = ?"
SELECT_LEASES_OF = "SELECT seq FROM message INDEXED BY message_lease WHERE leased_by = ?"
FREE_LEASES_OF = "UPDATE message SET leased_by = NULL, lease_until = NULL WHERE leased_by = ?"


@dataclass(frozen=True, slots=True)
class Caught:
    """A message that was leased, as its rows tell; its body is still to be read."""

    row: sqlite3.Row
    entries: tuple[RecipientEntry, ...]

    @property
    def file(self) -> BodyFile | None:
        """Return where the body is; None: not in a file."""
        name = self.row["body_file"]
        return BodyFile(name, self.row["body_digest"]) if name is not None else None

    def claim(self, owner: str, data: bytes) -> Claim:
        """Return the claim, with the body as read."""
        return Claim(
            message=message_from(self.row, self.entries, data),
            entries=self.entries,
            expires_at=self.row["expires_at"],
            owner=owner,
            batch_id=batch_of(self.entries),
            lease=self.row["lease"],
        )


@dataclass(frozen=True, slots=True)
class Catch:
    """What one claim brought."""

    caught: tuple[Caught, ...]
    is_cut: bool  # more is due than was taken
    last: str  # the account that had its turn last
    files: tuple[str, ...]  # bodies of messages found finished; to be deleted once this is committed


def claim(
    connection: sqlite3.Connection,
    owner: str,
    limit: int,
    lease_seconds: float,
    without: Collection[str],
    now: float,
    *,
    after: str = "",
) -> Catch:
    """Lease due messages, interrupting attempts that nobody ended; `after`: the account that had its turn last."""
    excluded = frozenset(without) | _paused(connection, now).keys()
    ended = connection.execute(SELECT_ENDED_LEASES, {"now": now, "due_by": now}).fetchall()
    abandoned = [candidate(row, was_leased=True) for row in ended if row["account"] not in excluded]
    is_deep = connection.execute(SELECT_IS_DEEP, {"now": now, "most": limit + SKIP_LIMIT}).fetchone() is not None
    if is_deep:
        free = _in_turn(connection, limit, excluded, now, after)
        candidates = sorted(abandoned, key=order) + free
    else:
        free = _head(connection, limit + SKIP_LIMIT, excluded, now)
        candidates = sorted(abandoned + free, key=order)
    chosen = within_bytes(candidates[:limit])
    _interrupt(connection, chosen, now)
    seqs = listed(each.seq for each in chosen)
    connection.execute(UPDATE_LEASE, {"owner": owner, "until": now + lease_seconds, "seqs": seqs})
    caught, files = _load(connection, seqs, now)
    is_cut = len(chosen) < len(candidates) or (is_deep and bool(chosen))
    return Catch(tuple(caught), is_cut, chosen[-1].account if chosen else after, tuple(files))


def recover(connection: sqlite3.Connection, owner: str, now: float) -> int:
    """Free every lease of an owner that begins a new life."""
    setback.mend(connection, now)  # first: what is interrupted now is so since now
    seqs = [row["seq"] for row in connection.execute(SELECT_LEASES_OF, (owner,)).fetchall()]
    for seq in seqs:
        interrupt(connection, seq, now)
    do_noted(connection, seqs, now)
    connection.execute(FREE_LEASES_OF, (owner,))
    return len(seqs)


def row_bodies(connection: sqlite3.Connection, caught: Sequence[Caught]) -> dict[int, bytes]:
    """Read the bodies that stand in the table, by seq; those that are missing or damaged are left out.

    Outside any transaction: a damaged page met within one makes its commit fail, and would take the claims of all
    others with it.
    """
    found = {one.row["seq"]: _row_body(connection, one.row) for one in caught if one.file is None}
    return {seq: data for seq, data in found.items() if data is not None}


def entries_of(connection: sqlite3.Connection, seqs: str) -> defaultdict[int, list[RecipientEntry]]:
    """Read the recipients of messages, by seq, in the order of their positions."""
    entries: defaultdict[int, list[RecipientEntry]] = defaultdict(list)
    for row in connection.execute(SELECT_ENTRIES, (seqs,)):
        entries[row["message"]].append(entry_from(row))
    return entries


def next_due_at(connection: sqlite3.Connection, now: float) -> float | None:
    """Tell when the next message that nobody works on is due; of a paused account not before the pause ends."""
    paused = _paused(connection, now)
    times = [max(_first_due(connection, account), until) for account, until in paused.items()]
    ended = {"now": now, "due_by": EVER}
    times += [
        max(row["due_at"], paused.get(row["account"], 0.0)) for row in connection.execute(SELECT_ENDED_LEASES, ended)
    ]
    times += [head.due_at for head in _oldest(connection, frozenset(paused))]
    earliest = min(times, default=EVER)
    return earliest if earliest < EVER else None


def _paused(connection: sqlite3.Connection, now: float) -> dict[str, float]:
    return {row["account"]: row["until"] for row in connection.execute(SELECT_PAUSED, {"now": now})}


def _first_due(connection: sqlite3.Connection, account: str) -> float:
    row = connection.execute(SELECT_HEAD_OF_ACCOUNT, {"account": account, "now": EVER, "limit": 1}).fetchone()
    return float(row["due_at"]) if row else EVER


def _head(connection: sqlite3.Connection, limit: int, excluded: frozenset[str], now: float) -> list[Candidate]:
    rows = connection.execute(SELECT_HEAD, {"now": now, "limit": limit})
    return [found for found in map(candidate, rows) if found.account not in excluded]


def _in_turn(
    connection: sqlite3.Connection, limit: int, excluded: frozenset[str], now: float, after: str
) -> list[Candidate]:
    """Take from each account in turn, of each the oldest first."""
    values = {"excluded": json.dumps(list(excluded)), "now": now, "limit": limit}
    whole, start = {"after": after, "last": BEHIND_ALL}, {"after": "", "last": after}
    rounds = (connection.execute(SELECT_ACCOUNTS_IN_TURN, values | part).fetchall() for part in (whole, start))
    accounts = [row["account"] for found in rounds for row in found][:limit]
    share = -(-limit // max(1, len(accounts)))
    heads = [
        connection.execute(SELECT_HEAD_OF_ACCOUNT, {"account": account, "now": now, "limit": share}).fetchall()
        for account in accounts
    ]
    taken = [row for row_of_each in zip_longest(*heads) for row in row_of_each if row is not None]
    return [candidate(row) for row in taken]


def _oldest(connection: sqlite3.Connection, excluded: frozenset[str]) -> list[Candidate]:
    """Return one that is due first of those that may be claimed some day; none: there is none."""
    rows = connection.execute(SELECT_HEAD, {"now": EVER, "limit": 1 + (SKIP_LIMIT if excluded else 0)}).fetchall()
    head = [found for found in map(candidate, rows) if found.account not in excluded]
    if head or len(rows) <= SKIP_LIMIT:
        return head[:1]
    values = {"limit": 1, "excluded": json.dumps(list(excluded)), "now": EVER}
    accounts = [row["account"] for row in connection.execute(SELECT_WAITING_ACCOUNTS, values)]
    firsts = {"now": EVER, "limit": 1}
    return [
        candidate(row)
        for account in accounts
        for row in connection.execute(SELECT_HEAD_OF_ACCOUNT, {"account": account, **firsts})
    ]


def _interrupt(connection: sqlite3.Connection, chosen: Sequence[Candidate], now: float) -> None:
    """End what the owners of leases that ended have left behind."""
    if abandoned := [each.seq for each in chosen if each.was_leased]:
        for seq in abandoned:
            interrupt(connection, seq, now)
        do_noted(connection, abandoned, now)


def _load(connection: sqlite3.Connection, seqs: str, now: float) -> tuple[list[Caught], list[str]]:
    caught: list[Caught] = []
    finished: list[sqlite3.Row] = []
    owing: list[sqlite3.Row] = []
    rows = connection.execute(SELECT_MESSAGES, (seqs,)).fetchall()
    entries = entries_of(connection, seqs)
    for row in rows:
        mine = entries[row["seq"]]
        if all(entry.state in FINAL_STATES for entry in mine):
            # Its owner died between record and release: nothing is left to be tried.
            (owing if any(entry.owed for entry in mine) else finished).append(row)
        else:
            caught.append(Caught(row, tuple(mine)))
    if finished:
        close(connection, [row["seq"] for row in finished], now)
    if owing:
        connection.execute(RELEASE_FINISHED, {"seqs": listed(row["seq"] for row in owing), "now": now})
    return caught, [row["body_file"] for row in finished if row["body_file"]]


def _row_body(connection: sqlite3.Connection, row: sqlite3.Row) -> bytes | None:
    try:
        found = connection.execute(SELECT_BODY, (row["seq"],)).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return None
    data: bytes | None = found["data"] if found else None
    return data if data is not None and len(data) == row["size"] else None
