"""Finding the messages that a person asks for, page by page, in the order in which they were received."""

import json
from collections.abc import Mapping

from relay.queue.control import Selection
from relay.queue.postgres.many import Connection
from relay.queue.rows import Value
from relay.queue.selecting import cursor, page_values, source

#: The parameters of `MATCHING`, the first of a statement in this order.
MATCHING_VALUES = ("states", "mailbox", "domain", "reason")
#: What a matching recipient `r` is.
MATCHING = """
r.state = ANY ($1::text[])
AND ($2::text = '' OR r.mailbox = $2)
AND ($3::text = '' OR right(r.mailbox, length($3)) = $3)
AND ($4::text = '' OR strpos(lower(r.reason), $4) > 0)
"""
_PAGE_VALUES = (*MATCHING_VALUES, "ids", "account", "sender", "since", "before", "after_at", "after_seq", "limit")
_SELECT_PAGE = """
SELECT m.seq, m.received_at FROM {source} (m.received_at, m.seq) {after} ($10::float8, $11::bigint)
AND (cardinality($5::text[]) = 0 OR m.id = ANY ($5))
AND ($6::text = '' OR m.account = $6)
AND CASE WHEN $7::text = '' THEN true WHEN $7 = '<>' THEN m.mail_from = ''
    WHEN $7 LIKE '@%' THEN right(lower(m.mail_from), length($7)) = $7
    ELSE lower(m.mail_from) = $7 END
AND m.received_at >= $8::float8 AND m.received_at < $9::float8
AND EXISTS (SELECT 1 FROM recipient AS r WHERE r.message = m.seq AND {matching})
ORDER BY m.received_at {order}, m.seq {order} LIMIT $12
"""
_SOURCES = {
    "ids": "unnest($5::text[]) AS wanted (id) JOIN message AS m ON m.id = wanted.id WHERE",
    "mailbox": """
(SELECT DISTINCT message FROM recipient WHERE mailbox = $2) AS found
JOIN message AS m ON m.seq = found.message WHERE""",
    "troubled": """
(SELECT DISTINCT message FROM recipient WHERE state IN ('unconfirmed', 'held')) AS found
JOIN message AS m ON m.seq = found.message WHERE""",
    "open": "message AS m WHERE m.finished_at IS NULL AND",
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
SELECT_TROUBLED = """
SELECT coalesce(sum(value), 0)::bigint AS troubled FROM tally WHERE name IN ('held', 'unconfirmed')
"""


async def page(
    connection: Connection, selection: Selection, *, limit: int, after: str, newest_first: bool = False
) -> tuple[list[int], str]:
    """Return the keys of the next messages that match, and where the page behind them begins; empty: nowhere."""
    values = page_values(selection, limit, after, newest_first=newest_first)
    troubled = await connection.fetchrow(SELECT_TROUBLED)
    statement = PAGES[source(selection, troubled["troubled"] if troubled else 0), newest_first]
    rows = await connection.fetch(statement, *ordered(values, _PAGE_VALUES))
    more = cursor(rows[limit - 1]["received_at"], rows[limit - 1]["seq"]) if len(rows) > limit else ""
    return [row["seq"] for row in rows[:limit]], more


def ordered(values: Mapping[str, Value], names: tuple[str, ...]) -> list[object]:
    """Put named parameters into their order; lists come as JSON and go as arrays."""
    lists = {"states", "ids"}
    return [json.loads(str(values[name])) if name in lists else values[name] for name in names]
