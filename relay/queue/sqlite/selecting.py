"""Finding the messages that a person asks for, page by page, in the order in which they were received.

What is open is read in that order from an index, however much was finished before; a few that are named, or that wait
for a person, are looked up and sorted. Only who asks for what is finished has the whole history looked through.
"""

import sqlite3
from collections.abc import Mapping, Sequence

from relay.queue.control import Selection
from relay.queue.selecting import cursor, page_values, source

#: What a matching recipient `r` is.
MATCHING = """
r.state IN (SELECT value FROM json_each(:states))
AND (:mailbox = '' OR r.mailbox = :mailbox)
AND (:domain = '' OR substr(r.mailbox, -length(:domain)) = :domain)
AND (:reason = '' OR instr(lower(r.reason), :reason) > 0)
"""
_SELECT_PAGE = """
SELECT m.seq, m.received_at FROM {source} (m.received_at, m.seq) {after} (:after_at, :after_seq)
AND (:ids = '[]' OR m.id IN (SELECT value FROM json_each(:ids)))
AND (:account = '' OR m.account = :account)
AND CASE WHEN :sender = '' THEN 1 WHEN :sender = '<>' THEN m.mail_from = ''
    WHEN :sender LIKE '@%' THEN substr(lower(m.mail_from), -length(:sender)) = :sender
    ELSE lower(m.mail_from) = :sender END
AND m.received_at >= :since AND m.received_at < :before
AND EXISTS (SELECT 1 FROM recipient AS r WHERE r.message = m.seq AND {matching})
ORDER BY m.received_at {order}, m.seq {order} LIMIT :limit
"""
_SOURCES = {
    "ids": "json_each(:ids) AS wanted CROSS JOIN message AS m ON m.id = wanted.value WHERE",
    "mailbox": """
(SELECT DISTINCT message FROM recipient INDEXED BY recipient_mailbox WHERE mailbox = :mailbox) AS found
CROSS JOIN message AS m ON m.seq = found.message WHERE""",
    "troubled": """
(SELECT DISTINCT message FROM recipient INDEXED BY recipient_doubted WHERE state IN ('unconfirmed', 'held')) AS found
CROSS JOIN message AS m ON m.seq = found.message WHERE""",
    "open": "message AS m INDEXED BY message_open WHERE m.finished_at IS NULL AND",
    "history": "message AS m WHERE",
}
#: By source and whether the newest come first.
PAGES: Mapping[tuple[str, bool], str] = {
    (name, newest_first): _SELECT_PAGE.format(
        source=source,
        matching=MATCHING,
        after="<" if newest_first else ">",
        order="DESC" if newest_first else "ASC",
    )
    for name, source in _SOURCES.items()
    for newest_first in (False, True)
}
SELECT_TROUBLED = "SELECT sum(value) FROM tally WHERE name IN ('held', 'unconfirmed')"


def page(
    connection: sqlite3.Connection, selection: Selection, *, limit: int, after: str, newest_first: bool = False
) -> tuple[list[int], str]:
    """Return the keys of the next messages that match, and where the page behind them begins; empty: nowhere."""
    values = page_values(selection, limit, after, newest_first=newest_first)
    troubled = int(connection.execute(SELECT_TROUBLED).fetchone()[0])
    statement = PAGES[source(selection, troubled), newest_first]
    rows: Sequence[sqlite3.Row] = connection.execute(statement, values).fetchall()
    more = cursor(rows[limit - 1]["received_at"], rows[limit - 1]["seq"]) if len(rows) > limit else ""
    return [row["seq"] for row in rows[:limit]], more
