"""The four sends: to one or several contacts, of HTML or of a page that the API fetches."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import ProviderError
from relay.providers.contract import Base64Text, Document, JsonValue
from relay.providers.dmds.answers import read_answer
from relay.providers.dmds.api.talk import Talk
from relay.providers.dmds.api.values import Sent
from relay.providers.dmds.entries import attachment_entries, joining, person
from relay.providers.fields import one_line, wire_address
from relay.providers.judge import unreadable


@dataclass(frozen=True, slots=True)
class Person:
    """A contact, or who gets a visible copy."""

    email: str
    name: str = ""
    surname: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment. Its keys are unknown: try one before you rely on it."""

    name: str
    data: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What a send may have besides campaign, contacts and content. What is empty is the campaign's."""

    subject: str = ""  # assumed
    sender_email: str = ""  # assumed; in a domain that the panel allows
    sender_name: str = ""  # assumed
    reply_to: str = ""  # one address, without a name (doc)
    copies: Sequence[Person] = ()  # seen by all; only with one contact
    blind_copies: Sequence[str] = ()  # seen by nobody; only with one contact
    attachments: Sequence[File] = ()  # unknown
    batch: str = ""  # the eeid of an earlier send that this one joins; empty: a batch of its own
    archive: bool = False  # keep what was sent; only with HTML; needs a licence


class Sends:
    """The sends. None is safe to repeat: after a ProviderError with `maybe_accepted` look at the events first."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def one(self, campaign: int, contact: Person, page: str, options: SendOptions | None = None) -> Sent:
        """Send a page to one contact (`send_one`; the path is assumed, the page's key unknown).

        Args:
            campaign: Its short number, `numid`.
            contact: Who gets it.
            page: The address of an HTML page in UTF-8; the API follows 301 and 302 (doc).
            options: Whatever else.

        Raises:
            ApiRefused: Nothing was sent.
            ProviderError: No answer, or none that can be understood; `maybe_accepted` tells whether it may be sent.
            ValueError: The options ask for what the API has not.
        """
        wire = self._talk.wire
        document = self._document(campaign, [contact], options or SendOptions(), is_page=True)
        document |= {wire.contact: self._contact(contact), wire.page_address: page}
        return await self._send(wire.call_send_one, document)

    async def many(
        self, campaign: int, contacts: Sequence[Person], page: str, options: SendOptions | None = None
    ) -> Sent:
        """Send a page to several contacts, each a mail of its own (`send_many`). As `one`."""
        wire = self._talk.wire
        document = self._document(campaign, contacts, options or SendOptions(), is_page=True)
        document |= {wire.contacts: [self._contact(each) for each in contacts], wire.page_address: page}
        return await self._send(wire.call_send_many, document)

    async def one_inline(self, campaign: int, contact: Person, html: str, options: SendOptions | None = None) -> Sent:
        """Send HTML to one contact (`send_one_inline`, client). As `one`, with HTML in place of the page."""
        wire = self._talk.wire
        document = self._document(campaign, [contact], options or SendOptions())
        document |= {wire.contact: self._contact(contact), wire.html: html}
        return await self._send(wire.call_send_one_inline, document)

    async def many_inline(
        self, campaign: int, contacts: Sequence[Person], html: str, options: SendOptions | None = None
    ) -> Sent:
        """Send HTML to several contacts, each a mail of its own (`send_many_inline`). As `one_inline`."""
        wire = self._talk.wire
        document = self._document(campaign, contacts, options or SendOptions())
        document |= {wire.contacts: [self._contact(each) for each in contacts], wire.html: html}
        return await self._send(wire.call_send_many_inline, document)

    async def _send(self, call: str, document: Document) -> Sent:
        answer = await self._talk.answer(call, document)
        said = read_answer(answer.body, self._talk.wire.batch)
        if said is None:
            raise unreadable(answer)
        if not said.batch:
            raise ProviderError("the API said ok without an eeid", maybe_accepted=True)
        return Sent(said.batch, said.sent)

    def _document(
        self, campaign: int, contacts: Sequence[Person], options: SendOptions, *, is_page: bool = False
    ) -> Document:
        if not contacts:
            raise ValueError("a send needs a contact")
        if len(contacts) > 1 and (options.copies or options.blind_copies):
            raise ValueError("copies go with one contact: with several, everybody copied may get one for each")
        if is_page and options.archive:
            raise ValueError("only sends with inline HTML are archived (doc)")
        wire = self._talk.wire
        document: Document = {wire.campaign: campaign, wire.email_flag: True}
        wanted: tuple[tuple[str, JsonValue], ...] = (
            (wire.subject, one_line(options.subject)),
            (wire.sender_email, options.sender_email),
            (wire.sender_name, one_line(options.sender_name)),
            (wire.reply_to, options.reply_to),
            (wire.copies, [self._copy(each) for each in options.copies]),
            (wire.blind_copies, [{wire.blind_copy_email: wire_address(each)} for each in options.blind_copies]),
            (wire.attachments, self._attachments(options.attachments)),
            (wire.archive, options.archive),
        )
        document |= {key: value for key, value in wanted if key and value}
        return document | joining(options.batch, wire) if options.batch else document

    def _contact(self, contact: Person) -> JsonValue:
        wire = self._talk.wire
        keys = (wire.contact_email, wire.contact_name, wire.contact_surname)
        return person(keys, contact.email, contact.name, contact.surname)

    def _copy(self, copy: Person) -> JsonValue:
        wire = self._talk.wire
        return person((wire.copy_email, wire.copy_name, wire.copy_surname), copy.email, copy.name, copy.surname)

    def _attachments(self, files: Sequence[File]) -> JsonValue:
        if files and not self._talk.wire.attachments:
            raise ValueError("the wire table says that attachments cannot be sent")
        entries = [(file.name, file.media_type, Base64Text((b64encode(file.data),))) for file in files]
        return attachment_entries(self._talk.wire, entries) if entries else None
