"""Recipients that the API may have, and whom else its word of them could mean. Runs in the reader thread."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection

from relay.message import MessageId
from relay.queue.contract import Doubted, Suspects
from relay.queue.sqlite.claiming import entries_of
from relay.queue.sqlite.many import listed

# A first attempt that was made while the client waited is journalled only when the message is kept: it began after the
# message had come.
_BEGUN_AT = "CASE WHEN a.number <= 1 AND m.mode <> 'queue' THEN m.received_at ELSE a.begun_at END"

SELECT_DOUBTED = f"""
SELECT r.message, r.position, m.id, m.account, (
    SELECT min({_BEGUN_AT}) FROM attempt AS a
    WHERE a.message = r.message AND a.position = r.position AND a.maybe_accepted) AS begun_at, (
    SELECT max({_BEGUN_AT}) FROM attempt AS a
    WHERE a.message = r.message AND a.position = r.position AND a.maybe_accepted) AS last_begun_at
FROM recipient AS r INDEXED BY recipient_doubted CROSS JOIN message AS m ON m.seq = r.message
WHERE r.state IN ('unconfirmed', 'held') AND (r.state = 'unconfirmed' OR r.changed_at >= :held_since)
    AND begun_at IS NOT NULL AND m.account = coalesce(:account, m.account)
ORDER BY r.changed_at LIMIT :limit
"""  # noqa: S608 - our own words
# Whatever their state is now: an attempt that may have been taken stays one when another follows it.
SELECT_ATTEMPTED = f"""
SELECT r.mailbox, m.id, min({_BEGUN_AT}) AS begun_at
FROM recipient AS r INDEXED BY recipient_mailbox
CROSS JOIN attempt AS a ON a.message = r.message AND a.position = r.position
CROSS JOIN message AS m ON m.seq = r.message
WHERE r.mailbox IN (SELECT value FROM json_each(:mailboxes)) AND r.changed_at >= :since AND a.maybe_accepted
GROUP BY r.mailbox, m.id
"""  # noqa: S608 - our own words
SELECT_SENDING = """
SELECT r.mailbox, m.id,
    CASE WHEN r.attempts <= 1 AND m.mode <> 'queue' THEN m.received_at ELSE r.changed_at END AS begun_at
FROM message AS m INDEXED BY message_lease CROSS JOIN recipient AS r ON r.message = m.seq
WHERE m.leased_by IS NOT NULL AND r.state = 'sending' AND r.mailbox IN (SELECT value FROM json_each(:mailboxes))
"""
SELECT_DOUBTS = """
SELECT mailbox.value AS mailbox, 'doubt ' || hex(d.mark) AS id, 0.0 AS begun_at
FROM doubt AS d CROSS JOIN json_each(d.known, '$.maybe_accepted') AS mailbox
WHERE mailbox.value IN (SELECT value FROM json_each(:mailboxes))
UNION ALL
SELECT mailbox.key, 'doubt ' || hex(d.mark), 0.0
FROM doubt AS d CROSS JOIN json_each(d.known, '$.accepted') AS mailbox
WHERE mailbox.key IN (SELECT value FROM json_each(:mailboxes))
"""
SELECT_BATCHES = """
SELECT DISTINCT r.provider_batch_id AS batch, m.id
FROM recipient AS r INDEXED BY recipient_provider_batch CROSS JOIN message AS m ON m.seq = r.message
WHERE r.provider_batch_id <> '' AND r.provider_batch_id IN (SELECT value FROM json_each(?))
"""


def doubted(connection: sqlite3.Connection, account: str | None, limit: int, held_since: float) -> list[Doubted]:
    """List who is in doubt, by message."""
    begun_at: defaultdict[int, dict[int, float]] = defaultdict(dict)
    last_begun_at: defaultdict[int, dict[int, float]] = defaultdict(dict)
    messages: dict[int, sqlite3.Row] = {}
    values = {"account": account, "limit": limit, "held_since": held_since}
    for row in connection.execute(SELECT_DOUBTED, values):
        begun_at[row["message"]][row["position"]] = row["begun_at"]
        last_begun_at[row["message"]][row["position"]] = row["last_begun_at"]
        messages[row["message"]] = row
    entries = entries_of(connection, listed(messages))
    return [
        Doubted(MessageId(row["id"]), row["account"], tuple(entries[seq]), begun_at[seq], last_begun_at[seq])
        for seq, row in messages.items()
    ]


def suspects(
    connection: sqlite3.Connection, mailboxes: Collection[str], batches: Collection[str], since: float
) -> Suspects:
    """Find everybody who may be meant."""
    begun_at: defaultdict[str, dict[str, float]] = defaultdict(dict)
    values = {"mailboxes": listed(mailboxes), "since": since}
    for query in (SELECT_ATTEMPTED, SELECT_SENDING, SELECT_DOUBTS):
        for row in connection.execute(query, values):
            known = begun_at[row["mailbox"]]
            known[row["id"]] = min(row["begun_at"], known.get(row["id"], row["begun_at"]))
    known_batches: defaultdict[str, set[MessageId]] = defaultdict(set)
    for row in connection.execute(SELECT_BATCHES, (listed(batches),)):
        known_batches[row["batch"]].add(MessageId(row["id"]))
    return Suspects(begun_at, {batch: frozenset(found) for batch, found in known_batches.items()})
