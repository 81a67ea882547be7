"""Finding what is due and leasing it.

Any number of nodes look at once: what one has locked the others step over (SKIP LOCKED), and what one has leased they
do not see. What is locked and then not taken is free again a moment later; who missed it looks again.

As in SQLite, where much is due the index by account and due time is asked, one look for each account whose turn it is:
neither may an account that must not be claimed from be scanned through, nor may it stand before the others.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from relay.queue.candidates import BEHIND_ALL, EVER, SKIP_LIMIT, Candidate, candidate, order, within_bytes
from relay.queue.contract import FINAL_STATES, Claim, RecipientEntry
from relay.queue.postgres import setback
from relay.queue.postgres.acting import do_noted
from relay.queue.postgres.connection import DAMAGES
from relay.queue.postgres.history import interrupt
from relay.queue.postgres.keeping import close
from relay.queue.postgres.leases import LEASE_NOW
from relay.queue.postgres.many import Connection
from relay.queue.rows import Row, batch_of, entry_from, message_from

SELECT_PAUSED = "SELECT account, until FROM pause WHERE until > $1"
# Whether so many are due: counted along the index message_due.
SELECT_IS_DEEP = """
SELECT 1 AS is_deep FROM message WHERE leased_by IS NULL AND due_at <= $1 ORDER BY due_at, seq LIMIT 1 OFFSET $2
"""
# The head of the queue.
SELECT_HEAD = """
SELECT seq, account, due_at, size FROM message
WHERE leased_by IS NULL AND due_at <= $1 AND account <> ALL ($3::text[]) ORDER BY due_at, seq LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
"""
SELECT_OLDEST = """
SELECT account, due_at FROM message WHERE leased_by IS NULL AND due_at IS NOT NULL ORDER BY due_at, seq LIMIT $1
"""
# The accounts that have something waiting, one index look-up for each (a "loose index scan").
SELECT_OLDEST_BY_ACCOUNT = """
WITH RECURSIVE waiting (account) AS (
    SELECT min(account) FROM message WHERE leased_by IS NULL AND due_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(m.account) FROM message AS m
            WHERE m.leased_by IS NULL AND m.due_at IS NOT NULL AND m.account > waiting.account)
    FROM waiting WHERE waiting.account IS NOT NULL
)
SELECT min((SELECT min(m.due_at) FROM message AS m
            WHERE m.account = waiting.account AND m.leased_by IS NULL AND m.due_at IS NOT NULL)) AS due_at
FROM waiting WHERE account <> ALL ($1::text[])
"""
# The accounts with something due behind one of them, in the order of their names; no further than another.
SELECT_ACCOUNTS_IN_TURN = """
WITH RECURSIVE waiting (account) AS (
    SELECT min(account) FROM message WHERE leased_by IS NULL AND due_at IS NOT NULL AND account > $1
    UNION ALL
    SELECT (SELECT min(m.account) FROM message AS m
            WHERE m.leased_by IS NULL AND m.due_at IS NOT NULL AND m.account > waiting.account)
    FROM waiting WHERE waiting.account < $2
)
SELECT account FROM waiting
WHERE account <= $2 AND account <> ALL ($3::text[])
    AND (SELECT min(m.due_at) FROM message AS m
         WHERE m.account = waiting.account AND m.leased_by IS NULL AND m.due_at IS NOT NULL) <= $4
LIMIT $5
"""
SELECT_HEADS_OF_ACCOUNTS = """
SELECT m.* FROM unnest($1::text[]) AS chosen (account) CROSS JOIN LATERAL (
    SELECT seq, account, due_at, size FROM message
    WHERE account = chosen.account AND leased_by IS NULL AND due_at <= $2 ORDER BY due_at, seq LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED) AS m
"""
SELECT_FIRST_OF_ACCOUNT = "SELECT min(due_at) AS due_at FROM message WHERE account = $1 AND leased_by IS NULL"
# Leases that ended: as few as calls were under way.
SELECT_ENDED_LEASES = f"""
SELECT seq, account, due_at, size FROM message
WHERE leased_by IS NOT NULL AND lease_until <= {LEASE_NOW} AND due_at <= $2 ORDER BY due_at, seq
"""  # noqa: S608 - our own words
LOCKED = " FOR NO KEY UPDATE SKIP LOCKED"
LEASE_MESSAGES = f"""
UPDATE message SET leased_by = $2, lease_until = {LEASE_NOW} + $3, lease = lease + 1 WHERE seq = ANY($4::bigint[])
RETURNING *
"""  # noqa: S608 - our own words
# The body stays until the sender has been told.
RELEASE_FINISHED = """
UPDATE message SET due_at = NULL, leased_by = NULL, lease_until = NULL, finished_at = coalesce(finished_at, $2)
WHERE seq = ANY($1::bigint[])
"""
SELECT_ENTRIES = "SELECT * FROM recipient WHERE message = ANY($1::bigint[]) ORDER BY message, position"
SELECT_BODIES = "SELECT message, data FROM body WHERE message = ANY($1::bigint[]) ORDER BY message, part"
LOCK_LEASES_OF = "SELECT seq FROM message WHERE leased_by = $1 ORDER BY seq FOR NO KEY UPDATE"
FREE_LEASES = "UPDATE message SET leased_by = NULL, lease_until = NULL WHERE seq = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Caught:
    """A message that was leased, as its rows tell; its body is still to be read."""

    row: Row
    entries: tuple[RecipientEntry, ...]

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
class Asked:
    """What a claim asks for."""

    owner: str
    limit: int
    lease_seconds: float
    without: Collection[str]
    now: float
    lease_now: float | None  # see `LEASE_NOW`
    after: str = ""  # the account that had its turn last


@dataclass(frozen=True, slots=True)
class Catch:
    """What one claim brought."""

    caught: tuple[Caught, ...]
    is_cut: bool  # more is due than was taken
    last: str  # the account that had its turn last


async def claim(connection: Connection, asked: Asked) -> Catch:
    """Lease due messages, interrupting attempts that nobody ended."""
    excluded = sorted({*asked.without, *await _paused(connection, asked.now)})
    ended = await connection.fetch(SELECT_ENDED_LEASES + LOCKED, asked.lease_now, asked.now)
    abandoned = [candidate(row, was_leased=True) for row in ended if row["account"] not in excluded]
    is_deep = await connection.fetchrow(SELECT_IS_DEEP, asked.now, asked.limit + SKIP_LIMIT) is not None
    if is_deep:
        candidates = abandoned + await _in_turn(connection, asked, excluded)
    else:
        rows = await connection.fetch(SELECT_HEAD, asked.now, asked.limit + 1, excluded)
        candidates = sorted(abandoned + [candidate(row) for row in rows], key=order)
    chosen = within_bytes(candidates[: asked.limit])
    if left_behind := [each.seq for each in chosen if each.was_leased]:
        await interrupt(connection, left_behind, asked.now)
        await do_noted(connection, left_behind, asked.now)
    caught = await _lease(connection, asked, [each.seq for each in chosen]) if chosen else []
    is_cut = len(chosen) < len(candidates) or (is_deep and bool(chosen))
    return Catch(tuple(caught), is_cut, chosen[-1].account if chosen else asked.after)


async def recover(connection: Connection, owner: str, now: float, lease_now: float | None) -> int:
    """Free every lease of an owner that begins a new life."""
    await setback.mend(connection, now, lease_now)  # first: what is interrupted now is so since now
    seqs = [row["seq"] for row in await connection.fetch(LOCK_LEASES_OF, owner)]
    if seqs:
        await interrupt(connection, seqs, now)
        await do_noted(connection, seqs, now)
        await connection.execute(FREE_LEASES, seqs)
    return len(seqs)


async def bodies(connection: Connection, caught: Sequence[Caught]) -> dict[int, bytes]:
    """Read the bodies, by seq; those that are missing, not whole or damaged are left out."""
    sizes = {each.row["seq"]: each.row["size"] for each in caught}
    try:
        found = await _bodies(connection, list(sizes))
    except DAMAGES:
        found = {}
        for seq in sizes:  # one by one: the others are whole
            found |= await _body_if_whole(connection, seq)
    return {seq: data for seq, data in found.items() if len(data) == sizes[seq]}


async def entries_of(connection: Connection, seqs: Sequence[int]) -> Mapping[int, list[RecipientEntry]]:
    """Read the recipients of messages, by seq, in the order of their positions."""
    entries: defaultdict[int, list[RecipientEntry]] = defaultdict(list)
    for row in await connection.fetch(SELECT_ENTRIES, seqs):
        entries[row["message"]].append(entry_from(row))
    return entries


async def next_due_at(connection: Connection, now: float, lease_now: float | None) -> float | None:
    """Tell when the next message that nobody works on is due; of a paused account not before the pause ends."""
    paused = await _paused(connection, now)
    times = [max(await _first_due(connection, account), until) for account, until in paused.items()]
    times += [
        max(row["due_at"], paused.get(row["account"], 0.0))
        for row in await connection.fetch(SELECT_ENDED_LEASES, lease_now, EVER)
    ]
    times.append(await _oldest(connection, sorted(paused)))
    earliest = min(times, default=EVER)
    return earliest if earliest < EVER else None


async def _paused(connection: Connection, now: float) -> Mapping[str, float]:
    return {row["account"]: row["until"] for row in await connection.fetch(SELECT_PAUSED, now)}


async def _first_due(connection: Connection, account: str) -> float:
    row = await connection.fetchrow(SELECT_FIRST_OF_ACCOUNT, account)
    return EVER if row is None or row["due_at"] is None else float(row["due_at"])


async def _in_turn(connection: Connection, asked: Asked, excluded: Sequence[str]) -> list[Candidate]:
    """Take from each account in turn, of each the oldest first."""
    accounts = [
        row["account"]
        for behind, last in ((asked.after, BEHIND_ALL), ("", asked.after))
        for row in await connection.fetch(SELECT_ACCOUNTS_IN_TURN, behind, last, excluded, asked.now, asked.limit)
    ][: asked.limit]
    share = -(-asked.limit // max(1, len(accounts)))
    heads: dict[str, list[Candidate]] = {account: [] for account in accounts}
    for row in await connection.fetch(SELECT_HEADS_OF_ACCOUNTS, accounts, asked.now, share):
        heads[row["account"]].append(candidate(row))
    return [each for one_of_each in zip_longest(*heads.values()) for each in one_of_each if each is not None]


async def _oldest(connection: Connection, excluded: Sequence[str]) -> float:
    """Tell when the first of those is due that may be claimed some day."""
    rows = await connection.fetch(SELECT_OLDEST, 1 + (SKIP_LIMIT if excluded else 0))
    head = [row["due_at"] for row in rows if row["account"] not in excluded]
    if head or len(rows) <= SKIP_LIMIT:
        return min(head, default=EVER)
    row = await connection.fetchrow(SELECT_OLDEST_BY_ACCOUNT, excluded)
    return EVER if row is None or row["due_at"] is None else float(row["due_at"])


async def _lease(connection: Connection, asked: Asked, seqs: Sequence[int]) -> list[Caught]:
    rows = await connection.fetch(LEASE_MESSAGES, asked.lease_now, asked.owner, asked.lease_seconds, seqs)
    entries = await entries_of(connection, seqs)
    # Where its owner died between record and release, nothing is left to be tried.
    finished = [seq for seq in seqs if all(entry.state in FINAL_STATES for entry in entries[seq])]
    owing = [seq for seq in finished if any(entry.owed for entry in entries[seq])]
    if owing:
        await connection.execute(RELEASE_FINISHED, owing, asked.now)
    if closed := [seq for seq in finished if seq not in owing]:
        await close(connection, closed, asked.now)
    caught = [Caught(row, tuple(entries[row["seq"]])) for row in rows if row["seq"] not in finished]
    return sorted(caught, key=lambda each: (each.row["due_at"], each.row["seq"]))


async def _bodies(connection: Connection, seqs: Sequence[int]) -> dict[int, bytes]:
    parts: defaultdict[int, list[bytes]] = defaultdict(list)
    for row in await connection.fetch(SELECT_BODIES, seqs):
        parts[row["message"]].append(row["data"])
    return {seq: mine[0] if len(mine) == 1 else b"".join(mine) for seq, mine in parts.items()}


async def _body_if_whole(connection: Connection, seq: int) -> dict[int, bytes]:
    try:
        return await _bodies(connection, [seq])
    except DAMAGES:
        return {}
