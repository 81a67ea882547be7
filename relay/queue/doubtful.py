"""Messages in doubt as rows, and whether somebody else is taking one. Pure."""

import json
from dataclasses import astuple

from relay.outcome import Accepted, Reply
from relay.queue.contract import Doubt
from relay.queue.rows import Row

#: What is told to who lost a message in doubt, and to who wants one that is being taken.
LOST = "the same message has been given to somebody else"
BEING_TAKEN = "the same message is being taken already"
#: So much further than one given now may a lease reach: who took it read a clock that was a moment ahead of ours, or
#: waited for slower calls by the configuration of its time. Beyond that it was given before the clock was set back.
LONGER_SECONDS = 3600.0


def is_being_taken(row: Row, now: float, lease_until: float) -> bool:
    """Tell whether a message is somebody's, where a lease given now would reach to a time."""
    return row["token"] is not None and bool(now < row["lease_until"] <= lease_until + LONGER_SECONDS)


def known_text(doubt: Doubt) -> str:
    """Write what is known of a message in doubt."""
    return json.dumps(
        {
            "reply": astuple(doubt.reply) if doubt.reply else None,
            "is_queued": doubt.is_queued,
            "accepted": {mailbox: astuple(said) for mailbox, said in doubt.accepted.items()},
            "maybe_accepted": sorted(doubt.maybe_accepted),
        }
    )


def doubt_from(row: Row) -> Doubt:
    """Read the row of a message in doubt."""
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
