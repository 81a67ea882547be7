"""How messages of the queue are shown: to people in tables, to programs as JSON. Never a subject, never a body."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from relay.commands.tables import show_json, show_record, show_table
from relay.plain import as_data, with_moments
from relay.queue.contract import Counts, RecipientEntry
from relay.queue.control import Backlog, Detail, Kept, Page

#: Recipients named in one line of a list.
_NAMED = 2


def show_page(page: Page, *, now: float, as_json: bool) -> None:
    """Print a list of messages, and how to go on."""
    if as_json:
        show_json({"messages": [_data(kept) for kept in page.messages], "after": page.after})
        return
    head = ("id", "age", "account", "from", "to", "size", "state", "next", "reason")
    show_table(head, [_line(kept, now) for kept in page.messages], nothing="nothing matches")
    if page.after:
        click.echo(f"there are more: --after {page.after}")


def show_detail(detail: Detail, *, now: float, as_json: bool) -> None:
    """Print all that is known of one message."""
    if as_json:
        show_json(_data(detail))
        return
    kept = detail.kept
    show_record(
        {
            "id": kept.id,
            "account": kept.account,
            "client": kept.client,
            "mode": kept.mode,
            "from": kept.mail_from or "<>",
            "size": kept.size,
            "received": _moment(kept.received_at),
            "given up": _moment(kept.expires_at),
            "due": _due(kept, now),
            "works on it": f"{kept.leased_by} until {_text(kept.lease_until)}" if kept.leased_by else "",
            "finished": _moment(kept.finished_at),
            "body": "kept" if kept.has_body else "gone",
            "ret": detail.ret,
            "envid": detail.envid,
            "account paused": f"until {_text(detail.pause.until)}: {detail.pause.reason}" if detail.pause else "",
            "noted": {kept.entries[position].recipient.address: verb for position, verb in detail.noted.items()},
            "notes": [f"{note.code}: {note.text}" for note in detail.notes],
        }
    )
    click.echo()
    head = ("recipient", "role", "state", "since", "attempts", "due", "reason", "id at the provider")
    show_table(head, [_recipient(entry, now) for entry in kept.entries])
    if detail.tried:
        click.echo()
        _show_tried(detail)
    if detail.acts:
        click.echo()
        rows = [(_moment(act.at), act.who, act.verb, act.recipients, act.messages) for act in detail.acts]
        show_table(("done at", "by", "what", "recipients", "of messages"), rows)


def show_stats(counts: Counts, backlogs: Sequence[Backlog], *, now: float, as_json: bool) -> None:
    """Print the queue at a glance."""
    if as_json:
        show_json(_data(counts) | {"backlogs": [_data(each) for each in backlogs]})
        return
    oldest = counts.oldest_received_at
    show_record(
        {
            "messages not finished": counts.messages_open,
            "oldest": "none" if oldest is None else f"{_span(now - oldest)} ago",
            "bytes kept": counts.bytes_kept,
            **{f"recipients {state.value}": count for state, count in counts.by_state.items()},
        }
    )
    click.echo()
    rows = [
        (
            each.account,
            each.messages,
            "now" if each.due_at <= now else f"in {_span(each.due_at - now)}",
            f"until {_text(each.pause.until)}: {each.pause.reason}" if each.pause else "",
        )
        for each in backlogs
    ]
    show_table(("account", "messages waiting", "first due", "paused"), rows, nothing="nothing waits")


def _show_tried(detail: Detail) -> None:
    entries = detail.kept.entries
    rows = [
        (
            entries[each.position].recipient.address,
            each.number,
            _moment(each.begun_at),
            "" if each.seconds is None else f"{each.seconds:.3f}",
            each.call,
            f"{each.outcome}, may have been accepted" if each.maybe_accepted else each.outcome,
            each.reason,
        )
        for each in detail.tried
    ]
    show_table(("recipient", "attempt", "begun", "seconds", "call", "outcome", "reason"), rows)


def _line(kept: Kept, now: float) -> tuple[object, ...]:
    named = [entry.recipient.address for entry in kept.entries[:_NAMED]]
    more = len(kept.entries) - _NAMED
    states = Counter(entry.state.value for entry in kept.entries)
    shown = next(iter(states)) if len(states) == 1 else ", ".join(f"{count} {state}" for state, count in states.items())
    return (
        kept.id,
        _span(now - kept.received_at),
        kept.account,
        kept.mail_from or "<>",
        ", ".join(named) + (f" and {more} more" if more > 0 else ""),
        kept.size,
        shown,
        _due(kept, now),
        next((entry.reason for entry in kept.entries if entry.reason), ""),
    )


def _recipient(entry: RecipientEntry, now: float) -> tuple[object, ...]:
    return (
        entry.recipient.address,
        entry.recipient.role,
        entry.state,
        _moment(entry.changed_at),
        entry.attempts,
        "" if entry.due_at is None else _in(entry.due_at - now),
        entry.reason,
        entry.provider_message_id,
    )


def _due(kept: Kept, now: float) -> str:
    if kept.leased_by:
        return "at it"
    return "" if kept.due_at is None else _in(kept.due_at - now)


def _in(span: float) -> str:
    return "now" if span <= 0 else f"in {_span(span)}"


def _span(span: float) -> str:
    """Write a span of seconds by its two largest units."""
    whole = max(0, int(span))
    units = (("d", whole // 86400), ("h", whole // 3600 % 24), ("m", whole // 60 % 60), ("s", whole % 60))
    first = next((index for index, (_, count) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count}{unit}" for unit, count in units[first : first + 2] if count) or "0s"


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _text(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds")


def _data(value: object) -> dict[str, Any]:
    found = with_moments(as_data(value))
    assert isinstance(found, dict)  # noqa: S101 - a dataclass becomes an object
    return found
