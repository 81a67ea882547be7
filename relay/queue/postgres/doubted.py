"""Recipients that the API may have, and whom else its word of them could mean."""

from collections import defaultdict
from collections.abc import Collection

from relay.message import MessageId
from relay.queue.contract import Doubted, Suspects
from relay.queue.postgres.claiming import entries_of
from relay.queue.postgres.many import Connection
from relay.queue.rows import Row

# A first attempt that was made while the client waited is journalled only when the message is kept: it began after the
# message had come.
_BEGUN_AT = "CASE WHEN a.number <= 1 AND m.mode <> 'queue' THEN m.received_at ELSE a.begun_at END"

SELECT_DOUBTED = f"""
SELECT r.message, r.position, m.id, m.account, began.at AS begun_at, began.last_at AS last_begun_at
FROM recipient AS r JOIN message AS m ON m.seq = r.message CROSS JOIN LATERAL (
    SELECT min({_BEGUN_AT}) AS at, max({_BEGUN_AT}) AS last_at FROM attempt AS a
    WHERE a.message = r.message AND a.position = r.position AND a.maybe_accepted) AS began
WHERE r.state IN ('unconfirmed', 'held') AND (r.state = 'unconfirmed' OR r.changed_at >= $3)
    AND began.at IS NOT NULL AND m.account = coalesce($1, m.account)
ORDER BY r.changed_at LIMIT $2
"""  # noqa: S608 - our own words
# Whatever their state is now: an attempt that may have been taken stays one when another follows it.
SELECT_ATTEMPTED = f"""
SELECT r.mailbox, m.id, min({_BEGUN_AT}) AS begun_at
FROM recipient AS r
JOIN attempt AS a ON a.message = r.message AND a.position = r.position
JOIN message AS m ON m.seq = r.message
WHERE r.mailbox = ANY($1::text[]) AND r.changed_at >= $2 AND a.maybe_accepted
GROUP BY r.mailbox, m.id
"""  # noqa: S608 - our own words
SELECT_SENDING = """
SELECT r.mailbox, m.id,
    CASE WHEN r.attempts <= 1 AND m.mode <> 'queue' THEN m.received_at ELSE r.changed_at END AS begun_at
FROM message AS m JOIN recipient AS r ON r.message = m.seq
WHERE m.leased_by IS NOT NULL AND r.state = 'sending' AND r.mailbox = ANY($1::text[])
"""
SELECT_DOUBTS = """
SELECT mailbox, 'doubt ' || upper(encode(d.mark, 'hex')) AS id, 0.0::float8 AS begun_at
FROM doubt AS d CROSS JOIN LATERAL (
    SELECT json_array_elements_text(d.known::json -> 'maybe_accepted') AS mailbox
    UNION ALL SELECT json_object_keys(d.known::json -> 'accepted')) AS known
WHERE mailbox = ANY($1::text[])
"""
SELECT_BATCHES = """
SELECT DISTINCT r.provider_batch_id AS batch, m.id
FROM recipient AS r JOIN message AS m ON m.seq = r.message
WHERE r.provider_batch_id <> '' AND r.provider_batch_id = ANY($1::text[])
"""


async def doubted(connection: Connection, account: str | None, limit: int, held_since: float) -> list[Doubted]:
    """List who is in doubt, by message."""
    begun_at: defaultdict[int, dict[int, float]] = defaultdict(dict)
    last_begun_at: defaultdict[int, dict[int, float]] = defaultdict(dict)
    messages: dict[int, Row] = {}
    for row in await connection.fetch(SELECT_DOUBTED, account, limit, held_since):
        begun_at[row["message"]][row["position"]] = row["begun_at"]
        last_begun_at[row["message"]][row["position"]] = row["last_begun_at"]
        messages[row["message"]] = row
    entries = await entries_of(connection, list(messages))
    return [
        Doubted(MessageId(row["id"]), row["account"], tuple(entries[seq]), begun_at[seq], last_begun_at[seq])
        for seq, row in messages.items()
    ]


async def suspects(
    connection: Connection, mailboxes: Collection[str], batches: Collection[str], since: float
) -> Suspects:
    """Find everybody who may be meant."""
    wanted = list(mailboxes)
    rows = [
        *await connection.fetch(SELECT_ATTEMPTED, wanted, since),
        *await connection.fetch(SELECT_SENDING, wanted),
        *await connection.fetch(SELECT_DOUBTS, wanted),
    ]
    begun_at: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        known = begun_at[row["mailbox"]]
        known[row["id"]] = min(row["begun_at"], known.get(row["id"], row["begun_at"]))
    found: defaultdict[str, set[MessageId]] = defaultdict(set)
    for row in await connection.fetch(SELECT_BATCHES, list(batches)):
        found[row["batch"]].add(MessageId(row["id"]))
    return Suspects(begun_at, {batch: frozenset(messages) for batch, messages in found.items()})
