"""The sends: check the call, then one mail to each contact, and the copies of each.

Copies with several contacts are undocumented. The sandbox shows the worst case: every contact's mail carries the
copies, so N contacts and M copies are N x (1+M) mails.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from relay.sandbox.dmds.campaigns import Campaign
from relay.sandbox.dmds.fields import Fields, RefusedError, ok
from relay.sandbox.dmds.wire import ENTRY_KEYS, SEND_KEYS, Happening
from relay.sandbox.document import Blob, JsonValue
from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.faults import Fault, SentDiffers
from relay.sandbox.mail import Attachment, Fate, Mail, Shown
from relay.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Person:
    """A contact, or the recipient of a copy."""

    email: str
    nombre: str = ""
    apellido: str = ""

    @property
    def shown(self) -> Shown:
        """As a header shows it."""
        return Shown(self.email, f"{self.nombre} {self.apellido}".strip())


@dataclass(frozen=True, slots=True)
class Order:
    """One send, checked."""

    contacts: tuple[Person, ...]
    copies: tuple[Person, ...]
    blind: tuple[Person, ...]
    model: Mail  # what all its mails have in common


def send_one(world: World, ask: Ask, campaign: Campaign, fault: Fault | None) -> Answer:
    """Perform send_one_inline, or send_one once its page is here: `contacto` is one object (doc)."""
    contact = Fields(ask.document).entry("contacto")
    return _send(world, ask, campaign, fault, [contact])


def send_many(world: World, ask: Ask, campaign: Campaign, fault: Fault | None) -> Answer:
    """Perform send_many_inline, or send_many: `contactos` is a list (doc)."""
    contacts = Fields(ask.document).entries("contactos", required=True)
    return _send(world, ask, campaign, fault, contacts)


def addresses(document: dict[str, JsonValue]) -> Iterator[str]:
    """Every address that a send names, also where the send will be refused."""
    for name, key in (
        ("contacto", "email"),
        ("contactos", "email"),
        ("copia", "cc_email"),
        ("copia_oculta", "bcc_email"),
    ):
        value = document.get(name)
        for entry in value if isinstance(value, list) else [value]:
            email = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(email, str):
                yield email


def _send(world: World, ask: Ask, campaign: Campaign, fault: Fault | None, contacts: list[Fields]) -> Answer:
    _remark_keys(ask)
    fields = Fields(ask.document)
    _check_campaign(world, ask, fields, campaign)
    if fields.raw("email") is not True:  # doc: must be true, or no mail can be sent
        raise RefusedError("email must be true")
    order = _order(world, ask, fields, contacts)
    eeid = _batch(world, fields, campaign)
    model = replace(order.model, batch_id=eeid)
    mails = tuple(mail for contact in order.contacts for mail in _deliver(world, campaign, order, model, contact))
    sent = len(mails) + (fault.by if isinstance(fault, SentDiffers) else 0)
    return replace(ok(sent=sent, eeid=eeid), mails=mails)


def _order(world: World, ask: Ask, fields: Fields, contacts: list[Fields]) -> Order:
    return Order(
        contacts=tuple(_person(entry, "email", "nombre", "apellido") for entry in contacts),
        copies=tuple(_person(entry, "cc_email", "cc_nombre", "cc_apellido") for entry in fields.entries("copia")),
        blind=tuple(Person(entry.address("bcc_email", required=True)) for entry in fields.entries("copia_oculta")),
        model=_model(world, ask, fields),
    )


def _model(world: World, ask: Ask, fields: Fields) -> Mail:
    options = world.options
    own_sender = fields.address("remitente")
    validated = options.validated_domains
    if own_sender and validated and own_sender.rpartition("@")[2].casefold() not in validated:
        raise RefusedError("remitente is not in an allowed domain")  # assumed: the panel lists the allowed ones (doc)
    own_name = fields.header("remitenteNombre", ask.remarks)
    return Mail(
        api="dmds",
        sender=own_sender or options.campaign_sender,
        from_name=own_name if own_sender else own_name or options.campaign_sender_name,
        reply_to=fields.address("reply-to"),  # doc: one address, no alias
        subject=fields.header("asunto", ask.remarks) or options.campaign_subject,
        html=fields.text("html", required=True),
        attachments=tuple(_attachment(entry) for entry in fields.entries("adjuntos")),
        archived=fields.truth("archive"),
        call=ask.call_id,
    )


def _person(entry: Fields, email: str, nombre: str, apellido: str) -> Person:
    return Person(entry.address(email, required=True), entry.text(nombre), entry.text(apellido))


def _attachment(entry: Fields) -> Attachment:
    name = entry.text("nombre", required=True)
    content = entry.raw("contenido")
    if not isinstance(content, Blob):
        raise RefusedError(f"{entry.named('contenido')} must be base64")
    return Attachment(name, content.size, content.sha256)


def _check_campaign(world: World, ask: Ask, fields: Fields, campaign: Campaign) -> None:
    number = fields.raw("campana_id")
    if isinstance(number, str) and number.isascii() and number.isdigit():
        ask.remark("campana_id is a string; production clients send a number")
        number = int(number)
    if number is None:
        raise RefusedError("missing campana_id")
    if number == campaign.number and not isinstance(number, bool):
        return
    if any(number == other.number for other in world.campaigns.all(campaign.dmdsid)):
        # Assumed: each campaign has its own APIKEY (doc), so another's is a wrong one.
        raise RefusedError("APIKEY of another campaign", 403)
    raise RefusedError("invalid campana_id")


def _batch(world: World, fields: Fields, campaign: Campaign) -> str:
    """The eeid of a new batch, or of the earlier one that this send adds to (doc)."""
    if not fields.truth("reuse_eeid"):
        return world.book.open_batch(campaign.dmdsid)
    eeid = fields.text("eeid", required=True)
    if not world.book.has_batch(campaign.dmdsid, eeid):
        raise RefusedError("invalid eeid")
    return eeid


def _deliver(world: World, campaign: Campaign, order: Order, model: Mail, contact: Person) -> Iterator[Mail]:
    """A contact's mail and its copies; every mailbox sees the contact in To and the visible copies in Cc."""
    model = replace(model, to=(contact.shown,), cc=tuple(person.shown for person in order.copies))
    world.book.meet(contact.email, contact.nombre, contact.apellido)
    if _not_sent(world, campaign, model.batch_id, contact):
        # The mail that the copies are copies of does not exist (assumed).
        return
    for person in (contact, *order.copies, *order.blind):
        if person is contact or not _not_sent(world, campaign, model.batch_id, person):
            mail = world.deliver(replace(model, mailbox=person.email))
            _note(world, campaign, mail)
            yield mail


def _not_sent(world: World, campaign: Campaign, eeid: str, person: Person) -> bool:
    known = world.book.contact(person.email)
    if known is None or not known.invalid:
        return False
    world.book.note(campaign.dmdsid, eeid, person.email, Happening.NOT_SENT)
    return True


def _note(world: World, campaign: Campaign, mail: Mail) -> None:
    happenings = [Happening.SENT]
    if mail.fate is not Fate.DELIVERED:
        happenings.append(Happening.HARD_BOUNCE if mail.fate is Fate.BOUNCED_HARD else Happening.SOFT_BOUNCE)
    for happening in happenings:
        world.book.note(campaign.dmdsid, mail.batch_id, mail.mailbox, happening)


def _remark_keys(ask: Ask) -> None:
    for key, value in ask.document.items():
        _remark(ask, SEND_KEYS.get(key, "unknown"), key)
        for entry in value if isinstance(value, list) else [value]:
            if key in ENTRY_KEYS and isinstance(entry, dict):
                for member in entry:
                    _remark(ask, ENTRY_KEYS[key].get(member, "unknown"), f"{key}[].{member}")


def _remark(ask: Ask, mark: str, key: str) -> None:
    if mark in ("assumed", "unknown"):
        ask.remark(f"{mark} key: {key}")
