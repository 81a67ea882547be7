"""The functions that keep something: contacts, whitelist, campaigns and keys, groups, variables."""

from relay.sandbox.dmds.asking import contact_view, tail
from relay.sandbox.dmds.book import Contact
from relay.sandbox.dmds.campaigns import Campaign
from relay.sandbox.dmds.fields import Fields, RefusedError, ok
from relay.sandbox.dmds.wire import SAVE_KEYS, Happening
from relay.sandbox.document import is_address
from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.faults import Fault
from relay.sandbox.world import World


def save_contact(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """POST contacto/: create or update; the address is the key (doc). The answer's shape is assumed."""
    fields = _fields(ask)
    email = fields.address("email", required=True)
    bases, campos = fields.texts("bases"), fields.members("campos")
    for base in bases:
        world.panel.group(campaign.dmdsid, base)
    saved = world.book.save(email, fields.text("nombre"), fields.text("apellido"), bases, campos)
    return ok(contacto=contact_view(world, campaign, saved))


def invalidate(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET invalidar/<email> (doc); a whitelisted contact stays as it is, which the documented answer suggests."""
    contact = _contact(world, ask)
    if contact.whitelisted:
        return ok(msg="whitelisted")  # doc
    world.book.mark(contact.email, invalid=True)
    world.book.note(campaign.dmdsid, "", contact.email, Happening.INVALIDATED)
    return ok(msg=f"{contact.email} invalidated")


def revalidate(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET revalidar/<email> (doc)."""
    contact = _contact(world, ask)
    world.book.mark(contact.email, invalid=False)
    world.book.note(campaign.dmdsid, "", contact.email, Happening.REVALIDATED)
    return ok(msg="whitelisted" if contact.whitelisted else f"{contact.email} revalidated")


def whitelist(world: World, ask: Ask, _campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET, POST or PUT, DELETE whitelist/<email> (doc): ask, add, remove."""
    email = _address(ask)
    if ask.request.method != "GET":
        world.book.whitelist(email, listed=ask.request.method != "DELETE")
    known = world.book.contact(email)
    listed = known is not None and known.whitelisted
    return ok(msg=f"{email} whitelisted" if listed else f"{email} not whitelisted")  # doc


def create_campaign(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """POST campania/: id and numid, and camp_apikey for type API (doc)."""
    fields = _fields(ask)
    made = world.campaigns.create(
        campaign.dmdsid, fields.text("nombre", required=True), fields.text("tipo", required=True)
    )
    key = world.campaigns.key_of(made)
    return ok(id=made.id, numid=made.number, **({"camp_apikey": key} if key else {}))


def campaign_key(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """GET campania_apikey/ reads, POST sets (doc); keys and answer are assumed."""
    fields = _fields(ask)
    number = fields.number("numid", least=1) if fields.raw("numid") is not None else campaign.number
    wanted = world.campaigns.find(campaign.dmdsid, number)
    if wanted is None:
        raise RefusedError("invalid numid", 404)
    if ask.request.method == "POST":
        given = fields.text("camp_apikey")
        if given and (not given.isascii() or not given.isprintable() or " " in given):
            raise RefusedError("invalid camp_apikey")
        if given and world.campaigns.of_key(campaign.dmdsid, given) not in (None, wanted):
            raise RefusedError("camp_apikey is in use")
        world.campaigns.set_key(wanted, given)
    key = world.campaigns.key_of(wanted)
    if not key:
        raise RefusedError("campaign has no apikey", 404)
    return ok(numid=wanted.number, camp_apikey=key)


def create_group(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """POST grupo/ (exists in doc)."""
    name = _fields(ask).text("nombre", required=True)
    return ok(numid=world.panel.group(campaign.dmdsid, name), nombre=name)


def create_variable(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """POST variables/ (exists in doc)."""
    fields = _fields(ask)
    name, value = fields.text("nombre", required=True), fields.text("valor")
    world.panel.variables(campaign.dmdsid)[name] = value
    return ok(nombre=name, valor=value)


def delete_variable(world: World, ask: Ask, campaign: Campaign, _fault: Fault | None) -> Answer:
    """DELETE variables/ (exists in doc)."""
    name = _fields(ask).text("nombre", required=True)
    if world.panel.variables(campaign.dmdsid).pop(name, None) is None:
        raise RefusedError("unknown variable", 404)
    return ok(nombre=name)


def _fields(ask: Ask) -> Fields:
    known = SAVE_KEYS[ask.function]
    for key in ask.document:
        mark = known.get(key, "unknown")
        if mark != "doc":
            ask.remark(f"{mark} key: {key}")
    return Fields(ask.document)


def _address(ask: Ask) -> str:
    email = tail(ask)
    if not is_address(email):
        raise RefusedError(f"invalid email {email[:254]!r}")  # doc: "invalid email ..."
    return email


def _contact(world: World, ask: Ask) -> Contact:
    known = world.book.contact(_address(ask))
    if known is None:
        raise RefusedError("contact not found", 404)  # assumed
    return known
