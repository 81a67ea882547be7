"""Events: there is no push, so they are asked for, by send or by time; and what is archived of a send."""

import binascii
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from relay.errors import ProviderError
from relay.providers.contract import Document
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.api.values import BatchInfo, Event, EventPage
from relay.providers.dmds.members import items, member, whole, words
from relay.providers.fields import wire_address
from relay.providers.judge import unreadable

LEAST_PAGE_SIZE = 10  # doc
_PAGE_SIZE = 100  # the most is not known


class Events:
    """Events of the customer's mails, of one send or between two moments."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def count(self, since: datetime, until: datetime) -> int:
        """Count the events between two moments, which bear a time zone (`cantidad_eventos`, doc; keys assumed).

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none with a number in it.
        """
        answer = await self._talk.ask(self._talk.wire.call_events_count, self._between(since, until))
        number = whole(member(answer, "cantidad_eventos", "cantidad", "total")) if isinstance(answer, Mapping) else None
        if number is None:
            raise ProviderError("the answer holds no number of events", maybe_accepted=False)
        return number

    async def page(self, since: datetime, until: datetime, number: int = 1, size: int = _PAGE_SIZE) -> EventPage:
        """Return one page of the events between two moments (`ver_eventos`, doc; names of the dates assumed).

        Args:
            since: The begin, with a time zone.
            until: The end, with a time zone.
            number: From 1 on (assumed).
            size: Events in a page, at least 10 (doc).

        Raises:
            ApiRefused: The API said no.
            ProviderError: No answer, or none that can be understood.
            ValueError: A moment without time zone, or too small a page.
        """
        if size < LEAST_PAGE_SIZE:
            raise ValueError(f"a page has at least {LEAST_PAGE_SIZE} events")
        wire = self._talk.wire
        document = {**self._between(since, until), wire.events_page: number, wire.events_page_size: size}
        answer = await self._talk.ask(wire.call_events, document)
        total = whole(member(answer, "total")) if isinstance(answer, Mapping) else None
        return EventPage(number, read_events(items(answer, "eventos", "events", "data"), self._talk), total)

    async def between(self, since: datetime, until: datetime, size: int = _PAGE_SIZE) -> AsyncIterator[Event]:
        """Go through all events between two moments, page by page; `async for`. Raises as `page` does.

        Events that arrive meanwhile may move others over the edge of a page: end in the past.
        """
        before: tuple[Event, ...] = ()
        number = 1
        while True:
            page = await self.page(since, until, number, size)
            if page.events and page.events == before:
                raise ProviderError(
                    f"page {number} of the events is the one before again: is {self._talk.wire.events_page} its key?",
                    maybe_accepted=False,
                )
            for event in page.events:
                yield event
            if len(page.events) < size:
                return
            before, number = page.events, number + 1

    async def of_batch(self, batch: str) -> tuple[Event, ...]:
        """List the events of a send by its eeid (exists in doc, the path is assumed). Raises as `count` does."""
        answer = await self._talk.ask(self._talk.wire.call_batch_events, eeid=batch)
        return read_events(items(answer, "eventos", "events", "data"), self._talk, batch)

    def _between(self, since: datetime, until: datetime) -> Document:
        wire = self._talk.wire
        return {wire.events_from: self._talk.moment(since), wire.events_until: self._talk.moment(until)}


class Batches:
    """Sends by their eeid, and what is archived of them."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def info(self, batch: str) -> BatchInfo:
        """Tell what is known of a send (`eeid_info`, doc; the path is assumed).

        The archive section is there where it was sent with `archive`, which needs a licence.

        Raises:
            ApiRefused: There is no such send, or the key is wrong.
            ProviderError: No answer, or none that can be understood.
        """
        answer = await self._talk.ask(self._talk.wire.call_batch_info, eeid=batch)
        members = answer if isinstance(answer, Mapping) else {"items": answer}
        return BatchInfo(batch, member(members, "archive"), members)

    async def eml(self, batch: str, email: str) -> bytes:
        """Return the archived mail that one recipient of a send got, in the form of a `.eml` file.

        Its answer is not documented: text by itself, or in JSON, plain or as base64, are all read.

        Raises:
            ApiRefused: There is none: no such send or recipient, or it was not archived.
            ProviderError: No answer, or none with a mail in it.
        """
        wire = self._talk.wire
        answer = await self._talk.answer(wire.call_batch_eml, eeid=batch, email=wire_address(email))
        try:
            value = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return answer.body if answer.body.strip() else _no_mail()
        text = member(value, "eml", "email", "mail", "content", "data") if isinstance(value, Mapping) else value
        if not isinstance(text, str) or not text:
            raise unreadable(answer)
        return _mail_in(text)


def read_events(value: Any, talk: Talk, batch: str = "") -> tuple[Event, ...]:
    """Read a list of events; what is no event is left out."""
    found = value if isinstance(value, list) else []
    return tuple(
        Event(
            kind=words(member(item, "evento", "event", "tipo")),
            at=talk.read_moment(words(member(item, "timestamp", "fecha"))),
            email=words(member(item, "email", "contacto")),
            batch=words(member(item, talk.wire.batch)) or batch,
        )
        for item in found
        if isinstance(item, Mapping)
    )


def _mail_in(text: str) -> bytes:
    """Decode what is base64; a header line has a colon, which base64 never has."""
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError:
        return text.encode("utf-8", "replace")


def _no_mail() -> bytes:
    raise ProviderError("the answer holds no mail", maybe_accepted=False)
