"""What a person is told of a message, from its rows. Pure."""

import json
from collections.abc import Iterable, Sequence

from relay.message import MessageId
from relay.mime.content import Fidelity, Note
from relay.queue.contract import Act, Pause, RecipientEntry, Verb
from relay.queue.control import Detail, Kept, Tried
from relay.queue.rows import Row


def kept_from(row: Row, entries: Sequence[RecipientEntry]) -> Kept:
    """Read a message's row."""
    return Kept(
        id=MessageId(row["id"]),
        account=row["account"],
        client=row["client"],
        mode=row["mode"],
        mail_from=row["mail_from"],
        size=row["size"],
        received_at=row["received_at"],
        expires_at=row["expires_at"],
        due_at=row["due_at"],
        leased_by=row["leased_by"] or "",
        lease_until=row["lease_until"],
        finished_at=row["finished_at"],
        has_body=row["kept_bytes"] > 0,
        entries=tuple(entries),
    )


def tried_from(row: Row) -> Tried:
    """Read one row of a recipient's history."""
    return Tried(
        position=row["position"],
        number=row["number"],
        owner=row["owner"],
        begun_at=row["begun_at"],
        ended_at=row["ended_at"],
        seconds=row["seconds"],
        call=row["call"],
        outcome=row["outcome"],
        maybe_accepted=bool(row["maybe_accepted"]),
        reason=row["reason"],
        provider_message_id=row["provider_message_id"],
        provider_batch_id=row["provider_batch_id"],
    )


def detail_from(
    row: Row,
    kept: Kept,
    *,
    tried: Iterable[Row],
    acts: Iterable[Act],
    noted: Iterable[Row],
    pauses: Iterable[Pause],
) -> Detail:
    """Put together all that is known of one message."""
    return Detail(
        kept=kept,
        ret=row["ret"],
        envid=row["envid"],
        notes=tuple(Note(code, text, Fidelity(fidelity)) for code, text, fidelity in json.loads(row["notes"])),
        tried=tuple(tried_from(each) for each in tried),
        acts=tuple(acts),
        noted={each["position"]: Verb(each["verb"]) for each in noted},
        pause=next((pause for pause in pauses if pause.account == kept.account), None),
    )
