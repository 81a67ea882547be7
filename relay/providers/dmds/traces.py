"""What DMDS tells of mails that it made: `ver_eventos`, page by page, read as far as it can be.

Documented are an event's kind and time; that it names its address and its batch is assumed. Where it does not, nothing
is told, and nothing can be proven by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from relay.errors import ConfigError, ProviderError
from relay.message import mailbox_key
from relay.providers.contract import DmdsCredentials, Document, Trace
from relay.providers.dmds.line import DmdsLine
from relay.providers.dmds.wire import DmdsWire
from relay.providers.http import Answer
from relay.providers.judge import described, is_success

_PAGE = 500
_LEAST_PAGE = 10  # doc: a page holds at least so many, so a shorter one is the last
#: Pages of one look; where there are more, other people's mail is not to be told from ours.
_MOST_PAGES = 40


class Traces:
    """Asks for them."""

    def __init__(self, line: DmdsLine) -> None:
        """Make it; raises ConfigError for a time zone that nobody knows."""
        self._line = line
        try:
            self._zone = ZoneInfo(line.wire.events_zone)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigError(f"provider.dmds.wire.events_zone: no time zone {line.wire.events_zone!r}") from error

    async def between(self, credentials: DmdsCredentials, since: float, until: float) -> list[Trace]:
        """List the mails made between two times. Raises ProviderError."""
        found: list[Trace] = []
        before: Sequence[Any] = ()
        for page in range(1, _MOST_PAGES + 1):
            answer = await self._line.ask(
                self._line.wire.call_events, credentials, self._question(since, until, page=page)
            )
            events = _events_of(answer, self._line.wire.events)
            if events == before:  # an API that knows no pages
                return found
            found += _traces_of(events, self._line.wire, self._zone)
            if len(events) < _LEAST_PAGE:
                return found
            before = events
        raise ProviderError("there are too many events in that time", maybe_accepted=False)

    def _question(self, since: float, until: float, *, page: int) -> Document:
        wire = self._line.wire
        return {
            wire.events_from: self._local(since),
            wire.events_until: self._local(until + 1),
            wire.events_page: page,
            wire.events_page_size: _PAGE,
        }

    def _local(self, moment: float) -> str:
        there = datetime.fromtimestamp(int(moment), UTC).astimezone(self._zone)
        return there.replace(tzinfo=None).isoformat(timespec="seconds")


def _events_of(answer: Answer, name: str) -> Sequence[Any]:
    if not is_success(answer.status):
        raise ProviderError(described(answer), maybe_accepted=False)
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        value = None
    events = value.get(name) if isinstance(value, Mapping) else value
    if not isinstance(events, list):
        raise ProviderError("the answer holds no list of events", maybe_accepted=False)
    return events


def _traces_of(events: Sequence[Any], wire: DmdsWire, zone: tzinfo) -> Iterator[Trace]:
    for event in events:
        if not isinstance(event, Mapping) or event.get(wire.event_kind) != wire.event_sent:
            continue
        email, batch, at = event.get(wire.event_email), event.get(wire.batch), _moment(event.get(wire.event_time), zone)
        if isinstance(email, str) and isinstance(batch, str) and at is not None:
            yield Trace(mailbox_key(email.strip()), batch.strip(), at)


def _moment(value: Any, zone: tzinfo) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
