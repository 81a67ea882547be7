"""Which unproven facts a real account confirms: asked by calls that read and change nothing, one after the other.

Invalidating is a GET too (doc), and is never asked for; nor is anything that sends, saves or removes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from relay.errors import ApiRefused, ProviderError
from relay.providers.dmds.api.client import DmdsClient
from relay.providers.dmds.api.events import LEAST_PAGE_SIZE
from relay.providers.dmds.api.values import Event
from relay.providers.dmds.wire import DmdsWire
from relay.providers.wire import Mark, verb_and_path, wire_names

_PROVEN = frozenset({Mark.DOC, Mark.CLIENT, Mark.WIRE})
_NO_SUCH_METHOD = frozenset({404, 405})
#: Asked also with another verb than GET: nothing but the answer can come of them.
_READING = {"call_events": {"GET", "POST"}, "call_events_count": {"GET", "POST"}}
_LOOK_BACK = timedelta(days=30)

Value = TypeVar("Value")


class Verdict(StrEnum):
    """What was found out about a fact."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    OPEN = "open"  # it was asked, and the answer does not tell
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One unproven fact of the wire table, and what the account says of it."""

    key: str  # as in [provider.dmds.wire]
    value: str  # in use
    mark: Mark
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class _Said:
    verdict: Verdict
    why: str


async def examine(client: DmdsClient, *, campaign: int, now: datetime) -> tuple[Finding, ...]:
    """Ask what can be asked without changing anything, and tell of every unproven fact.

    Args:
        client: With the credentials of a real account.
        campaign: A campaign whose key may be read; 0: none.
        now: The end of the time in which events are looked for.

    Raises:
        ApiRefused: The credentials are wrong: nothing can be found out.
    """
    said = await _of_lists(client, campaign)
    events = await _of_events(client, now, said)
    await _of_one_event(client, events, said)
    not_asked = _Said(Verdict.NOT_ASKED, "only a call that changes or sends something could tell")
    findings = []
    for row in wire_names(DmdsWire):
        if row.mark not in _PROVEN:
            told = said.get(row.key, not_asked)
            findings.append(Finding(row.key, str(getattr(client.wire, row.key)), row.mark, told.verdict, told.why))
    return tuple(findings)


async def _of_lists(client: DmdsClient, campaign: int) -> dict[str, _Said]:
    said = {
        row.key: _Said(Verdict.NOT_ASKED, "its verb may change something")
        for row in wire_names(DmdsWire)
        if row.is_call and verb_and_path(getattr(client.wire, row.key))[0] not in _READING.get(row.key, {"GET"})
    }
    await _ask(said, "call_version", client.version)  # first: a wrong key ends here
    await _ask(said, "call_filters", client.filters.list)
    await _ask(said, "call_variables", client.variables.list)
    await _ask(said, "call_invalid_contacts", client.contacts.invalid)
    if campaign:
        await _ask(said, "call_campaign_key", lambda: client.campaigns.key(campaign))
    else:
        said["call_campaign_key"] = _Said(Verdict.NOT_ASKED, "no campaign is given")
    return said


async def _of_events(client: DmdsClient, now: datetime, said: dict[str, _Said]) -> tuple[Event, ...]:
    """Ask for events, and whether the names of the two moments are understood: a time to come has none."""
    page = await _ask(said, "call_events", lambda: client.events.page(now - _LOOK_BACK, now, 1, LEAST_PAGE_SIZE))
    past = await _ask(said, "call_events_count", lambda: client.events.count(now - _LOOK_BACK, now))
    if past is None:
        return page.events if page else ()
    try:
        later = await client.events.count(now + _LOOK_BACK, now + 2 * _LOOK_BACK)
        before = await client.events.count(now - 1000 * _LOOK_BACK, now - 999 * _LOOK_BACK)
    except (ApiRefused, ProviderError) as error:
        said["events_from"] = said["events_until"] = _Said(Verdict.OPEN, str(error))
    else:
        said["events_from"] = _of_key(past, later, "events to come")
        said["events_until"] = _of_key(past, before, "events of long ago")
    return page.events if page else ()


def _of_key(past: int, other: int, what: str) -> _Said:
    if not past:
        return _Said(Verdict.OPEN, f"there are no events of the last {_LOOK_BACK.days} days to compare with")
    if other:
        return _Said(Verdict.CONTRADICTED, f"{other} {what} are counted: the key is not understood")
    return _Said(Verdict.CONFIRMED, f"{past} events are counted, and no {what}")


async def _of_one_event(client: DmdsClient, events: tuple[Event, ...], said: dict[str, _Said]) -> None:
    """Ask about the send and the contact of an event: they exist, so a 404 speaks of the path."""
    event = next((each for each in events if each.email and each.batch), None)
    if event is None:
        none = _Said(Verdict.NOT_ASKED, "no event of late names a send and a contact to ask about")
        said |= dict.fromkeys(
            ("call_contact", "call_whitelist", "call_batch_events", "call_batch_info", "call_batch_eml"), none
        )
        return
    await _ask(said, "call_contact", lambda: client.contacts.show(event.email))
    await _ask(said, "call_whitelist", lambda: client.whitelist.shows(event.email))
    await _ask(said, "call_batch_events", lambda: client.events.of_batch(event.batch))
    info = await _ask(said, "call_batch_info", lambda: client.batches.info(event.batch))
    if info is not None and info.archive is not None:
        await _ask(said, "call_batch_eml", lambda: client.batches.eml(event.batch, event.email))
    else:
        said["call_batch_eml"] = _Said(Verdict.NOT_ASKED, "the send that was looked at has no archive")


async def _ask(said: dict[str, _Said], key: str, ask: Callable[[], Awaitable[Value]]) -> Value | None:
    """Make one call and note what it says of its verb and path; None: no answer that could be read.

    What was said of it before stays: it is not asked.
    """
    if key in said:
        return None
    try:
        value = await ask()
    except ApiRefused as refused:
        if refused.is_login:
            raise
        is_path = refused.code in _NO_SUCH_METHOD
        said[key] = _Said(Verdict.CONTRADICTED if is_path else Verdict.OPEN, str(refused))
    except ProviderError as error:
        said[key] = _Said(Verdict.OPEN, error.reason)
    else:
        said[key] = _Said(Verdict.CONFIRMED, "answered")
        return value
    return None
