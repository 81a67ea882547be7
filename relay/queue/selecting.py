"""Where a page of messages begins, and what a person's words mean to a store's statements. Pure."""

import json
import math

from relay.errors import BadCursor
from relay.message import domain_key, mailbox_key
from relay.queue.contract import FINAL_STATES, State
from relay.queue.control import Selection
from relay.queue.rows import Value

#: Recipients in doubt or held: up to so many are looked up and sorted; more are met soon enough among what is open.
FEW = 5000

#: Beyond every time, and every key of a row.
_EVER, _LAST = 1e18, 1 << 62


def source(selection: Selection, troubled: int) -> str:
    """Tell from where to look, so that as few rows as can be are met that do not match.

    Args:
        selection: what is looked for.
        troubled: how many recipients are held or unconfirmed.

    Returns:
        "ids", "mailbox", "troubled" (held or unconfirmed), "open" or "history".
    """
    if selection.ids:
        return "ids"
    if selection.recipient and not selection.recipient.startswith("@"):
        return "mailbox"
    if selection.states <= {State.HELD, State.UNCONFIRMED} and troubled <= FEW:
        return "troubled"
    return "history" if selection.states & FINAL_STATES else "open"


def page_values(selection: Selection, limit: int, after: str, *, newest_first: bool) -> dict[str, Value]:
    """Return the parameters of a page's statement: one message more than the page holds is asked for.

    Raises:
        BadCursor: no page was told to begin there.
    """
    at, seq = _read_cursor(after) if after else (_EVER, _LAST) if newest_first else (-_EVER, 0)
    return matching_values(selection) | {
        "ids": json.dumps(list(dict.fromkeys(selection.ids))),
        "account": selection.account,
        "sender": selection.sender.lower(),
        "since": selection.received_since,
        "before": selection.received_before,
        "after_at": at,
        "after_seq": seq,
        "limit": limit + 1,
    }


def matching_values(selection: Selection) -> dict[str, Value]:
    """Return the parameters of what a matching recipient is."""
    recipient = selection.recipient
    is_domain = recipient.startswith("@")
    return {
        "states": json.dumps(sorted(selection.states)),
        "mailbox": "" if is_domain else mailbox_key(recipient),
        "domain": f"@{domain_key(recipient[1:])}" if is_domain else "",
        "reason": selection.reason.lower(),
    }


def cursor(received_at: float, seq: int) -> str:
    """Return where the page behind a message begins."""
    return f"{received_at!r}/{seq}"


def _read_cursor(text: str) -> tuple[float, int]:
    at, _, seq = text.partition("/")
    try:
        place = float(at), int(seq)
    except ValueError:
        place = math.nan, 0
    if not (math.isfinite(place[0]) and abs(place[1]) < _LAST):
        raise BadCursor(f"no page begins after {text[:40]!r}: give what the page before told")
    return place
